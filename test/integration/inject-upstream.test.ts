import { load, loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeJson } from '../../src/api/merge-json.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { type IstioVersion, istioVersions } from '../../src/api/versions.ts';
import { stableJson } from '../../src/base/stable-json.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../src/injection/injection-input.ts';
import type { Pod } from '../../src/injection/pod.ts';
import { PodRejectedError } from '../../src/injection/pod-rejected-error.ts';
import { mapPods } from '../../src/injection/workload-manifest.ts';
import { injectScenarioNames, readInjectScenario } from '../golden/inject-scenario.ts';
import { applyPatch } from '../support/apply-patch.ts';
import { anInput } from '../support/injection-input.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { factDifferences } from '../support/object-facts.ts';
import { podFacts } from '../support/pod-facts.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { asStored } from '../support/stored-pod.ts';
import { ownNamespace, testClient } from '../support/test-client.ts';
import { openUpstreamCharts, type UpstreamCharts } from '../support/upstream-charts.ts';
import { UpstreamInjector } from '../support/upstream-injector.ts';

/** An intended difference to istiod's injector. Every row must explain something, or it is stale. */
interface Difference {
  /** Matches the name of the scenario. */
  readonly scenario: RegExp;
  /** Matches `path: theirs -> ours`. */
  readonly fact: RegExp;
  readonly reason: string;
  /** Minors of Istio in which it is so; all of them when it is left out. */
  readonly minors?: readonly string[];
}

/** In Istio's own source. */
const istiosTests = 'pkg/kube/inject/testdata/inject';

/** Scenarios that istiod cannot be asked about, and why. */
const ourOwn: Readonly<Record<string, string>> = {
  'template-custom': 'our custom templates are written in another language',
  'template-alias': 'our custom templates are written in another language',
  'text-cannot-become-structure': 'our custom templates are written in another language',
  'mesh-1-30': 'the istiod here is 1.31',
  'mesh-native-never': 'an environment variable of istiod, which reads it when it starts',
  'mesh-compliance': 'an environment variable of istiod, which reads it when it starts',
  'mesh-revision': 'istiod has one revision, and this one the default',
  'select-revision-tag': 'istiod has one revision, and this one the default',
  'select-revision-of-pod': 'istiod has one revision, and this one the default',
  'skip-other-tenant': 'istiod knows no tenants',
  'namespace-proxy-defaults': 'istiod has one default for all namespaces',
};

/** Scenarios whose mesh a minor does not know, by minor, and why. */
const laterThan: Readonly<Record<string, readonly string[]>> = {
  // serviceAttributeEnrichment of an OpenTelemetry provider
  '1.29': ['opentelemetry', 'opentelemetry-inferred'],
};

/** What programs before 1.31 do otherwise than the one here; which one has it, its source says. */
const sinceProgramOf131 = {
  'pkg/kube/inject/webhook.go': ['prometheus_istio_io_scrape_targets', 'applySecurePrometheusAnnotation'],
  'pkg/kube/inject/inject.go': ['ProxyInitImage'],
};
const before131 = ['1.30', '1.29'];

const drainPort: Difference = {
  scenario: /^(status-port|status_annotations|mesh-traffic)/,
  fact: /lifecycle\.preStop\.exec\.command: .*--debug-port=(15999|123|0)".* -> .*--debug-port=15020"/,
  reason: 'the agent answers drain requests at its own ports only, so the hook would fail and nothing drain',
};

const proxyAlone: Difference = {
  scenario: /^(user-proxy-alone$|only-proxy-container\.yaml )/,
  fact: /^(metadata\.annotations\.(sidecar\.istio\.io\/status|proxy\.istio\.io\/overrides)|spec\.(initContainers|containers))/,
  reason: 'a pod needs one ordinary container, or the API server refuses it, so the proxy stays where it is',
};

const grpcBootstrap: Difference = {
  scenario: /^(template-grpc-simple$|grpc-simple\.yaml )/,
  fact: /\[grpc-bootstrap-init\]\.(command: |env\[ISTIO_NAMESPACE\])/,
  reason: 'a command of our own that writes the same document, without a line break in a name',
};

const differences: readonly Difference[] = [
  {
    scenario: /^skip-(namespace-opted-out|not-selected|other-revision|ambient-namespace)$/,
    fact: /^decision: inject -> skip$/,
    reason:
      'istiod leaves namespaces to the selectors of its webhook; we look at them, too, so that we can explain',
  },
  {
    scenario: /^skip-windows-/,
    fact: /^decision: inject -> skip$/,
    reason: 'there is no sidecar for Windows: the pod would never start',
  },
  {
    scenario: /^proxy-config-bad$/,
    fact: /^decision: inject -> reject$/,
    reason: 'a misspelled field is named instead of ignored',
  },
  {
    scenario: /^overrides-bad$/,
    fact: /^decision: inject -> reject$/,
    reason: 'a container without a name is refused here, not later by the API server',
  },
  drainPort,
  proxyAlone,
  grpcBootstrap,
  {
    scenario: /^spire(-driver|-template|-socket-of-user)?$/,
    fact: /^(spec\.containers( in order|\[istio-proxy\])|metadata\.annotations\.sidecar\.istio\.io\/status:\.containers).* -> (app|nothing)$/,
    reason:
      'beside a native sidecar, Istio’s template leaves a second container of its name without an image',
  },
  {
    scenario: /^spire(-driver|-template|-socket-of-user)?$/,
    fact: /^spec\.initContainers\[istio-proxy\]\.volumeMounts\[\/var\/run\/secrets\/workload-spiffe-uds\]\.readOnly: nothing -> true$/,
    reason: 'for the same reason the mount of the native sidecar is the one that it is without SPIRE',
  },
  {
    scenario: /^spire-socket-of-user$/,
    fact: /^spec\.volumes\[workload-socket\]\.hostPath\..* -> nothing$/,
    reason: 'a volume of two kinds is refused by the API server',
  },
  {
    scenario: /^spire-template-alone$/,
    fact: /^decision: inject -> reject$/,
    reason: 'a container without an image is refused here, not later by the API server',
  },
  {
    scenario: /^mesh-identity$/,
    fact: /^spec\.volumes\[istio-ca-crl\]\.configMap\.name: "istio-ca-crl" -> "revoked"$/,
    reason: 'the chart does not hand pilot.crlConfigMapName to its injector, so that it has no effect there',
  },
  {
    scenario: /^datadog$/,
    fact: /\[PROXY_CONFIG\]\.value:\.tracing\.datadog\.address: .* -> nothing$/,
    reason: 'the chart makes mesh configuration of the value; here tracing is set in meshConfig',
  },
];

const differencesOfPrograms: readonly Difference[] = [
  {
    scenario: /^prometheus-(bad|named)-port$/,
    fact: /^decision: reject -> inject$/,
    reason: 'programs before 1.31 take any port of Prometheus annotations',
    minors: before131,
  },
  {
    scenario: /^prometheus-targets$/,
    fact: /env\[ISTIO_PROMETHEUS_ANNOTATIONS\].* -> nothing$/,
    reason: 'programs before 1.31 know no scrape targets',
    minors: before131,
  },
  {
    scenario: /^prometheus-secure-port$/,
    fact: /^metadata\.annotations\.prometheus\.istio\.io\/secure-port: .* -> nothing$/,
    reason: 'programs before 1.31 announce no secure port, and their agents have none',
    minors: before131,
  },
];

const differencesInIstiosTests: readonly Difference[] = [
  drainPort,
  proxyAlone,
  grpcBootstrap,
  {
    scenario: /^merge-probers\.yaml /,
    fact: /^spec\.initContainers\[istio-proxy\]\.(?!env\[ISTIO_KUBE_APP_PROBERS\])/,
    reason:
      'a classic sidecar of an earlier injection is replaced by a native one; istiod takes it for one of the author and keeps its image, arguments and environment',
  },
];

/**
 * Injection by the templates of a minor. The program is the newest one, so that what older ones compute otherwise, apart
 * from their templates, is a row.
 */
describe.each(istioVersions)('injection against the templates of Istio $minor', (version) => {
  let upstream: UpstreamInjector;
  let charts: UpstreamCharts;

  beforeAll(async () => {
    const { kubeconfigPath } = await sharedCluster('none');
    const { client, connection } = testClient(kubeconfigPath);
    const namespace = await ownNamespace(client, 'inject-upstream');
    await connection.close();
    charts = await openUpstreamCharts(version.minor);
    upstream = await UpstreamInjector.start({ kubeconfig: kubeconfigPath, namespace, charts });
  });

  afterAll(async () => {
    await upstream?.stop();
  });

  it('differs where it is meant to, and nowhere else', { timeout: 300_000 }, async () => {
    const scenarios = await injectScenarioNames();
    const found = await compareAll(upstream, charts, version);

    expect(Object.keys(ourOwn).filter((name) => !scenarios.includes(name))).toEqual([]);
    expect(judge(found, [...differences, ...differencesOfPrograms], version)).toEqual({
      unexplained: [],
      stale: [],
    });
  });

  it('differs for the manifests of Istio’s own tests where it is meant to', {
    timeout: 300_000,
  }, async () => {
    const pods = await podsOfIstiosTests(charts);
    const wanted = aMeshOperator({ version: version.minor });
    await upstream.configure(chartValues(wanted, version));
    const mesh = resolveMesh(upstream.marked(wanted));
    const found: FoundDifference[] = [];
    for (const { name, pod } of pods) {
      const input = { ...anInput({ mesh }), pod: asStored(pod) };
      found.push(...(await differencesOf(upstream, input)).map((fact) => ({ scenario: name, fact })));
    }

    expect(pods.length).toBeGreaterThan(90);
    expect(judge(found, differencesInIstiosTests, version)).toEqual({ unexplained: [], stale: [] });
  });
});

describe.each(istioVersions)('the program of Istio $minor', ({ minor }) => {
  it.each(Object.entries(sinceProgramOf131))('computes in %s what the rows say', async (file, names) => {
    const charts = await openUpstreamCharts(minor);

    const source = await charts.readFile(file);

    expect(names.filter((name) => source.includes(name))).toEqual(before131.includes(minor) ? [] : names);
  });
});

/** What no row explains, and the rows that explain nothing. */
function judge(found: readonly FoundDifference[], all: readonly Difference[], { minor }: IstioVersion) {
  const rows = all.filter(({ minors }) => minors === undefined || minors.includes(minor));
  const explains = (row: Difference, { scenario, fact }: FoundDifference) =>
    row.scenario.test(scenario) && row.fact.test(fact);
  return {
    unexplained: found
      .filter((line) => !rows.some((row) => explains(row, line)))
      .map(({ scenario, fact }) => `${scenario}: ${fact}`),
    stale: rows.filter((row) => !found.some((line) => explains(row, line))).map((row) => row.reason),
  };
}

/** Every pod in the manifests that Istio's injector is tested with, named by file and workload. */
async function podsOfIstiosTests(
  charts: UpstreamCharts,
): Promise<{ readonly name: string; readonly pod: Pod }[]> {
  const files = (await charts.listFolder(istiosTests)).filter((file) => /(?<!\.iop)\.yaml$/.test(file));
  const pods: { readonly name: string; readonly pod: Pod }[] = [];
  for (const file of files) {
    for (const document of loadAll(await charts.readFile(`${istiosTests}/${file}`))) {
      mapPods(document, ({ id, pod }) => {
        const metadata = { ...pod.metadata, name: pod.metadata.name ?? 'hello', namespace: 'apps' };
        pods.push({ name: `${file} ${id}`, pod: { ...pod, metadata } });
        return pod;
      });
    }
  }
  return pods;
}

interface FoundDifference {
  readonly scenario: string;
  readonly fact: string;
}

/** Asks both about every scenario; istiod gets new settings once for all scenarios of one mesh. */
async function compareAll(
  upstream: UpstreamInjector,
  charts: UpstreamCharts,
  version: IstioVersion,
): Promise<FoundDifference[]> {
  const spireTemplate = await charts.readFile(`${istiosTests}/spire-template.iop.yaml`);
  const byMesh = new Map<string, { readonly values: JsonObject; readonly names: string[] }>();
  const { minor } = version;
  const names = (await injectScenarioNames()).filter(
    (name) => ourOwn[name] === undefined && laterThan[minor]?.includes(name) !== true,
  );
  for (const name of names) {
    const { meshOperator } = await readInjectScenario(name);
    const values = withSpire(chartValues(meshOperator, version), meshOperator, spireTemplate);
    const key = stableJson(values);
    const group = byMesh.get(key) ?? { values, names: [] };
    group.names.push(name);
    byMesh.set(key, group);
  }
  const found: FoundDifference[] = [];
  for (const group of byMesh.values()) {
    await upstream.configure(group.values);
    for (const scenario of group.names) {
      const facts = await compare(upstream, scenario, minor);
      found.push(...facts.map((fact) => ({ scenario, fact })));
    }
  }
  return found;
}

async function compare(upstream: UpstreamInjector, scenario: string, minor: string): Promise<string[]> {
  const { input: written, meshOperator } = await readInjectScenario(scenario);
  const wanted = { ...meshOperator, spec: { ...meshOperator.spec, version: minor } };
  const input = { ...written, pod: asStored(withNativeSaid(written)) };
  return differencesOf(upstream, { ...input, mesh: resolveMesh(upstream.marked(wanted)) });
}

async function differencesOf(upstream: UpstreamInjector, input: InjectionInput): Promise<string[]> {
  const answer = await upstream.ask(input.pod, input.namespace.name);
  const theirs = answer.kind;
  const outcome = outcomeOf(input);
  if (answer.kind !== 'inject' || outcome.kind !== 'inject') {
    return theirs === outcome.kind ? [] : [`decision: ${theirs} -> ${outcome.kind}`];
  }
  return factDifferences(
    podFacts(applyPatch(input.pod, answer.patch)),
    podFacts(applyPatch(input.pod, outcome.patch)),
  );
}

/**
 * istiod asks the nodes of its cluster, whose name it takes from the values; ours has no nodes, which it takes for new
 * ones. Where that would not give the version that the scenario means, the pod says for itself what it wants.
 */
function withNativeSaid({ pod, mesh, kubernetesMinor }: InjectionInput): Pod {
  const { annotations } = pod.metadata;
  const isNative = kubernetesMinor >= 33;
  const isKnown = isNative && mesh.clusterId === 'Kubernetes';
  if (isKnown || annotations?.['sidecar.istio.io/nativeSidecar'] !== undefined) return pod;
  const asked = { ...annotations, 'sidecar.istio.io/nativeSidecar': String(isNative) };
  return { ...pod, metadata: { ...pod.metadata, annotations: asked } };
}

function outcomeOf(input: InjectionInput) {
  try {
    return injectPod(input);
  } catch (error) {
    if (error instanceof PodRejectedError) return { kind: 'reject' } as const;
    throw error;
  }
}

/** What Istio's documentation of SPIRE adds to the values: a template, which is applied to every pod. */
function withSpire(values: JsonObject, { spec = {} }: MeshOperator, template: string): JsonObject {
  const { provider, spire } = spec.certificateAuthority ?? {};
  if (provider !== 'Spire') return values;
  const text = template.replaceAll('csi.spiffe.io', spire?.csiDriver ?? 'csi.spiffe.io');
  const { spec: operatorSpec } = load(text) as { spec: { values: JsonObject } };
  const defaults = { sidecarInjectorWebhook: { defaultTemplates: ['sidecar', 'spire'] } };
  return mergeJson(values, operatorSpec.values, defaults);
}

/** The values of Istio's chart that mean the same. */
function chartValues({ spec = {} }: MeshOperator, { patch }: IstioVersion): JsonObject {
  const { values = {}, meshConfig, imagePullSecrets, sidecarInjector = {} } = spec;
  const env = Object.entries(values.pilot?.env ?? {}).map(([name, text]) => [name, text === 'true' || text]);
  const chart = {
    ...values,
    global: { hub: 'registry.istio.io/release', tag: patch, imagePullSecrets, ...values.global },
    pilot: { ...values.pilot, env: Object.fromEntries(env) },
    sidecarInjectorWebhook: { ...values.sidecarInjectorWebhook, ...sidecarInjector },
    meshConfig,
  };
  return JSON.parse(JSON.stringify(chart)) as JsonObject;
}
