import { beforeAll, describe, expect, it } from 'vitest';
import { type LintInput, lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';

const now = new Date();

let authority: Authority;
let other: Authority;
let third: Authority;

beforeAll(async () => {
  [authority, other, third] = await Promise.all([anAuthority(), anAuthority(), anAuthority()]);
});

describe('SeveralRoots', () => {
  it('warns of two roots, but not of one that is there twice', () => {
    const lintRoots = (...roots: readonly string[]) =>
      findingLines(lintBundle(authorityFiles(authority, { 'root-cert.pem': roots.join('') }), now));
    const [one, two] = [authority.root.certPem, other.root.certPem];

    expect(lintRoots(two, one)).toEqual(['warning SeveralRoots root-cert.pem']);
    expect(lintRoots(one, one)).toEqual([]);
  });
});

describe('RootNotSelfSigned', () => {
  it('warns of an intermediate that is trusted as a root', () => {
    const { certPem } = authority.intermediate;
    const files = authorityFiles(authority, { 'root-cert.pem': certPem });

    expect(findingLines(lintBundle(files, now))).toEqual([
      'warning RootNotSelfSigned ca-cert.pem, cert-chain.pem, root-cert.pem',
    ]);
  });
});

describe('DifferentRoots', () => {
  const between = (...inputs: readonly LintInput[]) =>
    lintInputs(inputs, now)
      .slice(inputs.length)
      .map(
        ({ input, findings }) => `${input}: ${findings.map(({ severity, rule }) => `${severity} ${rule}`)}`,
      );
  const cluster = (name: string, signer: Authority, ...roots: readonly Authority[]): LintInput => ({
    name,
    files: authorityFiles(signer, { 'root-cert.pem': roots.map(({ root }) => root.certPem).join('') }),
  });

  it('finds clusters that share no root, each two of them', () => {
    expect(
      between(
        cluster('east', authority, authority),
        cluster('west', other, other),
        cluster('north', authority, authority),
      ),
    ).toEqual(['east, west: error DifferentRoots', 'west, north: error DifferentRoots']);
  });

  it('warns of clusters that share some roots', () => {
    expect(
      between(cluster('east', authority, authority, other), cluster('west', other, other, third)),
    ).toEqual(['east, west: warning DifferentRoots']);
    expect(
      between(cluster('east', authority, authority), cluster('west', authority, authority, other)),
    ).toEqual(['east, west: warning DifferentRoots']);
  });

  it('leaves clusters with the same roots alone, in any order', () => {
    expect(
      between(cluster('east', authority, authority, other), cluster('west', other, other, authority)),
    ).toEqual([]);
  });

  it('compares files that stand alone, and leaves out those without a root', () => {
    expect(
      between(
        { name: 'a.pem', text: authority.root.certPem },
        { name: 'b.pem', text: other.root.certPem },
        { name: 'c.pem', text: third.intermediate.certPem },
      ),
    ).toEqual(['a.pem, b.pem: error DifferentRoots']);
  });

  it('still says of each cluster what is wrong with it', () => {
    const reports = lintInputs(
      [cluster('east', authority, authority, other), { name: 'none', files: {} }],
      now,
    );

    expect(reports.map(({ input, findings }) => [input, ...findingLines(findings)])).toEqual([
      ['east', 'warning SeveralRoots root-cert.pem'],
      ['none', 'error MissingFile the bundle'],
    ]);
  });
});
