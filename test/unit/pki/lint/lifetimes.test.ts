import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair, type KeyPair } from '../../../../src/pki/key-pair.ts';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';

const start = new Date('2026-01-01T00:00:00Z');
const days = (count: number) => new Date(start.getTime() + count * 24 * 3_600_000);
const signerPlaces = 'ca-cert.pem, cert-chain.pem';

let authority: Authority;
let keys: KeyPair;

beforeAll(async () => {
  [authority, keys] = await Promise.all([anAuthority(), generateKeyPair('ECDSA-P256')]);
});

interface Span {
  readonly from: number;
  readonly until: number;
}

/** Findings on a day of an authority whose certificates are valid from one day until another. */
function lintOn(day: number, root: Span, signer: Span, more = ''): string[] {
  const span = ({ from, until }: Span) => ({ notBefore: days(from), notAfter: days(until) });
  const rootPem = flawedCertificate({ commonName: 'Root', ...span(root) }, keys);
  const signerPem = flawedCertificate(span(signer), authority.intermediateKeys, { certPem: rootPem, keys });
  const files = { 'ca-cert.pem': signerPem, 'cert-chain.pem': signerPem, 'root-cert.pem': rootPem + more };
  return findingLines(lintBundle(authorityFiles(authority, files), days(day)));
}

const nested = { root: { from: 0, until: 1000 }, signer: { from: 0, until: 200 } };

describe('Expired and EndsSoon', () => {
  it.each([
    [0, []],
    [170, []],
    [170.01, [`warning EndsSoon ${signerPlaces}`]],
    [199.99, [`warning EndsSoon ${signerPlaces}`]],
    [200, [`error Expired ${signerPlaces}`]],
    [985, ['warning EndsSoon root-cert.pem', `error Expired ${signerPlaces}`]],
    [1000, ['error Expired root-cert.pem', `error Expired ${signerPlaces}`]],
  ])('on day %s of 200 and 1000', (day, expected) => {
    expect(lintOn(day, nested.root, nested.signer)).toEqual(expected);
  });

  it('only warns of a root that has expired when nothing depends on it', () => {
    const old = flawedCertificate({ commonName: 'Old', notBefore: days(-9), notAfter: days(1) }, keys);

    expect(lintOn(2, nested.root, nested.signer, old)).toEqual([
      'warning Expired root-cert.pem #2',
      'warning SeveralRoots root-cert.pem',
    ]);
  });
});

describe('NotYetValid', () => {
  it('finds a certificate that begins later', () => {
    const later = { from: 1, until: 200 };

    expect(lintOn(0.99, nested.root, later)).toEqual([`error NotYetValid ${signerPlaces}`]);
    expect(lintOn(1, nested.root, later)).toEqual([]);
  });
});

describe('OutlivesIssuer', () => {
  it('finds a certificate that ends after its issuer', () => {
    expect(lintOn(1, { from: 0, until: 199 }, nested.signer)).toEqual([
      `error OutlivesIssuer ${signerPlaces}`,
    ]);
  });

  it('leaves a certificate alone that begins before its issuer', () => {
    expect(lintOn(1, { from: 0.5, until: 1000 }, nested.signer)).toEqual([]);
  });

  it('leaves the same span alone', () => {
    expect(lintOn(1, nested.signer, nested.signer)).toEqual([]);
  });
});
