import { beforeAll, describe, expect, it } from 'vitest';
import { lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';

const day = 24 * 3_600_000;

let authority: Authority;
let other: Authority;
/** Below the root; issues `signer`. */
let between: string;
let signer: string;

beforeAll(async () => {
  [authority, other] = await Promise.all([anAuthority(), anAuthority()]);
  const { root, rootKeys, intermediateKeys } = authority;
  between = flawedCertificate({ commonName: 'Between' }, rootKeys, { certPem: root.certPem, keys: rootKeys });
  signer = flawedCertificate(
    { commonName: 'Signer', notAfter: new Date(Date.now() + 100 * day) },
    intermediateKeys,
    { certPem: between, keys: rootKeys },
  );
});

function lint(changed: Readonly<Record<string, string>>): string[] {
  const deep = { 'ca-cert.pem': signer, 'cert-chain.pem': signer + between };
  return findingLines(lintBundle(authorityFiles(authority, { ...deep, ...changed }), new Date()));
}

function lintText(text: string): string[] {
  return lintInputs([{ name: 'chain.pem', text }], new Date()).flatMap(({ findings }) =>
    findingLines(findings),
  );
}

describe('ChainOrder', () => {
  it('finds certificates that are not followed by their issuer', () => {
    expect(lint({ 'cert-chain.pem': between + signer })).toEqual(['error ChainOrder cert-chain.pem']);
    expect(lint({ 'cert-chain.pem': authority.root.certPem + signer + between })).toEqual([
      'error ChainOrder cert-chain.pem',
    ]);
  });

  it('leaves the right order alone, with or without the root', () => {
    expect(lint({})).toEqual([]);
    expect(lint({ 'cert-chain.pem': signer + between + authority.root.certPem })).toEqual([]);
  });

  it('says which order is right', () => {
    const files = authorityFiles(authority, { 'ca-cert.pem': signer, 'cert-chain.pem': between + signer });

    const [finding] = lintBundle(files, new Date());

    expect(finding?.fix).toBe('Put them in this order: #2, #1.');
  });

  it('is looked at in a file that stands alone', () => {
    const { certPem } = authority.root;

    expect(lintText(signer + between + certPem)).toEqual([]);
    expect(lintText(signer + between)).toEqual([]);
    expect(lintText(between + signer)).toEqual(['error ChainOrder chain.pem']);
    expect(lintText(certPem + between + signer)).toEqual(['error ChainOrder chain.pem']);
  });
});

describe('ChainIncomplete', () => {
  it('finds that the certificate that signs is not shown', () => {
    expect(lint({ 'cert-chain.pem': between })).toEqual(['error ChainIncomplete cert-chain.pem']);
  });

  it('finds that an issuer is missing', () => {
    expect(lint({ 'cert-chain.pem': signer })).toEqual(['error ChainIncomplete ca-cert.pem, cert-chain.pem']);
  });

  it('finds that an issuer is in another file only', () => {
    expect(lint({ 'ca-cert.pem': signer + between, 'cert-chain.pem': signer })).toEqual([
      'error ChainIncomplete cert-chain.pem',
    ]);
  });

  it('finds that no root is the one of the chain', () => {
    expect(lint({ 'root-cert.pem': other.root.certPem })).toEqual([
      'error ChainIncomplete cert-chain.pem #2',
    ]);
    expect(lintText(signer + between + other.root.certPem)).toEqual(['error ChainIncomplete chain.pem #2']);
  });
});

describe('UnknownRoot', () => {
  it('finds a chain that ends in a root which is not trusted', () => {
    const chain = signer + between + authority.root.certPem;

    expect(lint({ 'cert-chain.pem': chain, 'root-cert.pem': other.root.certPem })).toEqual([
      'error UnknownRoot cert-chain.pem #3',
    ]);
    expect(
      lint({ 'cert-chain.pem': chain, 'root-cert.pem': other.root.certPem + authority.root.certPem }),
    ).toEqual(['warning SeveralRoots root-cert.pem']);
  });
});

describe('UnrelatedCertificate', () => {
  it('finds a certificate in the chain that leads nowhere', () => {
    expect(lint({ 'cert-chain.pem': signer + between + other.intermediate.certPem })).toEqual([
      'warning UnrelatedCertificate cert-chain.pem #3',
    ]);
  });
});

describe('BadSignature', () => {
  it('finds a certificate of another authority with the issuer’s name', () => {
    const { root, rootKeys } = authority;
    const forged = flawedCertificate({ commonName: 'Forged' }, authority.intermediateKeys, {
      ...{ certPem: root.certPem, keys: other.rootKeys },
    });

    expect(lint({ 'ca-cert.pem': forged, 'cert-chain.pem': forged })).toEqual([
      'error BadSignature ca-cert.pem, cert-chain.pem',
    ]);
    const right = flawedCertificate({}, authority.intermediateKeys, {
      certPem: root.certPem,
      keys: rootKeys,
    });
    expect(lint({ 'ca-cert.pem': right, 'cert-chain.pem': right })).toEqual([]);
  });

  it('finds a certificate that was changed after it was signed', () => {
    const lines = signer.split('\n');
    const der = Buffer.from(lines.slice(1, -2).join(''), 'base64');
    der[der.indexOf('Signer') + 1] = 'o'.charCodeAt(0);
    const changed = [lines[0], der.toString('base64'), lines.at(-2), ''].join('\n');

    expect(lint({ 'ca-cert.pem': changed, 'cert-chain.pem': changed + between })).toEqual([
      'error BadSignature ca-cert.pem, cert-chain.pem #1',
    ]);
  });

  it('takes the root that has signed when two have one name', () => {
    const twin = flawedCertificate(
      { commonName: 'Twin', notAfter: new Date(Date.now() + 999 * day) },
      other.rootKeys,
    );
    const own = flawedCertificate(
      { commonName: 'Twin', notAfter: new Date(Date.now() + 999 * day) },
      authority.rootKeys,
    );
    const issued = flawedCertificate({}, authority.intermediateKeys, {
      certPem: own,
      keys: authority.rootKeys,
    });

    const found = lint({ 'ca-cert.pem': issued, 'cert-chain.pem': issued, 'root-cert.pem': twin + own });

    expect(found).toEqual(['warning SeveralRoots root-cert.pem']);
  });

  it('ends when two certificates have issued each other', () => {
    const [one, two] = [authority.rootKeys, authority.intermediateKeys];
    const nameOnly = (commonName: string) => flawedCertificate({ commonName }, one);
    const first = flawedCertificate({ commonName: 'One' }, one, { certPem: nameOnly('Two'), keys: two });
    const second = flawedCertificate({ commonName: 'Two' }, two, { certPem: nameOnly('One'), keys: one });

    const found = lint({ 'ca-cert.pem': second, 'cert-chain.pem': second + first });

    expect(found).toContain('error ChainIncomplete cert-chain.pem #2');
  });
});
