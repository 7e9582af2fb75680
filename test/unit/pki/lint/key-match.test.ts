import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair, privateKeyPem } from '../../../../src/pki/key-pair.ts';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function lintKey(keyPem: string) {
  return lintBundle(authorityFiles(authority, { 'ca-key.pem': keyPem }), new Date());
}

describe('KeyMismatch', () => {
  it.each(['ECDSA-P256', 'RSA-2048'] as const)('finds another key of %s', async (algorithm) => {
    const keyPem = privateKeyPem(await generateKeyPair(algorithm));

    expect(findingLines(lintKey(keyPem))).toEqual(['error KeyMismatch ca-key.pem']);
  });

  it('says so when it is the key of the root', () => {
    const [finding] = lintKey(authority.root.keyPem ?? '');

    expect(finding?.problem).toBe(
      'It is not the key of ca-cert.pem, cert-chain.pem, but that of root-cert.pem: istiod does not start with it',
    );
  });

  it('leaves the right key alone', () => {
    expect(lintKey(authority.intermediate.keyPem)).toEqual([]);
  });
});
