import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { IstiodReplicas } from '../../../../src/controllers/remotes/istiod-replicas.ts';
import type { PodExec } from '../../../../src/kube/pod-exec.ts';
import { settlePromises } from '../../../support/fake-clock.ts';

const namespace = 'istio-system';
const pod: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'istiod-1', namespace, uid: 'u1', labels: { app: 'istiod' } },
  status: { phase: 'Running' },
};

/** An istiod that has counted as many Secrets as questions have begun, and is slow. */
function aSlowIstiod() {
  const ends: (() => void)[] = [];
  let begun = 0;
  const exec: Pick<PodExec, 'run'> = {
    run: (_target, command, signal) => {
      if (command.at(-1) !== '/metrics') return Promise.resolve('[]');
      begun += 1;
      const answer = `remote_cluster_secret_events_total{event="add"} ${begun}\n`;
      return new Promise((resolve, reject) => {
        ends.push(() => resolve(answer));
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    },
  };
  return { replicas: new IstiodReplicas({ exec, podsIn: () => [pod] }), ends, begun: () => begun };
}

const counted = async (answers: ReturnType<IstiodReplicas['observe']>) => (await answers)[0]?.secretEvents;

test('who asks while replicas are being asked shares the answers that come next, and never those of before', async () => {
  const { replicas, ends, begun } = aSlowIstiod();
  const { signal } = new AbortController();
  const first = replicas.observe(namespace, signal);
  await settlePromises();
  const later = [1, 2, 3].map(() => replicas.observe(namespace, signal));
  await settlePromises();
  expect(begun()).toBe(1);
  ends[0]?.();
  expect(await counted(first)).toBe(1);
  await settlePromises();
  expect(begun()).toBe(2);
  ends[1]?.();
  expect(await Promise.all(later.map(counted))).toEqual([2, 2, 2]);
  void replicas.observe(namespace, signal);
  await settlePromises();
  expect(begun()).toBe(3);
});

test('when who asks is stopped, replicas are asked again for the others', async () => {
  const { replicas, ends, begun } = aSlowIstiod();
  const stopped = new AbortController();
  const { signal } = new AbortController();
  const first = replicas.observe(namespace, stopped.signal);
  const other = replicas.observe(namespace, signal);
  await settlePromises();
  stopped.abort(new Error('stopped'));
  await expect(first).rejects.toThrow('stopped');
  await settlePromises();
  expect(begun()).toBe(2);
  ends[1]?.();
  expect(await counted(other)).toBe(2);
});
