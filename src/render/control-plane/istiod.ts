import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { rootConfigMapName } from '../../api/resolve-authority.ts';
import { type JsonObject, type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { isAtLeast } from '../../api/versions.ts';
import { renderAutoscaler, renderDisruptionBudget } from '../availability.ts';
import { containerView } from '../container-view.ts';
import { istiodPort } from '../multicluster/exposure.ts';
import { remoteTokens } from '../multicluster/remote-tokens.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { workloadView } from '../workload-view.ts';
import { istiodEnv } from './istiod-env.ts';
import { istiodExternalName, istiodKubeconfigName, istiodName, meshConfigMapName } from './names.ts';

/** A node that waits for Istio's CNI plug-in is tainted so; istiod must start there, or nothing ever does. */
const cniTaintToleration = { key: 'cni.istio.io/not-ready', operator: 'Exists' };

/** The control plane's Service, Deployment and what keeps it available. */
export function renderIstiod(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const name = istiodName(mesh);
  const metadata = { name, namespace: mesh.namespace, component: 'istiod', labels: istiodLabels(mesh) };
  return [
    renderObject('control-plane/30-service', {
      metadata: objectMetadata(mesh, context, { ...metadata, annotations: mesh.pilot.serviceAnnotations }),
      spec: { ...mesh.pilot.service.spec, selector: istiodSelector(mesh), ports: mesh.pilot.service.ports },
    }),
    ...(configClusterOf(mesh) === undefined ? [] : [renderExternalService(mesh, context)]),
    renderObject('control-plane/31-deployment', {
      metadata: objectMetadata(mesh, context, metadata),
      ...deploymentView(mesh),
    }),
    ...renderAutoscaler(mesh, context, { ...metadata, workload: mesh.pilot }),
    ...renderDisruptionBudget(mesh, context, {
      ...metadata,
      workload: mesh.pilot,
      selector: istiodSelector(mesh),
    }),
  ];
}

/**
 * Where proxies of another cluster reach istiod, and no more of it. They verify it by its own certificate, under the name
 * that it has in their cluster.
 */
function renderExternalService(mesh: ResolvedMesh, context: RenderContext): KubernetesObject {
  const name = istiodExternalName(mesh);
  const ports = [{ name: 'tls-istiod', port: istiodPort, protocol: 'TCP', targetPort: istiodPort }];
  return renderObject('control-plane/30-service', {
    metadata: objectMetadata(mesh, context, { name, namespace: mesh.namespace, component: 'istiod' }),
    spec: { type: 'LoadBalancer', selector: istiodSelector(mesh), ports },
  });
}

function deploymentView(mesh: ResolvedMesh) {
  const { pilot } = mesh;
  const tokens = remoteTokens(mesh);
  const config = meshConfigFiles(mesh);
  return {
    ...workloadView(mesh, pilot, { tolerations: [cniTaintToleration] }),
    ...containerView(pilot, {
      readinessProbe,
      volumes: [...volumesOf(mesh), ...tokens.volumes, ...config.volumes],
      volumeMounts: [...volumeMounts, ...tokens.volumeMounts, ...config.volumeMounts],
    }),
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
    terminationMessagePolicy: terminationMessagePolicy(mesh),
  };
}

/** As the chart of 1.31 has it. */
function terminationMessagePolicy({ platform, version }: ResolvedMesh): string | undefined {
  return platform === 'openshift' && isAtLeast(version, '1.31') ? 'FallbackToLogsOnError' : undefined;
}

const readinessProbe: JsonObject = {
  httpGet: { path: '/ready', port: 8080 },
  initialDelaySeconds: 1,
  periodSeconds: 3,
  timeoutSeconds: 5,
};

const volumeMounts: readonly JsonObject[] = [
  { name: 'istio-token', mountPath: '/var/run/secrets/tokens', readOnly: true },
  { name: 'local-certs', mountPath: '/var/run/secrets/istio-dns' },
  { name: 'cacerts', mountPath: '/etc/cacerts', readOnly: true },
  { name: 'istio-kubeconfig', mountPath: '/var/run/secrets/remote', readOnly: true },
  { name: 'istio-csr-dns-cert', mountPath: '/var/run/secrets/istiod/tls', readOnly: true },
  { name: 'istio-csr-ca-configmap', mountPath: '/var/run/secrets/istiod/ca', readOnly: true },
];

/** What an istiod without rights in this cluster has of its configuration; it follows the files as they change. */
function meshConfigFiles(mesh: ResolvedMesh): {
  readonly volumes: JsonObject[];
  readonly volumeMounts: JsonObject[];
} {
  if (configClusterOf(mesh) === undefined) return { volumes: [], volumeMounts: [] };
  const name = 'mesh-config';
  return {
    volumes: [{ name, configMap: { name: meshConfigMapName(mesh) } }],
    volumeMounts: [{ name, mountPath: '/etc/istio/config', readOnly: true }],
  };
}

function volumesOf(mesh: ResolvedMesh): JsonObject[] {
  const { authority, injection } = mesh;
  const token = { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' };
  // An istiod that starts before its authority is there would make one of its own.
  const cacertsAreOptional = !authority.enabled;
  // Without them at its start, an istiod that does not sign never serves: it does not look for them again.
  const servingFilesAreOptional = authority.external === undefined;
  // Without it, istiod would take this cluster for its own.
  const kubeconfig =
    configClusterOf(mesh) === undefined
      ? { secretName: 'istio-kubeconfig', optional: true }
      : { secretName: istiodKubeconfigName(mesh) };
  return [
    { name: 'istio-token', projected: { sources: [{ serviceAccountToken: token }] } },
    { name: 'local-certs', emptyDir: { medium: 'Memory' } },
    { name: 'cacerts', secret: { secretName: 'cacerts', optional: cacertsAreOptional } },
    { name: 'istio-kubeconfig', secret: kubeconfig },
    { name: 'istio-csr-dns-cert', secret: { secretName: 'istiod-tls', optional: servingFilesAreOptional } },
    {
      name: 'istio-csr-ca-configmap',
      configMap: { name: injection.trustBundleName || rootConfigMapName, optional: servingFilesAreOptional },
    },
  ];
}

/** istioctl finds istiod by `app`, and one revision of it by `istio.io/rev`. */
function istiodLabels(mesh: ResolvedMesh): Record<string, string> {
  return { app: 'istiod', 'istio.io/rev': revisionLabel(mesh.revision) };
}

/** Immutable: these are upstream's, so that an istiod installed by other means can be taken over in place. */
function deploymentSelector(mesh: ResolvedMesh): Record<string, string> {
  return mesh.revision === '' ? { istio: 'pilot' } : { app: 'istiod', 'istio.io/rev': mesh.revision };
}

/** Labels of its pods that no others have. */
export function istiodSelector(mesh: ResolvedMesh): Record<string, string> {
  return mesh.revision === ''
    ? { app: 'istiod', istio: 'pilot' }
    : { app: 'istiod', 'istio.io/rev': mesh.revision };
}
