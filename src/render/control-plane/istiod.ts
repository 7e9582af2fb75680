import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { renderAutoscaler, renderDisruptionBudget } from '../availability.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { workloadView } from '../workload-view.ts';
import { istiodEnv } from './istiod-env.ts';
import { istiodName } from './names.ts';

/** A node that waits for Istio's CNI plug-in is tainted so; istiod must start there, or nothing ever does. */
const cniTaintToleration = { key: 'cni.istio.io/not-ready', operator: 'Exists' };

/** The control plane's Service, Deployment and what keeps it available. */
export function renderIstiod(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const name = istiodName(mesh);
  const metadata = { name, namespace: mesh.namespace, component: 'istiod', labels: istiodLabels(mesh) };
  return [
    renderObject('control-plane/30-service', {
      metadata: objectMetadata(mesh, context, { ...metadata, annotations: mesh.pilot.serviceAnnotations }),
      selector: serviceSelector(mesh),
    }),
    renderObject('control-plane/31-deployment', {
      metadata: objectMetadata(mesh, context, metadata),
      ...deploymentView(mesh),
    }),
    ...renderAutoscaler(mesh, context, { ...metadata, workload: mesh.pilot }),
    ...renderDisruptionBudget(mesh, context, {
      ...metadata,
      workload: mesh.pilot,
      selector: serviceSelector(mesh),
    }),
  ];
}

function deploymentView(mesh: ResolvedMesh) {
  const { pilot } = mesh;
  return {
    ...workloadView(mesh, pilot, { tolerations: [cniTaintToleration] }),
    serviceAccountName: istiodName(mesh),
    selector: deploymentSelector(mesh),
    podLabels: {
      ...pilot.podLabels,
      ...istiodLabels(mesh),
      ...componentLabels(mesh, 'istiod'),
      // A revision's pods must not match the selectors of an unrevisioned istiod in the same namespace.
      istio: mesh.revision === '' ? 'pilot' : 'istiod',
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
    },
    podAnnotations: {
      'prometheus.io/port': '15014',
      'prometheus.io/scrape': 'true',
      'sidecar.istio.io/inject': 'false',
      ...pilot.podAnnotations,
    },
    image: pilot.image,
    // An istiod that starts before its authority is there would make one of its own.
    cacertsAreOptional: !mesh.authority.enabled,
    // Without them at its start, an istiod that does not sign never serves: it does not look for them again.
    servingFilesAreOptional: mesh.authority.external === undefined,
    args: [
      'discovery',
      '--monitoringAddr=:15014',
      `--log_output_level=${pilot.logLevel}`,
      ...(pilot.logAsJson ? ['--log_as_json'] : []),
      '--domain',
      mesh.proxy.clusterDomain,
      '--keepaliveMaxServerConnectionAge',
      pilot.keepaliveMaxServerConnectionAge,
      ...pilot.extraArgs,
    ],
    env: istiodEnv(mesh),
  };
}

/** istioctl finds istiod by `app`, and one revision of it by `istio.io/rev`. */
function istiodLabels(mesh: ResolvedMesh): Record<string, string> {
  return { app: 'istiod', 'istio.io/rev': revisionLabel(mesh.revision) };
}

/** Immutable: these are upstream's, so that an istiod installed by other means can be taken over in place. */
function deploymentSelector(mesh: ResolvedMesh): Record<string, string> {
  return mesh.revision === '' ? { istio: 'pilot' } : { app: 'istiod', 'istio.io/rev': mesh.revision };
}

function serviceSelector(mesh: ResolvedMesh): Record<string, string> {
  return mesh.revision === ''
    ? { app: 'istiod', istio: 'pilot' }
    : { app: 'istiod', 'istio.io/rev': mesh.revision };
}
