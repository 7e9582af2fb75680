import { describe, expect, test } from 'vitest';
import {
  readTrustStatement,
  type TrustStatement,
  trustStatementText,
} from '../../../src/pki/trust-statement.ts';
import { anAuthority, dayMs, fingerprintOf, firstDay, later } from '../../support/authority-states.ts';

const { roots, intermediates } = anAuthority();
const root = roots.current.certPem;

const statement: TrustStatement = {
  ...{ clusterName: 'west', meshID: 'mesh1', members: ['east'], roots: [root], version: 'abc' },
  ...{ trusted: [fingerprintOf(root)], held: [fingerprintOf(root), 'f'.repeat(64)] },
  signers: [fingerprintOf(intermediates.current.certPem)],
};

function read(text: string, now = later(dayMs)) {
  return readTrustStatement(text, { clusterName: 'west', meshID: 'mesh1' }, now);
}

function changed(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...statement, ...changes });
}

describe('a statement', () => {
  test('is read as it was written', () => {
    expect(read(trustStatementText(statement))).toEqual({ statement });
  });

  test('of a cluster without an authority says what it answers', () => {
    const answer = { ...statement, roots: [], answers: 'v1' };

    expect(read(trustStatementText(answer))).toEqual({ statement: answer });
  });

  test('is the same text whatever order its lists have', () => {
    const other = { ...statement, held: statement.held.toReversed() };

    expect(trustStatementText(other)).toBe(trustStatementText(statement));
  });

  test('may say more than this version of the operator knows', () => {
    expect(read(changed({ later: true }))).toEqual({ statement });
  });

  test('holds certificates as they are, whatever a user has written around them', () => {
    const text = trustStatementText({ ...statement, roots: [`# mine\n${root.trimEnd()}`] });

    expect(read(text).statement?.roots).toEqual([root]);
  });
});

describe('somebody else is told', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
  test.each([
    ['no JSON', 'it is no statement', '{'],
    ['a list', 'it is no statement', '[]'],
    ['a number for a list', 'trusted is not as it should be', changed({ trusted: 5 })],
    ['a fingerprint with colons', 'held.0 is not as it should be', changed({ held: ['AB:CD'] })],
    ['roots without end', 'roots is not as it should be', changed({ roots: Array(9).fill(root) })],
    ['a text without end', 'it is no statement', changed({ later: 'x'.repeat(300_000) })],
    ['another mesh', 'it is of mesh "mesh2"', changed({ meshID: 'mesh2' })],
    ['another cluster', 'it is of cluster "north"', changed({ clusterName: 'north' })],
    ['two roots in one', 'roots does not hold one certificate each', changed({ roots: [root + root] })],
    ['a key', 'roots does not hold one certificate each', changed({ roots: [key] })],
    ['a leaf', 'roots', changed({ roots: [intermediates.current.certPem.replace('M', 'N')] })],
  ])('of %s', (_what, problem, text) => {
    expect(read(text).problem).toContain(problem);
  });

  test('of roots that have all ended', () => {
    expect(read(trustStatementText(statement), later(4000 * dayMs)).problem).toContain('roots');
  });

  test('never of a root that is not valid yet beside one that is', () => {
    const next = anAuthority({ madeAt: later(2 * dayMs) }).roots.current.certPem;

    expect(read(changed({ roots: [root, next] }), firstDay).problem).toBeUndefined();
  });
});
