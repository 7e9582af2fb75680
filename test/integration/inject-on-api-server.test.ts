import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { messageOf } from '../../src/base/errors.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../src/injection/injection-input.ts';
import { PodRejectedError } from '../../src/injection/pod-rejected-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { injectScenarioNames, readInjectScenario } from '../golden/inject-scenario.ts';
import { applyPatch } from '../support/apply-patch.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, testClient, uniqueName } from '../support/test-client.ts';

const levels = ['privileged', 'baseline', 'restricted'] as const;

type Level = (typeof levels)[number];

/** The strictest level of pod security that admits a scenario's pod; others need rights to capture traffic. */
const levelRules: readonly (readonly [scenario: RegExp, level: Level])[] = [
  [/^cni-restricted$/, 'restricted'],
  [
    /^(cni|multus|user-proxy-cni|pod-init-containers-cni|template-gateway|template-grpc|interception-mode-none)/,
    'baseline',
  ],
];

/** Pods that this API server refuses with or without a sidecar, and its words. */
const refused: Readonly<Record<string, RegExp>> = {
  'pod-unknown-fields': /futureField/,
};

describe('injected pods, on a real API server with pod security', () => {
  let close: () => Promise<void>;
  let client: KubeClient;
  const namespaces = {} as Record<Level, string>;

  beforeAll(async () => {
    const { kubeconfigPath } = await sharedCluster('none');
    const opened = testClient(kubeconfigPath);
    client = opened.client;
    close = () => opened.connection.close();
    for (const level of levels) {
      const name = uniqueName(`inject-${level}`);
      const labels = { 'pod-security.kubernetes.io/enforce': level };
      await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      await create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: name },
      });
      namespaces[level] = name;
    }
  });

  afterAll(async () => {
    await close?.();
  });

  it('are accepted at the level of pod security that they are made for', async () => {
    const unexpected: string[] = [];
    let accepted = 0;
    for (const name of await injectScenarioNames()) {
      const { input } = await readInjectScenario(name);
      const pod = injected(input);
      if (pod === undefined) continue;
      const answer = await dryRun(pod, namespaces[levelOf(name)]);
      if (answer === 'accepted') accepted += 1;
      if (!(refused[name] ?? /^accepted$/).test(answer)) unexpected.push(`${name}: ${answer}`);
    }

    expect(unexpected).toEqual([]);
    expect(accepted).toBeGreaterThan(100);
  });

  async function dryRun(pod: KubernetesObject, namespace: string): Promise<string> {
    const {
      generateName: _generateName,
      ownerReferences: _owners,
      ...metadata
    } = pod.metadata as never as Record<string, unknown>;
    try {
      const object = { ...pod, metadata: { ...metadata, name: 'hello', namespace } };
      await client.apply(object, { fieldManager: 'test', dryRun: true }, never);
      return 'accepted';
    } catch (error) {
      return messageOf(error);
    }
  }

  async function create(object: KubernetesObject): Promise<void> {
    await client.create(object, { fieldManager: 'test' }, never);
  }
});

function levelOf(scenario: string): Level {
  return levelRules.find(([rule]) => rule.test(scenario))?.[1] ?? 'privileged';
}

function injected(input: InjectionInput): KubernetesObject | undefined {
  try {
    const outcome = injectPod(input);
    return outcome.kind === 'inject' ? (applyPatch(input.pod, outcome.patch) as KubernetesObject) : undefined;
  } catch (error) {
    if (error instanceof PodRejectedError) return undefined;
    throw error;
  }
}
