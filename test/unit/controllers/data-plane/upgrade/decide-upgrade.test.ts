import { describe, expect, it } from 'vitest';
import type { UpgradeStatus } from '../../../../../src/api/mesh-operator-status.ts';
import { resolveUpgrade } from '../../../../../src/api/resolve-upgrade.ts';
import { decideUpgrade } from '../../../../../src/controllers/data-plane/upgrade/decide-upgrade.ts';
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

type Proxy = 'old' | 'old-unready' | 'new' | 'unready';

interface World {
  readonly minutes?: number;
  readonly generation?: number;
  readonly isMeshReady?: boolean;
  readonly upgrade?: typeof upgrade;
}

/** One decision for namespaces with a Deployment `app` each; namespace canary is the first wave. */
function decide(
  before: UpgradeStatus | undefined,
  namespaces: Readonly<Record<string, readonly Proxy[]>>,
  { minutes = 0, generation = 1, isMeshReady = true, upgrade: asked = upgrade }: World = {},
) {
  return decideUpgrade({
    ...{
      mesh: aResolvedMesh({ upgrade: asked }),
      generation,
      before,
      now: new Date(start + minutes * 60_000),
    },
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
