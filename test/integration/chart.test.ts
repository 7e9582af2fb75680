import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dump } from 'js-yaml';
import { beforeAll, describe, expect, test } from 'vitest';
import { authorAnnotation } from '../../src/api/author.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { templateChart } from '../support/operator-access.ts';
import { isPromql, namesIn } from '../support/promql.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const chart = resolve(import.meta.dirname, '../../charts/mesh-operator');

/** Every value of the chart, each other than its default. */
const everyValue = {
  image: {
    ...{ repository: 'registry.example.com/mesh-operator', tag: 'v9', pullPolicy: 'Always' },
    digest: `sha256:${'1'.repeat(64)}`,
  },
  imagePullSecrets: [{ name: 'pull' }],
  operator: { enabled: true },
  kubeconfig: { secretName: '', key: 'config', namespace: 'elsewhere' },
  replicaCount: 3,
  logLevel: 'debug',
  workers: 3,
  removalDeadline: '90s',
  serviceAccount: { name: 'another', annotations: { role: 'arn' } },
  admission: { enabled: true, failurePolicy: 'Ignore' },
  podAnnotations: { 'example.com/note': 'a' },
  podLabels: { 'example.com/team': 'b' },
  resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }],
  priorityClassName: 'system-cluster-critical',
  podDisruptionBudget: { enabled: false },
  networkPolicy: { enabled: true, apiServerPorts: [16443], prometheusPorts: [9090], remotePorts: [7443] },
  monitoring: {
    serviceMonitor: { enabled: true, interval: '15s', labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
  },
};

/** Values that the schema refuses, with what Helm says of them. */
const badValues = [
  { flag: 'replicas=2', says: /replicas/ },
  { flag: 'replicaCount=0', says: /replicaCount/ },
  { flag: 'replicaCount=two', says: /replicaCount/ },
  { flag: 'logLevel=verbose', says: /logLevel/ },
  { flag: 'workers=1000', says: /workers/ },
  { flag: 'removalDeadline=soon', says: /removalDeadline/ },
  { flag: 'image.pullPolicy=Sometimes', says: /pullPolicy/ },
  { flag: 'image.repository=', says: /repository/ },
  { flag: 'image.digest=sha256:12', says: /digest/ },
  { flag: 'networkPolicy.apiServerPorts={}', says: /apiServerPorts/ },
  { flag: 'monitoring.serviceMonitor.interval=often', says: /interval/ },
  { flag: 'serviceAccount.create=true', says: /create/ },
  { flag: 'admission.failurePolicy=Sometimes', says: /failurePolicy/ },
  { flag: 'operator.enabled=false', says: /set admission.enabled=false/ },
  { flag: 'kubeconfig.secretName=west', says: /set admission.enabled=false/ },
  {
    flag: 'admission.enabled=false,operator.enabled=false,kubeconfig.secretName=west',
    says: /give one of them/,
  },
];

describe('the chart of the operator', () => {
  beforeAll(async () => {
    await sharedCluster(); // its start takes longer than a test may
  });

  test('passes helm lint without a warning', async () => {
    const report = await run(await ensureTool('helm'), ['lint', '--strict', chart]);

    expect(report).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(report).not.toContain('[WARNING]');
  });

  test('makes objects that the API server takes, by default and with every value set', async () => {
    const cluster = await sharedCluster();
    await cluster.apply(
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } }),
    );

    for (const objects of [await templateChart(), await templateEveryValue()]) {
      // The API server does not know the kinds of the Prometheus operator, and a test is no part of a release.
      const known = objects.filter(
        ({ apiVersion, metadata }) =>
          apiVersion !== 'monitoring.coreos.com/v1' && metadata.annotations?.['helm.sh/hook'] === undefined,
      );
      const manifest = known.map((object) => dump(object)).join('---\n');
      await cluster.apply(manifest);
    }
    // Nobody answers them here, and other tests make MeshOperators.
    const kinds = 'validatingwebhookconfigurations,mutatingwebhookconfigurations';
    await cluster.kubectl('delete', kinds, `mesh-operator-${operatorNamespace}`);
  });

  test('asks for what the values say', async () => {
    const { spec } = deploymentOf(await templateEveryValue());
    const { template } = spec;

    expect(spec.replicas).toBe(3);
    expect(template.spec).toMatchObject({
      serviceAccountName: 'another',
      nodeSelector: everyValue.nodeSelector,
      tolerations: everyValue.tolerations,
      affinity: everyValue.affinity,
      topologySpreadConstraints: everyValue.topologySpreadConstraints,
      priorityClassName: everyValue.priorityClassName,
    });
    expect(template.metadata).toMatchObject({
      labels: everyValue.podLabels,
      annotations: everyValue.podAnnotations,
    });
    expect(template.spec.containers[0]).toMatchObject({
      image: `registry.example.com/mesh-operator@${everyValue.image.digest}`,
      imagePullPolicy: 'Always',
      args: expect.arrayContaining(['--log-level=debug', '--workers=3', '--removal-deadline=90s']),
      resources: everyValue.resources,
    });
  });

  test('asks the webhooks about specs and their authors, and neither about deletion nor about the operator', async () => {
    const webhooksOf = async (...flags: string[]) =>
      (await templateChart(...flags)).flatMap(({ webhooks }) => (webhooks ?? []) as Webhook[]);
    const webhooks = await webhooksOf();

    expect(webhooks.map(({ failurePolicy }) => failurePolicy)).toEqual(['Fail', 'Fail']);
    for (const { rules, matchConditions } of webhooks) {
      expect(rules).toEqual([
        expect.objectContaining({ resources: ['meshoperators'], operations: ['CREATE', 'UPDATE'] }),
      ]);
      expect(matchConditions.map(({ expression }) => expression)).toEqual([
        '!has(object.metadata.deletionTimestamp)',
        `request.userInfo.username != "system:serviceaccount:${operatorNamespace}:mesh-operator"`,
        expect.stringContaining(authorAnnotation),
      ]);
    }
    expect(await webhooksOf('--set', 'admission.enabled=false')).toEqual([]);
  });

  test('lets whoever is admin of a namespace have meshes there, as long as their rights are asked for', async () => {
    const labelsOf = async (...flags: string[]) => {
      const roles = (await templateChart(...flags)).filter(({ kind }) => kind === 'ClusterRole');
      return Object.fromEntries(roles.map(({ metadata }) => [metadata.name, metadata.labels]));
    };
    const toAdmin = 'rbac.authorization.k8s.io/aggregate-to-admin';

    expect((await labelsOf())['meshoperators-admin']).toMatchObject({ [toAdmin]: 'true' });
    expect((await labelsOf())['meshoperators-clusterscope']).not.toHaveProperty([toAdmin]);
    const unasked = await labelsOf('--set', 'admission.enabled=false');
    expect(unasked['meshoperators-admin']).toBeDefined();
    expect(unasked['meshoperators-admin']).not.toHaveProperty([toAdmin]);
  });

  test('protects two replicas from disruption, and one not, since that would block every drain', async () => {
    const kindsOf = async (...flags: string[]) => (await templateChart(...flags)).map(({ kind }) => kind);

    expect(await kindsOf()).toContain('PodDisruptionBudget');
    expect(await kindsOf('--set', 'replicaCount=1')).not.toContain('PodDisruptionBudget');
  });

  test('is in two parts where an operator works for another cluster: rights there, and all else here', async () => {
    const kindsOf = async (...flags: string[]) => {
      const objects = await templateChart('--set', 'admission.enabled=false', ...flags);
      return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    };
    const there = await kindsOf('--set', 'operator.enabled=false');
    const here = await kindsOf('--set', 'kubeconfig.secretName=west');

    const account = 'ServiceAccount mesh-operator';
    expect([...there, ...here].sort()).toEqual([...(await kindsOf()), account].sort());
    expect(there.filter((name) => here.includes(name))).toEqual([account]);
    expect(here).toContain('Deployment mesh-operator');
  });

  test('names the image by its tag, by its digest where there is one, and to injectors the same', async () => {
    const byTag = deploymentOf(await templateChart('--set', 'image.tag=v9'));
    const byDigest = deploymentOf(await templateEveryValue());

    for (const { spec } of [byTag, byDigest]) {
      const [container] = spec.template.spec.containers;
      expect(container?.env.find(({ name }) => name === 'MESH_OPERATOR_IMAGE')?.value).toBe(container?.image);
    }
    expect(byTag.spec.template.spec.containers[0]?.image).toMatch(/^ghcr\.io\/.*:v9$/);
  });

  test('spreads its replicas over nodes and zones unless the values say how', async () => {
    const { template } = deploymentOf(await templateChart()).spec;
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: expect.anything() };

    expect(template.spec).toMatchObject({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
        },
      },
      topologySpreadConstraints: [
        { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
    });
  });

  test('has the operator reach API servers and the Prometheus of meshes alone, where a NetworkPolicy is asked for', async () => {
    const policyOf = (objects: readonly KubernetesObject[]) =>
      objects.find(({ kind }) => kind === 'NetworkPolicy')?.spec;
    const { matchLabels } = deploymentOf(await templateChart()).spec.selector;

    expect(policyOf(await templateChart())).toBeUndefined();
    expect(policyOf(await templateEveryValue())).toEqual({
      podSelector: { matchLabels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          ports: [
            { port: 'metrics', protocol: 'TCP' },
            { port: 'health', protocol: 'TCP' },
            { port: 'admission', protocol: 'TCP' },
          ],
        },
      ],
      egress: [
        { ports: [{ port: 16443, protocol: 'TCP' }] },
        {
          ports: [
            { port: 9090, protocol: 'TCP' },
            { port: 7443, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
      ],
    });
  });

  test('has its metrics read by a ServiceMonitor that selects its Service, when it is asked to', async () => {
    const objects = await templateEveryValue();
    const service = objects.find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'mesh-operator',
    );
    const monitor = objects.find(({ kind }) => kind === 'ServiceMonitor');

    expect((await templateChart()).map(({ kind }) => kind)).not.toContain('ServiceMonitor');
    expect(monitor?.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(monitor?.spec).toMatchObject({
      endpoints: [{ port: 'http-metrics', interval: '15s', honorLabels: true }],
    });
    const { matchLabels } = deploymentOf(objects).spec.selector;
    expect(monitor?.spec).toMatchObject({ selector: { matchLabels } });
    expect(service?.metadata.labels).toMatchObject(matchLabels);
    expect(service?.spec).toMatchObject({ ports: [{ name: 'http-metrics' }] });
  });

  test('alerts when it is asked to, on metrics that the operator has', async () => {
    const rule = alertRuleOf(await templateEveryValue());
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    const metrics = new Metrics().registry.getMetricsAsArray();
    const known = new Set(metrics.map(({ name }) => name));

    expect(alertRuleOf(await templateChart())).toBeUndefined();
    expect(rule?.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(rules.map(({ alert, for: patience, labels }) => [alert, patience, labels.severity])).toEqual([
      ['MeshAuthorityEndsSoon', '15m', 'warning'],
      ['MeshAuthorityEndsVerySoon', undefined, 'critical'],
      ['MeshRotationBlocked', '15m', 'warning'],
      ['MeshRotationStuck', '1d', 'warning'],
      ['MeshOperatorNoLeader', '5m', 'critical'],
      ['MeshOperatorReconcileErrors', '30m', 'warning'],
      ['MeshOperatorWebhookCertificateEndsSoon', '15m', 'warning'],
      ['MeshInjectorNotReached', '10m', 'critical'],
      ['MeshInjectorCertificateEndsSoon', '15m', 'warning'],
      ['MeshPodsWithoutSidecar', '30m', 'warning'],
    ]);
    for (const { alert, expr, annotations } of rules) {
      const used = namesIn(expr, 'Identifier');
      expect(used.length, alert).toBeGreaterThan(0);
      expect(used.filter((name) => !known.has(name))).toEqual([]);
      expect(namesIn(expr, 'LabelName').filter((name) => !labelsOf(metrics).has(name))).toEqual([]);
      expect(isPromql(expr), alert).toBe(true);
      expect(annotations.description, alert).not.toBe('');
    }
    expect(rules[0]?.annotations.summary).toContain('mesh {{ $labels.mesh }}');
  });

  test('is tried above with every value that it has', async () => {
    const schema: unknown = JSON.parse(await readFile(resolve(chart, 'values.schema.json'), 'utf8'));

    // Values of a parent chart are not ours to set.
    const known = valuePaths(schema).filter((path) => path !== 'global');
    const isSet = (path: string) =>
      path
        .split('.')
        .reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], everyValue) !==
      undefined;
    expect(known.length).toBeGreaterThan(20);
    expect(known.filter((path) => !isSet(path))).toEqual([]);
  });

  test('runs the operator without root and without a writable file system', async () => {
    const { template } = deploymentOf(await templateChart()).spec;

    expect(template.spec).toMatchObject({ securityContext: { runAsNonRoot: true } });
    expect(template.spec.containers[0]).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
    });
  });

  test('lets an operator live that answers late for less than a minute, as on a busy node', async () => {
    const { containers } = deploymentOf(await templateChart()).spec.template.spec;

    const { periodSeconds, timeoutSeconds, failureThreshold = 3 } = containers[0]?.livenessProbe ?? {};
    expect(timeoutSeconds).toBe(10);
    expect((periodSeconds ?? 0) * failureThreshold).toBeGreaterThanOrEqual(60);
  });

  test.each(badValues)('refuses $flag', async ({ flag, says }) => {
    await expect(templateChart('--set', flag)).rejects.toThrow(says);
  });
});

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: object;
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

interface Container {
  readonly image: string;
  readonly livenessProbe?: Readonly<
    Partial<Record<'periodSeconds' | 'timeoutSeconds' | 'failureThreshold', number>>
  >;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

interface Webhook {
  readonly failurePolicy: string;
  readonly rules: readonly object[];
  readonly matchConditions: readonly { readonly expression: string }[];
}

interface AlertRule extends KubernetesObject {
  readonly spec: { readonly groups: readonly { readonly rules: readonly Alert[] }[] };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

function alertRuleOf(objects: readonly KubernetesObject[]): AlertRule | undefined {
  return objects.find(({ kind }) => kind === 'PrometheusRule') as AlertRule | undefined;
}

function deploymentOf(objects: readonly KubernetesObject[]): Deployment {
  return objects.find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
}

function templateEveryValue(): Promise<KubernetesObject[]> {
  const flags = Object.entries(everyValue).flatMap(([name, value]) => [
    '--set-json',
    `${name}=${JSON.stringify(value)}`,
  ]);
  return templateChart(...flags);
}

/** The values that a schema has, as `--set` names them. */
function valuePaths(schema: unknown, path = ''): string[] {
  const { properties } = schema as { properties?: Record<string, unknown> };
  if (properties === undefined) return [path];
  return Object.entries(properties).flatMap(([name, below]) =>
    valuePaths(below, path === '' ? name : `${path}.${name}`),
  );
}

/** Labels of figures, and those that Prometheus gives to what it reads. */
function labelsOf(metrics: readonly object[]): ReadonlySet<string> {
  const own = metrics.flatMap((metric) => ('labelNames' in metric ? (metric.labelNames as string[]) : []));
  return new Set([...own, 'exported_namespace', 'job', 'instance']);
}
