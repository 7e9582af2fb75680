import { pathText } from '../api/problem.ts';
import { supportedVersionsText } from '../api/resolve-version.ts';
import type { Json } from '../api/resolved-mesh.ts';
import { hasField } from '../api/validation/schema-field.ts';
import { istioVersions } from '../api/versions.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { carryChartValues, loseNulls } from './chart-values.ts';
import { type Draft, fieldsOf, isEmptyTree, itemsOf, loseUnlessEmpty } from './draft.ts';
import { carryMaistraWorkload, maistraGateway } from './maistra-workload.ts';
import { carryMetadata, carryName } from './metadata.ts';
import { SettingSource } from './setting-source.ts';
import { jsonOf, objectTree, type Path, partAt, type SettingTree, settingsOf } from './setting-tree.ts';

/** What a value becomes; undefined for one that cannot be carried. */
type Change = (value: Json) => Json | undefined;

interface Move {
  /** Below `spec` of the control plane. */
  readonly from: string;
  /** Below `spec` of the mesh. */
  readonly to: string;
  readonly change?: Change;
}

const joined: Change = (value) => (Array.isArray(value) ? value.map(String).join(',') : undefined);
const levels: Change = (value) =>
  isRecord(value)
    ? Object.entries(value)
        .map(([scope, level]) => `${scope}:${String(level)}`)
        .join(',')
    : undefined;
const oneOf =
  (choices: Readonly<Record<string, Json>>): Change =>
  (value) =>
    Object.hasOwn(choices, String(value)) ? choices[String(value)] : undefined;

const proxy = 'values.global.proxy';
const traffic = 'proxy.networking.trafficControl';
const pilotEnv = 'values.pilot.env';

/** Settings that a mesh has under another name. */
const moves: readonly Move[] = [
  { from: 'cluster.name', to: 'values.global.multiCluster.clusterName' },
  { from: 'cluster.network', to: 'values.global.network' },
  { from: 'general.logging.componentLevels', to: 'values.global.logging.level', change: levels },
  { from: 'general.logging.logAsJSON', to: 'values.global.logAsJson' },
  { from: 'general.validationMessages', to: `${pilotEnv}.PILOT_ENABLE_ANALYSIS`, change: String },
  {
    from: 'tracing.sampling',
    to: 'values.pilot.traceSampling',
    change: (value) => (typeof value === 'number' ? value / 100 : undefined),
  },
  { from: 'proxy.logging.level', to: `${proxy}.logLevel` },
  { from: 'proxy.logging.componentLevels', to: `${proxy}.componentLogLevel`, change: levels },
  { from: 'proxy.networking.clusterDomain', to: `${proxy}.clusterDomain` },
  { from: 'proxy.networking.maxConnectionAge', to: 'values.pilot.keepaliveMaxServerConnectionAge' },
  { from: 'proxy.networking.connectionTimeout', to: 'meshConfig.connectTimeout' },
  {
    from: 'proxy.networking.initialization.type',
    to: 'values.pilot.cni.enabled',
    change: oneOf({ CNI: true, InitContainer: false }),
  },
  { from: `${traffic}.inbound.interceptionMode`, to: 'meshConfig.defaultConfig.interceptionMode' },
  { from: `${traffic}.inbound.includedPorts`, to: `${proxy}.includeInboundPorts`, change: joined },
  { from: `${traffic}.inbound.excludedPorts`, to: `${proxy}.excludeInboundPorts`, change: joined },
  { from: `${traffic}.outbound.includedIPRanges`, to: `${proxy}.includeIPRanges`, change: joined },
  { from: `${traffic}.outbound.excludedIPRanges`, to: `${proxy}.excludeIPRanges`, change: joined },
  { from: `${traffic}.outbound.excludedPorts`, to: `${proxy}.excludeOutboundPorts`, change: joined },
  { from: `${traffic}.outbound.policy`, to: 'meshConfig.outboundTrafficPolicy.mode' },
  { from: 'proxy.networking.protocol.autoDetect.timeout', to: 'meshConfig.protocolDetectionTimeout' },
  {
    from: 'proxy.networking.protocol.autoDetect.inbound',
    to: `${pilotEnv}.PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_INBOUND`,
    change: String,
  },
  {
    from: 'proxy.networking.protocol.autoDetect.outbound',
    to: `${pilotEnv}.PILOT_ENABLE_PROTOCOL_SNIFFING_FOR_OUTBOUND`,
    change: String,
  },
  { from: 'proxy.networking.dns.refreshRate', to: 'meshConfig.dnsRefreshRate' },
  { from: 'proxy.runtime.container.imagePullPolicy', to: 'values.global.imagePullPolicy' },
  { from: 'proxy.runtime.container.resources', to: `${proxy}.resources` },
  { from: 'proxy.runtime.readiness.initialDelaySeconds', to: `${proxy}.readinessInitialDelaySeconds` },
  { from: 'proxy.runtime.readiness.periodSeconds', to: `${proxy}.readinessPeriodSeconds` },
  { from: 'proxy.runtime.readiness.failureThreshold', to: `${proxy}.readinessFailureThreshold` },
  { from: 'proxy.runtime.readiness.rewriteApplicationProbes', to: 'sidecarInjector.rewriteAppHTTPProbers' },
  {
    from: 'proxy.injection.autoInject',
    to: `${proxy}.autoInject`,
    change: oneOf({ true: 'enabled', false: 'disabled' }),
  },
  { from: 'proxy.injection.alwaysInjectSelector', to: 'sidecarInjector.alwaysInjectSelector' },
  { from: 'proxy.injection.neverInjectSelector', to: 'sidecarInjector.neverInjectSelector' },
  { from: 'proxy.injection.injectedAnnotations', to: 'sidecarInjector.injectedAnnotations' },
  { from: 'proxy.accessLogging.file.name', to: 'meshConfig.accessLogFile' },
  { from: 'proxy.accessLogging.file.encoding', to: 'meshConfig.accessLogEncoding' },
  { from: 'proxy.accessLogging.file.format', to: 'meshConfig.accessLogFormat' },
  { from: 'proxy.accessLogging.envoyService.enabled', to: 'meshConfig.enableEnvoyAccessLogService' },
  {
    from: 'proxy.accessLogging.envoyService.address',
    to: 'meshConfig.defaultConfig.envoyAccessLogService.address',
  },
  {
    from: 'proxy.envoyMetricsService.address',
    to: 'meshConfig.defaultConfig.envoyMetricsService.address',
  },
  { from: 'proxy.concurrency', to: 'meshConfig.defaultConfig.concurrency' },
  { from: 'proxy.adminPort', to: 'meshConfig.defaultConfig.proxyAdminPort' },
  { from: 'proxy.environmentVariables', to: 'meshConfig.defaultConfig.proxyMetadata' },
  { from: 'security.trust.domain', to: 'meshConfig.trustDomain' },
  { from: 'security.trust.additionalDomains', to: 'meshConfig.trustDomainAliases' },
  { from: 'security.dataPlane.automtls', to: 'meshConfig.enableAutoMtls' },
  {
    from: 'security.controlPlane.tls.minProtocolVersion',
    to: 'meshConfig.meshMTLS.minProtocolVersion',
    change: oneOf({ TLS_AUTO: 'TLS_AUTO', TLSv1_2: 'TLSV1_2', TLSv1_3: 'TLSV1_3' }),
  },
  { from: 'security.controlPlane.tls.cipherSuites', to: 'meshConfig.meshMTLS.cipherSuites' },
  { from: 'security.controlPlane.tls.ecdhCurves', to: 'meshConfig.meshMTLS.ecdhCurves' },
  { from: 'security.certificateAuthority.istiod.selfSigned.ttl', to: 'certificateAuthority.root.lifetime' },
  {
    from: 'security.certificateAuthority.istiod.workloadCertTTLDefault',
    to: `${pilotEnv}.DEFAULT_WORKLOAD_CERT_TTL`,
  },
  {
    from: 'security.certificateAuthority.istiod.workloadCertTTLMax',
    to: `${pilotEnv}.MAX_WORKLOAD_CERT_TTL`,
  },
  { from: 'security.identity.thirdParty.audience', to: 'values.global.sds.token.aud' },
  { from: 'runtime.defaults.container.imagePullPolicy', to: 'values.global.imagePullPolicy' },
  { from: 'runtime.defaults.pod.priorityClassName', to: 'values.global.priorityClassName' },
  { from: 'meshConfig', to: 'meshConfig' },
];

interface Refusal {
  readonly path: string;
  /** Values that say what is the case anyway. */
  readonly usual?: readonly Json[];
  readonly reason: string;
}

const ownImages =
  'names an image of Maistra; the mesh has those of Istio: set spec.hub and spec.tag for others';
const addons = 'is not installed by a mesh: install it by its own chart or operator';

/** Settings without a counterpart, the longer paths first. */
const refusals: readonly Refusal[] = [
  {
    path: 'mode',
    usual: ['ClusterWide'],
    reason:
      'is not carried: the mesh covers the whole cluster; name the namespaces of its members in spec.meshConfig.discoverySelectors',
  },
  { path: 'profiles', usual: [['default']], reason: 'is not carried: set what the profile stands for' },
  {
    path: 'policy.type',
    usual: ['Istiod', 'None'],
    reason: 'is not possible: istiod is the only one there is',
  },
  { path: 'policy', reason: 'is not possible: Istio has no Mixer any more' },
  {
    path: 'telemetry.type',
    usual: ['Istiod'],
    reason: 'is not carried: set spec.meshConfig.defaultProviders',
  },
  { path: 'telemetry', reason: 'is not possible: Istio has no Mixer any more' },
  {
    path: 'tracing.type',
    usual: ['None'],
    reason:
      'is not carried: name the collector in spec.meshConfig.extensionProviders, and turn tracing on by a Telemetry object',
  },
  { path: 'addons', reason: addons },
  {
    path: 'security.dataPlane.mtls',
    usual: [false],
    reason:
      'is not carried: create a PeerAuthentication with mode STRICT in the namespace of the mesh, without a selector',
  },
  {
    path: 'security.controlPlane.mtls',
    usual: [true],
    reason: 'is not possible: istiod always asks for mTLS',
  },
  {
    path: 'security.controlPlane.certProvider',
    usual: ['Istiod'],
    reason: 'is not carried: set spec.values.global.pilotCertProvider',
  },
  {
    path: 'security.certificateAuthority.type',
    usual: ['Istiod'],
    reason: 'names no authority that is known here',
  },
  {
    path: 'security.certificateAuthority.istiod.type',
    usual: ['SelfSigned', 'PrivateKey'],
    reason: 'is not known here',
  },
  {
    path: 'security.certificateAuthority.istiod.privateKey.rootCADir',
    usual: ['/etc/cacerts'],
    reason:
      'is not possible: what is plugged in is read from a Secret; see spec.certificateAuthority.pluggedIn',
  },
  {
    path: 'security.certificateAuthority.istiod.selfSigned',
    reason: 'is not carried: the operator rotates the authority; see spec.certificateAuthority.rotation',
  },
  {
    path: 'security.identity.type',
    usual: ['ThirdParty'],
    reason: 'is not possible: tokens of proxies are always bound to their audience',
  },
  {
    path: 'security.jwksResolverCA',
    reason:
      'is not carried: mount a ConfigMap with extra.pem at /cacerts by spec.components.pilot.k8s.volumes and volumeMounts',
  },
  {
    path: 'security.manageNetworkPolicy',
    usual: [false],
    reason: 'is not supported by this version of the operator: create the NetworkPolicies that you need',
  },
  {
    path: 'gateways.openshiftRoute.enabled',
    usual: [false],
    reason: 'is not possible: create the Routes that you need',
  },
  {
    path: 'cluster.multiCluster.enabled',
    usual: [false],
    reason: 'is not supported by this version of the operator',
  },
  { path: 'cluster.multiCluster', reason: 'is not supported by this version of the operator' },
  {
    path: 'cluster.meshExpansion.enabled',
    usual: [false],
    reason: 'is not supported by this version of the operator',
  },
  { path: 'cluster.meshExpansion', reason: 'is not supported by this version of the operator' },
  { path: 'proxy.networking.initialization.initContainer', reason: ownImages },
  {
    path: 'proxy.networking.dns.searchSuffixes',
    reason: 'is not carried: set dnsConfig of pods by a template in spec.sidecarInjector.templates',
  },
  { path: 'proxy.runtime.container', reason: ownImages },
  { path: 'runtime.defaults.container', reason: ownImages },
  { path: 'runtime.defaults', reason: 'is not carried: set it for each component, in its k8s' },
  { path: 'runtime.components', reason: 'is not carried: no component of a mesh is called so' },
  { path: 'techPreview', reason: 'is not known here' },
];

/** Carries a ServiceMeshControlPlane of Maistra (`maistra.io/v2`). */
export function carryServiceMeshControlPlane(document: number, tree: SettingTree, draft: Draft): void {
  const { mesh, ledger } = draft;
  const source = new SettingSource(tree);
  for (const field of ['apiVersion', 'kind']) ledger.preset(source.take(field), 'names what is converted');
  ledger.preset(source.take('status'), 'tells what was the case');
  carryName(['metadata', 'namespace'], source.take('metadata', 'namespace'), draft);
  carryMetadata(source.within('metadata'), draft);
  const spec = new SettingSource(loseNulls(source.take('spec'), draft));
  mesh.give(['spec', 'profile'], 'minimal');
  loseVersion(spec, draft);
  if (spec.peek('mode') === undefined) noteMode(document, draft);
  presetWhatIsOff(spec, draft);
  carryGateways(document, spec, draft);
  for (const { from, to, change } of moves) {
    carryMove(spec.take(...from.split('.')), ['spec', ...to.split('.')], change, draft);
  }
  carryAuthority(spec, draft);
  for (const path of [
    ['proxy', 'runtime', 'container'],
    ['runtime', 'defaults', 'container'],
  ]) {
    for (const item of itemsOf(spec.take(...path, 'imagePullSecrets'), ledger)) {
      mesh.append(['spec', 'imagePullSecrets'], [partAt(item, ['name']) ?? item]);
    }
  }
  carryMaistraWorkload(
    spec.within('runtime', 'components', 'pilot'),
    ['spec', 'components', 'pilot', 'k8s'],
    mesh,
    draft,
  );
  carryPreview(spec.within('techPreview'), draft);
  refuse(spec, draft);
  for (const [, rest] of [...spec.takeRest(), ...source.takeRest()]) {
    loseUnlessEmpty(rest, 'has no counterpart here', ledger);
  }
}

/** Values of Istio's charts, which are handed through without being checked. */
function carryPreview(preview: SettingSource, draft: Draft): void {
  const keys = ['global', 'pilot', 'sidecarInjectorWebhook', 'meshConfig'];
  const values = new SettingSource(
    objectTree(Object.fromEntries(keys.map((key) => [key, preview.take(key)]))),
  );
  const namespace = String(draft.mesh.peek('metadata', 'namespace'));
  carryChartValues(values, draft, { namespace, revision: '' });
  for (const [, rest] of preview.takeRest()) loseUnlessEmpty(rest, 'is not known here', draft.ledger);
}

/** Maistra has its own versions, and all of them are of an Istio before those that are supported. */
function loseVersion(spec: SettingSource, { ledger }: Draft): void {
  const newest = istioVersions[0].patch;
  ledger.lose(
    spec.take('version'),
    `is not supported: it is of an Istio before ${supportedVersionsText()}; the mesh gets ${newest}, so move workloads by a revision of its own`,
  );
}

function noteMode(document: number, { ledger }: Draft): void {
  const reason = refusals.find(({ path }) => path === 'mode')?.reason ?? '';
  ledger.notes.push({
    document,
    path: ['spec', 'mode'],
    reason: `is MultiTenant when it is not set, which ${reason}`,
  });
}

function carryMove(
  tree: SettingTree | undefined,
  to: Path,
  change: Change | undefined,
  { mesh, ledger }: Draft,
): void {
  if (tree === undefined) return;
  if (change === undefined) {
    mesh.carry(to, tree);
    return;
  }
  const value = isEmptyTree(tree) ? undefined : change(jsonOf(tree));
  if (value === undefined) loseUnlessEmpty(tree, `has a value that ${pathText(to)} cannot have`, ledger);
  else mesh.give(to, value, settingsOf(tree));
}

/** An authority that proxies ask instead of istiod. */
function carryAuthority(spec: SettingSource, { mesh }: Draft): void {
  const place = ['security', 'certificateAuthority'];
  const types: Readonly<Record<string, string>> = { Custom: 'custom', 'cert-manager': 'cert-manager' };
  const block = types[String(spec.peek(...place, 'type'))];
  if (block === undefined || spec.peekText(...place, block, 'address') === undefined) return;
  const type = spec.take(...place, 'type');
  mesh.give(
    ['spec', 'certificateAuthority', 'provider'],
    'External',
    type === undefined ? [] : settingsOf(type),
  );
  mesh.carry(['spec', 'certificateAuthority', 'external', 'address'], spec.take(...place, block, 'address'));
}

/** Switches of blocks that are off. */
const switches = [
  'proxy.accessLogging.envoyService',
  'proxy.envoyMetricsService',
  'addons.kiali',
  'addons.grafana',
  'addons.prometheus',
  'addons.3scale',
  'addons.stackdriver',
  'addons.jaeger',
];

function presetWhatIsOff(spec: SettingSource, { ledger }: Draft): void {
  for (const path of switches) {
    const place = path.split('.');
    if (spec.peek(...place, 'enabled') === false) ledger.preset(spec.take(...place), 'is turned off');
  }
  ledger.preset(spec.take('proxy', 'envoyMetricsService', 'enabled'), 'is the case with an address');
}

function refuse(spec: SettingSource, { ledger }: Draft): void {
  for (const { path, usual = [], reason } of refusals) {
    const tree = spec.take(...path.split('.'));
    if (tree === undefined) continue;
    const isUsual = usual.some((value) => stableJson(value) === stableJson(jsonOf(tree)));
    if (isUsual) ledger.preset(tree, 'is the case anyway');
    else loseUnlessEmpty(tree, reason, ledger);
  }
}

/** Gateways that every mesh of Maistra has unless they are turned off, and further ones by name. */
const gatewayLists = [
  { own: 'ingress', further: 'additionalIngress', list: 'ingressGateways', usual: 'istio-ingressgateway' },
  { own: 'egress', further: 'additionalEgress', list: 'egressGateways', usual: 'istio-egressgateway' },
] as const;

function carryGateways(document: number, spec: SettingSource, draft: Draft): void {
  const { mesh, ledger } = draft;
  const gateways = spec.within('gateways');
  const areOff = gateways.peek('enabled') === false;
  ledger.preset(gateways.take('enabled'), areOff ? 'is said by the lists of gateways' : 'is the case anyway');
  for (const { own, further, list, usual } of gatewayLists) {
    const place = ['spec', 'components', list];
    const tree = gateways.take(own);
    const named = fieldsOf(gateways.take(further), ledger);
    if (areOff) {
      for (const part of [tree, ...named.map(([, part]) => part)]) ledger.preset(part, 'is turned off');
      if (hasField(place)) mesh.give(place, []);
      continue;
    }
    if (tree === undefined && !hasField(place)) {
      const reason = `is there when it is not set: ${usual} is not carried, since spec.components.${list} is not supported by this version of the operator`;
      ledger.notes.push({ document, path: ['spec', 'gateways', own], reason });
    }
    const items = [
      ...(tree === undefined && !hasField(place) ? [] : [maistraGateway(usual, tree, draft)]),
      ...named.map(([name, part]) => maistraGateway(name, part, draft)),
    ];
    mesh.append(place, items);
  }
  for (const [field, rest] of gateways.takeRest()) spec.put(['gateways', field], rest);
}
