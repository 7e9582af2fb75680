import { describe, expect, it } from 'vitest';
import type { UpgradeStatus } from '../../../../../src/api/mesh-operator-status.ts';
import { resolveUpgrade } from '../../../../../src/api/resolve-upgrade.ts';
import { decideUpgrade } from '../../../../../src/controllers/data-plane/upgrade/decide-upgrade.ts';
import type { MeasuredErrorRate } from '../../../../../src/controllers/data-plane/upgrade/error-rate.ts';
import type { ObservedProxy } from '../../../../../src/controllers/data-plane/upgrade/observed-upgrade.ts';
import { groupText } from '../../../../../src/controllers/data-plane/upgrade/restart-groups.ts';
import { aPodRecord } from '../../../../support/pod-records.ts';
import { aResolvedMesh } from '../../../../support/resolved-mesh.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const upgrade = resolveUpgrade({
  restart: 'Waves',
  waveTimeout: '10m',
  waves: [{ namespaceSelector: { matchLabels: { stage: 'canary' } }, soak: '5m' }],
});

describe('an upgrade in place', () => {
  it('restarts nothing unless the spec asks for it', () => {
    const decision = decide(undefined, { canary: ['old'] }, { upgrade: resolveUpgrade(undefined) });

    expect(decision).toMatchObject({ state: undefined, restart: [] });
  });

  it('waits for the control plane', () => {
    const { state, restart } = decide(undefined, { canary: ['old'] }, { isMeshReady: false });

    expect(state).toMatchObject({ phase: 'Complete' });
    expect(restart).toEqual([]);
  });

  it('restarts wave after wave, each when the last is well and has soaked', () => {
    const first = decide(undefined, { canary: ['old', 'new'], shop: ['old'] });
    expect(first.state).toMatchObject({ phase: 'Moving', wave: 1, waves: 2 });
    expect(first.restart.map(groupText)).toEqual(['Deployment canary/app']);
    expect(first.state?.waitingFor).toEqual(['Deployment canary/app has 1 of 2 pods still to be replaced']);

    const unready = decide(first.state, { canary: ['new', 'unready'], shop: ['old'] });
    expect(unready.restart).toEqual([]);
    expect(unready.state?.waitingFor).toEqual(['Deployment canary/app has 1 of 2 pods that are not ready']);

    const soaking = decide(unready.state, { canary: ['new', 'new'], shop: ['old'] }, { minutes: 1 });
    expect(soaking).toMatchObject({ state: { wave: 1, wellSince: at(1) }, againInMs: 5 * 60_000 });

    const second = decide(soaking.state, { canary: ['new', 'new'], shop: ['old'] }, { minutes: 6 });
    expect(second.state).toMatchObject({ phase: 'Moving', wave: 2, since: at(6) });

    const restarted = decide(second.state, { canary: ['new', 'new'], shop: ['old'] }, { minutes: 6 });
    expect(restarted.restart.map(groupText)).toEqual(['Deployment shop/app']);

    const { state } = decide(restarted.state, { canary: ['new', 'new'], shop: ['new'] }, { minutes: 7 });
    expect(state).toEqual({ phase: 'Complete', since: at(7) });
  });

  it('begins its soak anew when a pod of the wave is not ready in between', () => {
    const moving = decide(undefined, { canary: ['old'] }).state;
    const well = decide(moving, { canary: ['new'] }, { minutes: 1 }).state;
    const sick = decide(well, { canary: ['unready'] }, { minutes: 2 }).state;
    const again = decide(sick, { canary: ['new'] }, { minutes: 3 }).state;

    expect([well, sick, again].map((state) => state?.wellSince)).toEqual([at(1), undefined, at(3)]);
  });

  it('is held when a wave takes too long, and goes on when the spec has changed', () => {
    const moving = decide(undefined, { canary: ['old'] }).state;

    const held = decide(moving, { canary: ['unready'] }, { minutes: 10 });
    expect(held.state).toMatchObject({
      phase: 'Paused',
      failure: 'Moving: Deployment canary/app has 1 of 1 pods that are not ready',
      failedGeneration: 1,
    });
    const later = decide(held.state, { canary: ['old'], shop: ['old'] }, { minutes: 20 });
    expect(later).toMatchObject({ state: { phase: 'Paused' }, restart: [] });

    const anew = decide(held.state, { canary: ['old'] }, { minutes: 20, generation: 2 });
    expect(anew.state).toMatchObject({ phase: 'Moving', wave: 1, since: at(20) });
  });

  it('leaves a workload alone that had no ready pod before', () => {
    const { state } = decide(undefined, { canary: ['old-unready'] });

    expect(state).toMatchObject({ phase: 'Complete' });
  });
});

describe('an upgrade with a limit to the rate of errors', () => {
  const limited = resolveUpgrade({
    restart: 'Waves',
    waveTimeout: '10m',
    waves: [{ namespaceSelector: { matchLabels: { stage: 'canary' } }, soak: '3m' }],
    errorRate: { prometheus: 'http://prometheus:9090/', limit: '1%', window: '1m' },
  });
  const soaking = () => {
    const moving = decide(undefined, { canary: ['old'], shop: ['old'] }, { upgrade: limited }).state;
    return decide(moving, { canary: ['new'], shop: ['old'] }, { upgrade: limited }).state;
  };
  const judged = (minutes: number, measured?: MeasuredErrorRate, before = soaking()) =>
    decide(before, { canary: ['new'], shop: ['old'] }, { upgrade: limited, minutes, measured });

  it('asks for it when every proxy of the wave has been well for the whole window, and not before', () => {
    expect(judged(0.5)).toMatchObject({ state: { wave: 1 }, againInMs: 30_000 });
    expect(judged(0.5).measure).toBeUndefined();
    expect(judged(1).measure).toEqual({ namespaces: ['canary'], windowMs: 60_000 });
  });

  it('asks again while the wave soaks, and goes on when that is over', () => {
    const well = judged(1, { ratio: 0.01 });
    expect(well).toMatchObject({ state: { wave: 1, wellSince: at(0) }, againInMs: 10_000 });

    expect(judged(3, { ratio: 0 }, well.state).state).toMatchObject({ phase: 'Moving', wave: 2 });
  });

  it('is held at once when too many requests fail, and says how many', () => {
    expect(judged(1, { ratio: 0.0123456 }).state).toMatchObject({
      phase: 'Paused',
      failure: 'Moving: 1.23% of the requests to canary fail, and 1% may',
    });
  });

  it('waits while nobody knows, without a new soak, and is held when that takes too long', () => {
    const waiting = judged(4, { unknown: 'the rate of errors' });
    expect(waiting.state).toMatchObject({
      ...{ phase: 'Moving', wave: 1, wellSince: at(0), waitingFor: ['the rate of errors'] },
    });

    expect(judged(10, { unknown: 'the rate of errors' }, waiting.state).state).toMatchObject({
      ...{ phase: 'Paused', failure: 'Moving: the rate of errors' },
    });
  });
});

type Proxy = 'old' | 'old-unready' | 'new' | 'unready';

interface World {
  readonly minutes?: number;
  readonly generation?: number;
  readonly isMeshReady?: boolean;
  readonly upgrade?: typeof upgrade;
  readonly measured?: MeasuredErrorRate | undefined;
}

/** One decision for namespaces with a Deployment `app` each; namespace canary is the first wave. */
function decide(
  before: UpgradeStatus | undefined,
  namespaces: Readonly<Record<string, readonly Proxy[]>>,
  { minutes = 0, generation = 1, isMeshReady = true, upgrade: asked = upgrade, measured }: World = {},
) {
  return decideUpgrade({
    ...{
      mesh: aResolvedMesh({ upgrade: asked }),
      generation,
      before,
      now: new Date(start + minutes * 60_000),
    },
    ...(measured === undefined ? {} : { measured }),
    observed: {
      ...{ revisions: new Map(), isMeshReady, gateways: [], following: () => 0 },
      namespaces: Object.entries(namespaces).map(([name, proxies]) => ({
        ...{ name, labels: name === 'canary' ? { stage: 'canary' } : {} },
        proxies: proxies.map((proxy, index) => aProxy(name, proxy, index)),
      })),
    },
  });
}

function aProxy(namespace: string, proxy: Proxy, index: number): ObservedProxy {
  const labels = { 'pod-template-hash': '1' };
  const pod = aPodRecord({
    namespace,
    name: `app-1-${index}`,
    labels,
    generateName: 'app-1-',
    owner: 'app-1',
  });
  return {
    ...{ pod, revision: 'default', isOutdated: proxy.startsWith('old') },
    isReady: !proxy.endsWith('unready'),
  };
}

function at(minutes: number): string {
  return new Date(start + minutes * 60_000).toISOString();
}
