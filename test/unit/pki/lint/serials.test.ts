import { beforeAll, describe, expect, it } from 'vitest';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function ofSerial(serial: number, commonName = 'CA'): string {
  const issuer = { certPem: authority.root.certPem, keys: authority.rootKeys };
  return flawedCertificate({ serial: Uint8Array.of(serial), commonName }, authority.intermediateKeys, issuer);
}

function lintChain(...chain: readonly string[]): string[] {
  const files = { 'ca-cert.pem': chain[0] ?? '', 'cert-chain.pem': chain.join('') };
  return findingLines(lintBundle(authorityFiles(authority, files), new Date()));
}

describe('DuplicateSerial', () => {
  it('finds two certificates of one issuer with one serial, but not one certificate in two files', () => {
    expect(lintChain(ofSerial(7), ofSerial(7, 'Other'))).toEqual([
      'error DuplicateSerial cert-chain.pem #2',
      'warning UnrelatedCertificate cert-chain.pem #2',
    ]);
    expect(lintChain(ofSerial(7), ofSerial(8, 'Other'))).toEqual([
      'warning UnrelatedCertificate cert-chain.pem #2',
    ]);
  });

  it('leaves serials of different issuers alone', async () => {
    const other = flawedCertificate({ serial: Uint8Array.of(7), commonName: 'Root' }, authority.rootKeys);
    const signer = ofSerial(7);
    const changed = { 'ca-cert.pem': signer, 'cert-chain.pem': signer };

    const findings = lintBundle(
      authorityFiles(authority, { ...changed, 'root-cert.pem': authority.root.certPem + other }),
      new Date(),
    );

    expect(findingLines(findings)).toEqual(['warning SeveralRoots root-cert.pem']);
  });
});

describe('NegativeSerial', () => {
  it('finds a serial whose first bit is set', () => {
    expect(lintChain(ofSerial(0xff))).toEqual(['error NegativeSerial ca-cert.pem, cert-chain.pem']);
    expect(lintChain(ofSerial(0x7f))).toEqual([]);
  });
});
