import { beforeAll, describe, expect, it } from 'vitest';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { type CertificateFlaws, flawedCertificate } from '../../../support/flawed-certificate.ts';

const places = 'ca-cert.pem, cert-chain.pem';

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function lintSigner(flaws: CertificateFlaws): string[] {
  const issuer = { certPem: authority.root.certPem, keys: authority.rootKeys };
  const certPem = flawedCertificate(flaws, authority.intermediateKeys, issuer);
  const files = authorityFiles(authority, { 'ca-cert.pem': certPem, 'cert-chain.pem': certPem });
  return findingLines(lintBundle(files, new Date()));
}

describe('NotAnAuthority', () => {
  it('finds CA:FALSE, and basicConstraints that say nothing, which means the same', () => {
    expect(lintSigner({ basicConstraints: { cA: false } })).toEqual([`error NotAnAuthority ${places}`]);
    expect(lintSigner({ basicConstraints: {} })).toEqual([`error NotAnAuthority ${places}`]);
  });

  it('leaves an authority alone, with and without a path length', () => {
    expect(lintSigner({ basicConstraints: { cA: true } })).toEqual([]);
    expect(lintSigner({ basicConstraints: { cA: true, pathLenConstraint: 0 } })).toEqual([]);
  });
});

describe('MayNotSign', () => {
  it('finds a keyUsage without keyCertSign, and warns of none at all', () => {
    expect(lintSigner({ keyUsage: { cRLSign: true, digitalSignature: true } })).toEqual([
      `error MayNotSign ${places}`,
    ]);
    expect(lintSigner({ keyUsage: null })).toEqual([`warning MayNotSign ${places}`]);
  });

  it('leaves keyCertSign alone, whatever is beside it', () => {
    expect(lintSigner({ keyUsage: { keyCertSign: true } })).toEqual([]);
    expect(
      lintSigner({ keyUsage: { keyCertSign: true, digitalSignature: true, decipherOnly: true } }),
    ).toEqual([]);
  });
});

describe('RestrictedPurpose', () => {
  it.each([
    ['only servers', { serverAuth: true }, [`error RestrictedPurpose ${places}`]],
    ['only code', { codeSigning: true }, [`error RestrictedPurpose ${places}`]],
    ['both sides of TLS', { serverAuth: true, clientAuth: true }, []],
    ['any purpose', { '2.5.29.37.0': true }, []],
  ])('looks at an extendedKeyUsage for %s', (_name, purposes, expected) => {
    expect(lintSigner({ more: [{ name: 'extKeyUsage', ...purposes }] })).toEqual(expected);
  });
});
