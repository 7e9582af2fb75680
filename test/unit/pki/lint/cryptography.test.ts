import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, privateKeyPem } from '../../../../src/pki/key-pair.ts';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';
import { openssl } from '../../../support/openssl.ts';

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function lintSigner(certPem: string, keyPem: string, rootPem = authority.root.certPem): string[] {
  const files = { 'ca-cert.pem': certPem, 'cert-chain.pem': certPem, 'ca-key.pem': keyPem };
  return findingLines(
    lintBundle(authorityFiles(authority, { ...files, 'root-cert.pem': rootPem }), new Date()),
  );
}

const kinds: readonly [string, () => KeyPair, boolean][] = [
  ['RSA-1024', () => generateKeyPairSync('rsa', { modulusLength: 1024 }), false],
  ['RSA-2047', () => generateKeyPairSync('rsa', { modulusLength: 2047 }), false],
  ['RSA-2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), true],
  ['P-224', () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' }), false],
  ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), false],
  ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }), true],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }), true],
  ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'secp521r1' }), true],
  ['Ed25519', () => generateKeyPairSync('ed25519'), false],
];

describe('WeakKey', () => {
  it.each(kinds)('judges %s', (_name, generate, isGood) => {
    const keys = generate();
    const issuer = { certPem: authority.root.certPem, keys: authority.rootKeys };
    const certPem = flawedCertificate({}, keys, issuer);

    const found = lintSigner(certPem, privateKeyPem(keys));

    expect(found).toEqual(isGood ? [] : ['error WeakKey ca-cert.pem, cert-chain.pem']);
  });
});

describe('WeakSignature', () => {
  const days = ['-days', '60'];
  const extensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ].join('\n');

  async function signedWith(digest: string): Promise<string> {
    const files = {
      ...{ 'root.pem': authority.root.certPem, 'root-key.pem': authority.root.keyPem ?? '' },
      ...{ 'old.pem': authority.intermediate.certPem, 'key.pem': authority.intermediate.keyPem },
      'ca.ext': extensions,
    };
    const request = await openssl(files, 'x509', '-x509toreq', '-in', 'old.pem', '-signkey', 'key.pem');
    return openssl(
      { ...files, 'ca.csr': request },
      ...['x509', '-req', '-in', 'ca.csr', '-CA', 'root.pem', '-CAkey', 'root-key.pem', '-set_serial', '99'],
      ...[...days, digest, '-extfile', 'ca.ext'],
    );
  }

  it.each([
    ['-sha1', ['error WeakSignature ca-cert.pem, cert-chain.pem']],
    ['-sha224', ['error WeakSignature ca-cert.pem, cert-chain.pem']],
    ['-sha256', []],
    ['-sha512', []],
  ])('judges ECDSA with %s', async (digest, expected) => {
    expect(lintSigner(await signedWith(digest), authority.intermediate.keyPem)).toEqual(expected);
  });

  it.each(['-md5', '-sha1'])('only warns of a root that has signed itself with %s', async (digest) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rootKeys = { privateKey, publicKey };
    const rootPem = await openssl(
      { 'key.pem': privateKeyPem(rootKeys) },
      ...['req', '-x509', '-new', '-key', 'key.pem', '-subj', '/CN=Old', '-days', '999', digest],
      ...['-addext', 'keyUsage=critical,keyCertSign'],
    );
    const notBefore = new Date(Date.now() + 1000 - (Date.now() % 1000));
    const certPem = flawedCertificate({ notBefore }, authority.intermediateKeys, {
      ...{ certPem: rootPem, keys: rootKeys },
    });

    const found = findingLines(
      lintBundle(
        authorityFiles(authority, {
          ...{ 'ca-cert.pem': certPem, 'cert-chain.pem': certPem, 'root-cert.pem': rootPem },
        }),
        new Date(notBefore.getTime() + 1000),
      ),
    );

    expect(found).toEqual(['warning WeakSignature root-cert.pem']);
  });
});
