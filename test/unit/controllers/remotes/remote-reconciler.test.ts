import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectKey } from '../../../../src/api/kubernetes-object.ts';
import { ResolvedMeshCache } from '../../../../src/api/resolved-mesh-cache.ts';
import { TransientError } from '../../../../src/base/errors.ts';
import type { RemoteOutcome } from '../../../../src/controllers/remotes/remote-outcome.ts';
import type { RemotePass } from '../../../../src/controllers/remotes/remote-pass.ts';
import {
  queueKeyOf,
  RemoteReconciler,
  type RemoteReconcilerDeps,
} from '../../../../src/controllers/remotes/remote-reconciler.ts';
import { Metrics } from '../../../../src/observability/metrics.ts';
import { Controller } from '../../../../src/runtime/controller.ts';
import { FakeClock, settlePromises } from '../../../support/fake-clock.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const mesh: ObjectKey = { namespace: 'istio-system', name: 'mesh' };
const of = (clusterName: string) => ({ mesh, clusterName });

/** A controller of the other clusters west and north, which `keep` and `release` answer for. */
function aController(
  keep: (pass: RemotePass) => Promise<RemoteOutcome>,
  release: () => Promise<void> = async () => {},
  names: readonly string[] = ['west', 'north'],
  around: Partial<Pick<RemoteReconcilerDeps, 'store' | 'claiming'>> = {},
) {
  const clock = new FakeClock();
  const object = aMeshOperator({
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east' },
      remotes: names.map((clusterName) => ({ clusterName, kubeconfig: { secretName: clusterName } })),
    },
  }) as unknown as KubernetesObject;
  const statements: ObjectKey[] = [];
  const reconciler = new RemoteReconciler({
    ...{ clock, resolved: new ResolvedMeshCache(() => true), keeper: { keep, release } },
    ...{ meshes: { get: () => object }, store: { isHeldByOther: () => false }, claiming: () => [] },
    ...around,
    onStatement: (key) => statements.push(key),
  });
  const { log } = recordingLog();
  const metrics = new Metrics().controller('remote-clusters');
  const controller = new Controller(
    { name: 'remote-clusters' },
    { reconciler, clock, random: () => 0, log, metrics },
  );
  const stop = new AbortController();
  void controller.run(stop.signal);
  return { clock, controller, reconciler, statements };
}

function ready(clusterName: string, message = 'istiod reads it'): RemoteOutcome {
  return { clusterName, state: 'Ready', reason: 'Connected', message, againInMs: 60_000 };
}

describe('another cluster', () => {
  test('that does not answer holds up no other', async () => {
    const asked: string[] = [];
    const { clock, controller, reconciler, statements } = aController(({ key: { clusterName } }) => {
      asked.push(clusterName);
      return clusterName === 'west' ? new Promise(() => {}) : Promise.resolve(ready(clusterName));
    });

    for (const name of ['west', 'north']) controller.enqueue(queueKeyOf(of(name)));
    await settlePromises();
    await clock.advance(60_000);

    expect(asked).toEqual(['west', 'north', 'north']);
    expect(reconciler.statementOf(of('west'))).toBeUndefined();
    expect(reconciler.statementOf(of('north'))?.said.state).toBe('Ready');
    expect(statements).toEqual([mesh]);
  });

  test('wakes its mesh when there is something else to say, and only then', async () => {
    const messages = ['istiod reads it', 'istiod reads it', 'has another clock'];
    const { clock, controller, statements } = aController(async ({ key: { clusterName } }) =>
      ready(clusterName, messages.shift()),
    );
    controller.enqueue(queueKeyOf(of('west')));
    await settlePromises();
    expect(statements).toHaveLength(1);
    await clock.advance(60_000);
    expect(statements).toHaveLength(1);

    await clock.advance(60_000);

    expect(statements).toHaveLength(2);
  });

  test('that is named no more is asked until it has taken back what the mesh had there', async () => {
    let attempts = 0;
    const { clock, controller, reconciler } = aController(async ({ key }) =>
      ready(key.clusterName), async () => {
      attempts += 1;
      if (attempts < 3) throw new TransientError('does not answer', { reason: 'ApiServerUnreachable' });
    }, ['north']);

    controller.enqueue(queueKeyOf(of('west')));
    await settlePromises();
    for (let retry = 0; retry < 5; retry += 1) await clock.advance(30_000);

    expect(attempts).toBe(3);
    expect(reconciler.statementOf(of('west'))).toBeUndefined();
  });

  test('is left to an older mesh of the namespace that names it too', async () => {
    const asked: string[] = [];
    // Of two that were made in the same second, the first by name is taken for the older.
    const older = aMeshOperator({}, { namespace: 'istio-system', name: 'a-mesh' });
    const { controller } = aController(
      async ({ key }) => {
        asked.push(`keep ${key.clusterName}`);
        return ready(key.clusterName);
      },
      async () => {
        asked.push('release');
      },
      ['west', 'north'],
      { claiming: (key) => (key.endsWith('/west') ? [older as unknown as KubernetesObject] : []) },
    );

    for (const name of ['west', 'north']) controller.enqueue(queueKeyOf(of(name)));
    await settlePromises();

    expect(asked).toEqual(['release', 'keep north']);
  });

  test('is not entered before another mesh of the namespace has nothing there any more', async () => {
    const asked: string[] = [];
    let isHeldByOther = true;
    const { clock, controller } = aController(
      async ({ key }) => {
        asked.push(key.clusterName);
        return ready(key.clusterName);
      },
      undefined,
      ['west'],
      { store: { isHeldByOther: () => isHeldByOther } },
    );
    controller.enqueue(queueKeyOf(of('west')));
    await settlePromises();
    await clock.advance(2_000);
    const before = [...asked];

    isHeldByOther = false;
    await clock.advance(2_000);

    expect([before, asked]).toEqual([[], ['west']]);
  });
});
