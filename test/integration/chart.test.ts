import { resolve } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { dump } from 'js-yaml';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { TrustMetrics } from '../../src/observability/trust-metrics.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { templateChart } from '../support/operator-access.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const chart = resolve(import.meta.dirname, '../../charts/mesh-operator');

/** Every value of the chart, each other than its default. */
const everyValue = {
  image: { repository: 'registry.example.com/mesh-operator', tag: 'v9', pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'pull' }],
  replicaCount: 3,
  logLevel: 'debug',
  workers: 3,
  serviceAccount: { name: 'another', annotations: { role: 'arn' } },
  podAnnotations: { 'example.com/note': 'a' },
  podLabels: { 'example.com/team': 'b' },
  resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'system-cluster-critical',
  podDisruptionBudget: { enabled: false },
  monitoring: { prometheusRule: { enabled: true, labels: { release: 'prometheus' } } },
};

/** Values that the schema refuses, with what Helm says of them. */
const badValues = [
  { flag: 'replicas=2', says: /replicas/ },
  { flag: 'replicaCount=0', says: /replicaCount/ },
  { flag: 'replicaCount=two', says: /replicaCount/ },
  { flag: 'logLevel=verbose', says: /logLevel/ },
  { flag: 'workers=1000', says: /workers/ },
  { flag: 'image.pullPolicy=Sometimes', says: /pullPolicy/ },
  { flag: 'image.repository=', says: /repository/ },
  { flag: 'serviceAccount.create=true', says: /create/ },
];

describe('the chart of the operator', () => {
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
      // The API server does not know the kinds of the Prometheus operator.
      const known = objects.filter(({ kind }) => kind !== 'PrometheusRule');
      const manifest = known.map((object) => dump(object)).join('---\n');
      await cluster.apply(manifest);
    }
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
      priorityClassName: everyValue.priorityClassName,
    });
    expect(template.metadata).toMatchObject({
      labels: everyValue.podLabels,
      annotations: everyValue.podAnnotations,
    });
    expect(template.spec.containers[0]).toMatchObject({
      image: 'registry.example.com/mesh-operator:v9',
      imagePullPolicy: 'Always',
      args: expect.arrayContaining(['--log-level=debug', '--workers=3']),
      resources: everyValue.resources,
    });
  });

  test('protects two replicas from disruption, and one not, since that would block every drain', async () => {
    const kindsOf = async (...flags: string[]) => (await templateChart(...flags)).map(({ kind }) => kind);

    expect(await kindsOf()).toContain('PodDisruptionBudget');
    expect(await kindsOf('--set', 'replicaCount=1')).not.toContain('PodDisruptionBudget');
  });

  test('alerts when it is asked to, on metrics that the operator has', async () => {
    const rule = alertRuleOf(await templateEveryValue());
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    const metrics = new Registry();
    new TrustMetrics(metrics);
    const known = new Set(metrics.getMetricsAsArray().map(({ name }) => name));

    expect(alertRuleOf(await templateChart())).toBeUndefined();
    expect(rule?.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(rules.map(({ alert, for: patience, labels }) => [alert, patience, labels.severity])).toEqual([
      ['MeshAuthorityEndsSoon', '15m', 'warning'],
      ['MeshAuthorityEndsVerySoon', undefined, 'critical'],
      ['MeshRotationBlocked', '15m', 'warning'],
      ['MeshRotationStuck', '1d', 'warning'],
    ]);
    const used = rules.flatMap(({ expr }) => expr.match(/mesh_operator_\w+/g) ?? []);
    expect(used.length).toBeGreaterThanOrEqual(rules.length);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect(rules.map(({ expr }) => expr).filter((expr) => !isPromql(expr))).toEqual([]);
    expect(rules[0]?.annotations.summary).toContain('mesh {{ $labels.mesh }}');
  });

  test('runs the operator without root and without a writable file system', async () => {
    const { template } = deploymentOf(await templateChart()).spec;

    expect(template.spec).toMatchObject({ securityContext: { runAsNonRoot: true } });
    expect(template.spec.containers[0]).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
    });
  });

  test.each(badValues)('refuses $flag', async ({ flag, says }) => {
    await expect(templateChart('--set', flag)).rejects.toThrow(says);
  });
});

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly metadata: object;
      readonly spec: { readonly containers: readonly object[] };
    };
  };
}

interface AlertRule extends KubernetesObject {
  readonly spec: { readonly groups: readonly { readonly rules: readonly Alert[] }[] };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
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

/** Whether Prometheus' own grammar reads an expression. */
function isPromql(expr: string): boolean {
  let isWhole = true;
  parser.parse(expr).iterate({
    enter: ({ type }) => {
      if (type.isError) isWhole = false;
    },
  });
  return isWhole;
}
