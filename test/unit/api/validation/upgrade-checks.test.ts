import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const wave = { namespaceSelector: { matchLabels: { stage: 'canary' } } };
const scope = { namespaces: ['shop'] };

const rows: readonly (readonly [name: string, spec: MeshOperatorSpec, problem: RegExp])[] = [
  [
    'a rollback to what InPlace has replaced',
    { upgrade: { restart: 'Waves', onFailure: 'Rollback' } },
    /^spec\.upgrade\.onFailure: .*set strategy: RevisionBased/,
  ],
  [
    'a grace period for what InPlace does not leave',
    { upgrade: { gracePeriod: '1h' } },
    /^spec\.upgrade\.gracePeriod: has no effect/,
  ],
  [
    'waves in which nothing is restarted',
    { upgrade: { waves: [wave] } },
    /^spec\.upgrade\.waves: has no effect.*set restart: Waves/,
  ],
  [
    'a limit to errors where nothing is restarted',
    { upgrade: { errorRate: { prometheus: 'http://prometheus', limit: '1%' } } },
    /^spec\.upgrade\.errorRate: has no effect.*set restart: Waves/,
  ],
  [
    'a window that is too short to count requests in',
    {
      upgrade: {
        restart: 'Waves',
        errorRate: { prometheus: 'http://prometheus', limit: '1%', window: '1s' },
      },
    },
    /^spec\.upgrade\.errorRate\.window: must be at least 10s/,
  ],
  [
    'a time limit that no control plane can keep',
    { upgrade: { strategy: 'RevisionBased', waveTimeout: '1s' } },
    /^spec\.upgrade\.waveTimeout: must be at least 10s/,
  ],
  [
    'control planes for each version without a control plane',
    { profile: 'empty', upgrade: { strategy: 'RevisionBased' } },
    /^spec\.upgrade\.strategy: .*needs a control plane/,
  ],
  [
    'a revision that leaves no room for the version',
    { revision: 'r'.repeat(48), upgrade: { strategy: 'RevisionBased' } },
    /^spec\.revision: must have at most 47 characters/,
  ],
  [
    'a scope of no tag',
    { revision: 'a', revisionTagScope: scope },
    /^spec\.revisionTagScope: has no effect without revisionTags/,
  ],
  [
    'a scope of the default control plane',
    { revisionTags: ['prod'], revisionTagScope: scope },
    /^spec\.revisionTagScope: needs a revision/,
  ],
  [
    'a scope that says two things',
    {
      ...{ revision: 'a', revisionTags: ['prod'] },
      revisionTagScope: { ...scope, exceptNamespaces: ['bank'] },
    },
    /^spec\.revisionTagScope: must have namespaces or exceptNamespaces/,
  ],
];

describe('the name of a mesh', () => {
  it.each([
    ['RevisionBased', 54, true],
    ['RevisionBased', 55, false],
    ['InPlace', 63, true],
  ] as const)('leaves room for the version with %s: %i characters', (strategy, length, isValid) => {
    const mesh = aMeshOperator({ upgrade: { strategy } }, { name: 'm'.repeat(length) });

    const paths = validateMeshOperator(mesh).map(({ path }) => path);
    expect(paths).toEqual(isValid ? [] : ['metadata.name']);
  });
});

describe('the upgrades of a spec', () => {
  it.each(rows)('must not have %s', (_name, spec, problem) => {
    const problems = validateMeshOperator(aMeshOperator(spec)).map(problemText);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});
