import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type JsonObject, type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { stableJson } from '../../base/stable-json.ts';
import { renderServiceAccount } from '../access.ts';
import { renderAutoscaler, renderDisruptionBudget } from '../availability.ts';
import { containerView } from '../container-view.ts';
import { envValue, mergeEnv } from '../environment.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { workloadView } from '../workload-view.ts';
import { injectorCommand, injectorNodeOptions } from './injector-process.ts';
import { injectorName, servingSecretName, tagConfigurationName, webhookConfigurationName } from './names.ts';
import { selectionEntries, selfTestEntry, type WebhookEntry } from './webhooks.ts';

/** `app.kubernetes.io/name` and `app` of everything of the injector; istioctl finds webhooks by the latter. */
export const injectorComponent = 'sidecar-injector';

/**
 * The injector of one revision: its workload, and the webhook configurations that send it pods. Its account has no
 * role and its pods no token, since it asks the API server for nothing. The Secret with the serving certificate comes
 * from the admission controller; until then its pods wait.
 */
export function renderInjector(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const metadata = {
    name: injectorName(mesh),
    namespace: mesh.namespace,
    component: injectorComponent,
    labels: injectorSelector(mesh),
  };
  const { injector } = mesh;
  return [
    renderServiceAccount(mesh, context, metadata),
    renderObject('injector/10-config-map', {
      metadata: objectMetadata(mesh, context, metadata),
      config: configurationText(mesh, context),
    }),
    renderObject('injector/20-service', {
      metadata: objectMetadata(mesh, context, { ...metadata, annotations: injector.serviceAnnotations }),
      selector: injectorSelector(mesh),
    }),
    renderObject('injector/30-deployment', {
      metadata: objectMetadata(mesh, context, metadata),
      ...deploymentView(mesh, context),
    }),
    ...renderAutoscaler(mesh, context, { ...metadata, workload: injector }),
    ...renderDisruptionBudget(mesh, context, {
      ...metadata,
      workload: injector,
      selector: injectorSelector(mesh),
    }),
    ...renderWebhookConfigurations(mesh, context),
  ];
}

/** What the injector reads. What no pod that it is asked about depends on is left out. */
function configurationText(mesh: ResolvedMesh, { kubernetesMinor }: RenderContext): string {
  const {
    upgrade: _upgrade,
    tagScope: _tagScope,
    cni: _cni,
    ztunnel: _ztunnel,
    security: _security,
    telemetry: _telemetry,
    monitoring: _monitoring,
    platform: _platform,
    remote: _remote,
    multiCluster: _multiCluster,
    networkPolicy: _networkPolicy,
    stableValidationPolicy: _policy,
    ...asked
  } = mesh;
  return stableJson({ mesh: { ...asked, gateways: [], overlays: [] }, kubernetesMinor });
}

function deploymentView(mesh: ResolvedMesh, { operatorImage }: RenderContext) {
  const { injector } = mesh;
  const view = workloadView(mesh, injector, {
    // OpenShift gives each namespace users of its own, and refuses others.
    securityContext: mesh.platform === 'openshift' ? {} : { runAsUser: 65532, runAsGroup: 65532 },
  });
  return {
    ...view,
    ...containerView(injector, { readinessProbe, volumes: volumesOf(mesh), volumeMounts }),
    topologySpreadConstraints: view.topologySpreadConstraints ?? defaultSpread(mesh),
    serviceAccountName: injectorName(mesh),
    selector: injectorSelector(mesh),
    podLabels: {
      ...injector.podLabels,
      ...injectorSelector(mesh),
      ...componentLabels(mesh, injectorComponent),
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
    },
    podAnnotations: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
      ...injector.podAnnotations,
    },
    image: operatorImage,
    command: injectorCommand,
    env: mergeEnv([envValue('NODE_OPTIONS', injectorNodeOptions)], injector.env),
  };
}

const readinessProbe: JsonObject = {
  httpGet: { path: '/readyz', port: 8081 },
  periodSeconds: 2,
  timeoutSeconds: 2,
  failureThreshold: 2,
};

const volumeMounts: readonly JsonObject[] = [
  { name: 'certificate', mountPath: '/etc/mesh-operator/tls', readOnly: true },
  { name: 'configuration', mountPath: '/etc/mesh-operator/injector', readOnly: true },
];

function volumesOf(mesh: ResolvedMesh): JsonObject[] {
  const items = ['tls.crt', 'tls.key'].map((key) => ({ key, path: key }));
  return [
    { name: 'certificate', secret: { secretName: servingSecretName(mesh), items } },
    { name: 'configuration', configMap: { name: injectorName(mesh) } },
  ];
}

/** One node, or one zone, must not take all replicas with it; where there is only one, they run all the same. */
function defaultSpread(mesh: ResolvedMesh): JsonObject[] {
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: injectorSelector(mesh) },
  }));
}

/** One configuration for the revision and one for each tag: istioctl lists tags by their configurations. */
function renderWebhookConfigurations(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const revision = revisionLabel(mesh.revision);
  return [
    renderWebhookConfiguration(mesh, context, {
      name: webhookConfigurationName(mesh),
      entries: [...selectionEntries(mesh, revision), selfTestEntry(mesh)],
    }),
    ...tagsInUse(mesh).map((tag) =>
      renderWebhookConfiguration(mesh, context, {
        name: tagConfigurationName(mesh, tag),
        labels: { 'istio.io/tag': tag },
        entries: selectionEntries(mesh, tag, mesh.tagScope),
      }),
    ),
  ];
}

/** A tag that counts in no namespace has no webhook: no selector selects nothing. */
function tagsInUse({ revisionTags, tagScope }: ResolvedMesh): readonly string[] {
  return tagScope?.only?.length === 0 ? [] : revisionTags;
}

interface ConfigurationOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly entries: readonly WebhookEntry[];
}

function renderWebhookConfiguration(
  mesh: ResolvedMesh,
  context: RenderContext,
  { name, labels, entries }: ConfigurationOptions,
): KubernetesObject {
  return renderObject('injector/40-mutating-webhook-configuration', {
    metadata: objectMetadata(mesh, context, {
      name,
      component: injectorComponent,
      labels: { ...injectorSelector(mesh), ...labels },
    }),
    service: { name: injectorName(mesh), namespace: mesh.namespace },
    entries: entries.map(({ namespaceSelector, objectSelector, ...entry }) => ({
      ...entry,
      namespaceSelector: { matchExpressions: namespaceSelector },
      objectSelector: { matchExpressions: objectSelector },
    })),
  });
}

/** Labels of its pods that no others have. */
export function injectorSelector(mesh: ResolvedMesh): Record<string, string> {
  return { app: injectorComponent, 'istio.io/rev': revisionLabel(mesh.revision) };
}
