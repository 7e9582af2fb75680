import { beforeAll, describe, expect, it } from 'vitest';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { openssl } from '../../../support/openssl.ts';

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

/** The intermediate as openssl issues it with these extensions more. */
async function lintWith(extensions: readonly string[], rootPem = authority.root.certPem): Promise<string[]> {
  const files = {
    ...{ 'root.pem': rootPem, 'root-key.pem': authority.root.keyPem ?? '' },
    ...{ 'old.pem': authority.intermediate.certPem, 'key.pem': authority.intermediate.keyPem },
    'ca.ext': ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign', ...extensions].join('\n'),
  };
  const request = await openssl(files, 'x509', '-x509toreq', '-in', 'old.pem', '-signkey', 'key.pem');
  const certPem = await openssl(
    { ...files, 'ca.csr': request },
    ...['x509', '-req', '-in', 'ca.csr', '-CA', 'root.pem', '-CAkey', 'root-key.pem', '-set_serial', '99'],
    ...['-days', '60', '-extfile', 'ca.ext'],
  );
  const changed = { 'ca-cert.pem': certPem, 'cert-chain.pem': certPem };
  return findingLines(lintBundle(authorityFiles(authority, changed), new Date()));
}

describe('MissingKeyIdentifier', () => {
  it.each([
    [
      'neither identifier',
      ['subjectKeyIdentifier=none', 'authorityKeyIdentifier=none'],
      ['warning MissingKeyIdentifier ca-cert.pem, cert-chain.pem'],
    ],
    [
      'that of its issuer alone',
      ['subjectKeyIdentifier=none', 'authorityKeyIdentifier=keyid'],
      ['warning MissingKeyIdentifier ca-cert.pem, cert-chain.pem'],
    ],
    [
      'its own alone',
      ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=none'],
      ['warning MissingKeyIdentifier ca-cert.pem, cert-chain.pem'],
    ],
    [
      'the name and serial of its issuer alone',
      ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=issuer:always'],
      ['warning MissingKeyIdentifier ca-cert.pem, cert-chain.pem'],
    ],
    ['both', ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid,issuer:always'], []],
  ])('judges a certificate with %s', async (_name, extensions, expected) => {
    expect(await lintWith(extensions)).toEqual(expected);
  });
});

describe('KeyIdentifierMismatch', () => {
  it('finds an identifier that is not the issuer’s, which openssl then does not find', async () => {
    const files = {
      ...{ 'root.pem': authority.root.certPem, 'key.pem': authority.root.keyPem ?? '' },
      'ca.ext': 'subjectKeyIdentifier=01:02:03:04',
    };
    const request = await openssl(files, 'x509', '-x509toreq', '-in', 'root.pem', '-signkey', 'key.pem');
    const twin = await openssl(
      { ...files, 'ca.csr': request },
      ...['x509', '-req', '-in', 'ca.csr', '-signkey', 'key.pem', '-days', '99', '-extfile', 'ca.ext'],
    );

    const found = await lintWith(['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'], twin);

    expect(found).toEqual(['error KeyIdentifierMismatch ca-cert.pem, cert-chain.pem']);
  });
});
