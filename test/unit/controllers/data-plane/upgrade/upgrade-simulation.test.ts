import { describe, expect, it } from 'vitest';
import { resolveUpgrade } from '../../../../../src/api/resolve-upgrade.ts';
import { pick, randomNumbers } from '../../../../support/random.ts';
import { aResolvedMesh } from '../../../../support/resolved-mesh.ts';
import { UpgradeSimulation } from '../../../../support/upgrade-simulation.ts';

const versions = ['1.29.6', '1.30.3', '1.31.1'];
const seeds = Array.from({ length: 200 }, (_, index) => index + 1);

const namespaces = [
  { name: 'canary', labels: { wave: 'first' } },
  { name: 'shop', labels: { wave: 'second' } },
  { name: 'bank', labels: {} },
];

const upgrade = resolveUpgrade({
  strategy: 'RevisionBased',
  waveTimeout: '2h',
  waves: [
    { namespaceSelector: { matchLabels: { wave: 'first' } }, soak: '1m' },
    { namespaceSelector: { matchLabels: { wave: 'second' } } },
  ],
});

const mesh = (patch: string) =>
  aResolvedMesh({ version: { minor: patch.slice(0, 4), patch }, tag: patch, upgrade });

describe('an upgrade from revision to revision, whatever order things happen in', () => {
  it('never leaves a pod without a webhook nor a workload without a ready pod, and ends where the spec wants it', () => {
    for (const seed of seeds) {
      const random = randomNumbers(seed);
      const world = new UpgradeSimulation({ random, mesh, namespaces, bad: [], sick: [] }, '1.30.3');
      explain(seed, () => {
        for (let count = 0; count < 400; count += 1) {
          if (random() < 0.01) world.ask(pick(random, versions));
          world.step();
        }
        world.ask('1.31.1');
        for (let count = 0; count < 80; count += 1) world.round();

        expect(world.state).toMatchObject({ phase: 'Complete', active: '1-31-1' });
        expect(ends(world)).toEqual({
          revisions: ['1-31-1'],
          followed: ['1-31-1'],
          gateway: '1-31-1',
        });
      });
    }
  });

  it('is undone when proxies of the new version do not get ready, and every pod is back at the old one', () => {
    for (const seed of seeds) {
      const random = randomNumbers(seed);
      const world = new UpgradeSimulation({ random, mesh, namespaces, bad: ['1.31.1'], sick: [] }, '1.30.3');
      explain(seed, () => {
        world.ask('1.31.1');
        for (let count = 0; count < 300; count += 1) world.step();
        for (let count = 0; count < 80; count += 1) world.round();

        expect(world.state).toMatchObject({ phase: 'RolledBack', active: '1-30-3' });
        expect(world.state?.failure).toMatch(/^Moving: .*not ready|^Moving: .*to be replaced/);
        expect(ends(world)).toEqual({
          revisions: ['1-30-3'],
          followed: ['1-30-3'],
          gateway: '1-30-3',
        });
      });
    }
  });

  it('is undone when the new control plane does not get ready', () => {
    for (const seed of seeds) {
      const random = randomNumbers(seed);
      const world = new UpgradeSimulation({ random, mesh, namespaces, bad: [], sick: ['1.31.1'] }, '1.30.3');
      explain(seed, () => {
        world.ask('1.31.1');
        for (let count = 0; count < 300; count += 1) world.step();
        for (let count = 0; count < 80; count += 1) world.round();

        expect(world.state).toMatchObject({ phase: 'RolledBack', active: '1-30-3' });
        expect(ends(world)).toEqual({ revisions: ['1-30-3'], followed: ['1-30-3'], gateway: '1-30-3' });
      });
    }
  });
});

function ends({ revisions, followed, gateway }: UpgradeSimulation) {
  return { revisions, followed, gateway };
}

function explain(seed: number, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Error(`Seed ${seed}`, { cause: error });
  }
}
