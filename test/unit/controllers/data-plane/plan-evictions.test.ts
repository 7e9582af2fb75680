import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { controllersOf } from '../../../../src/controllers/data-plane/observed-pods.ts';
import { planEvictions } from '../../../../src/controllers/data-plane/plan-evictions.ts';
import { aPodRecord, type PodRecordOptions } from '../../../support/pod-records.ts';

const bareOf = (uid: string, name: string, options: PodRecordOptions = {}) =>
  aPodRecord({ name, controller: { kind: 'ReplicaSet', uid }, ...options });

function plan(
  bare: readonly KubernetesObject[],
  {
    others = [] as readonly KubernetesObject[],
    evicted = new Map<string, ReadonlySet<string>>(),
    refused = new Set<string>(),
  } = {},
) {
  const all = [...bare, ...others];
  const { evict, comesBackBare } = planEvictions({
    bare,
    ...{ evicted, refused },
    siblings: (uid) => all.filter((pod) => controllersOf(pod).some((controller) => controller.uid === uid)),
  });
  const names = (pods: readonly KubernetesObject[]) => pods.map(({ metadata }) => metadata.name);
  return { evict: names(evict), comesBackBare: names(comesBackBare) };
}

describe('planEvictions', () => {
  it('evicts one pod of each workload', () => {
    expect(plan([bareOf('a', 'a-1'), bareOf('a', 'a-2'), bareOf('b', 'b-1')]).evict).toEqual(['a-1', 'b-1']);
  });

  it('waits until all other pods of the workload are ready', () => {
    const bare = [bareOf('a', 'a-1')];

    expect(plan(bare, { others: [bareOf('a', 'a-2', { isReady: false })] }).evict).toEqual([]);
    expect(plan(bare, { others: [bareOf('a', 'a-2', { isTerminating: true })] }).evict).toEqual([]);
    expect(plan(bare, { others: [bareOf('a', 'a-2')] }).evict).toEqual(['a-1']);
  });

  it('evicts all that are not ready: they serve nobody', () => {
    const waiting = ['a-1', 'a-2', 'a-3'].map((name) => bareOf('a', name, { isReady: false }));

    expect(plan(waiting).evict).toEqual(['a-1', 'a-2', 'a-3']);
  });

  it('evicts only so many at once', () => {
    const bare = Array.from({ length: 60 }, (_, at) => bareOf(`rs-${at}`, `pod-${at}`));

    expect(plan(bare).evict).toHaveLength(20);
  });

  it('takes others first while a budget keeps some', () => {
    const bare = [bareOf('a', 'a-1'), bareOf('b', 'b-1')];

    expect(plan(bare, { refused: new Set(['uid-a-1']) }).evict).toEqual(['b-1']);
  });

  it.each([
    ['of a Job', { kind: 'Job', uid: 'j' }],
    ['of a node', { kind: 'Node', uid: 'n' }],
    ['of nobody', null],
  ])('leaves a pod alone %s', (_whose, controller) => {
    expect(plan([aPodRecord({ controller })])).toEqual({ evict: [], comesBackBare: [] });
  });

  it('goes on with the pods that were bare when the first one was evicted', () => {
    const evicted = new Map([['a', new Set(['uid-a-1', 'uid-a-2'])]]);

    expect(plan([bareOf('a', 'a-2')], { evicted })).toEqual({ evict: ['a-2'], comesBackBare: [] });
  });

  it('gives up a workload whose successors come back bare, all of it', () => {
    const evicted = new Map([['a', new Set(['uid-a-1', 'uid-a-2'])]]);

    expect(plan([bareOf('a', 'a-2'), bareOf('a', 'a-3'), bareOf('b', 'b-1')], { evicted })).toEqual({
      evict: ['b-1'],
      comesBackBare: ['a-2', 'a-3'],
    });
  });
});
