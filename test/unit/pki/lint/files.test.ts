import { beforeAll, describe, expect, it } from 'vitest';
import { privateKeyPem } from '../../../../src/pki/key-pair.ts';
import { lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { openssl } from '../../../support/openssl.ts';

const now = new Date();

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function lint(changed: Readonly<Record<string, string>>): string[] {
  return findingLines(lintBundle(authorityFiles(authority, changed), now));
}

function tlsFiles(): Record<string, string> {
  const { root, intermediate } = authority;
  return { 'tls.crt': intermediate.certPem, 'tls.key': intermediate.keyPem, 'ca.crt': root.certPem };
}

describe('whole bundles', () => {
  it('have no finding in Istio’s layout, whatever else is beside them', () => {
    expect(lint({})).toEqual([]);
    expect(lint({ 'ca-crl.pem': 'not read', 'istio-generated': '' })).toEqual([]);
  });

  it('have no finding in the layout of kubernetes.io/tls, also beside broken files of Istio’s', () => {
    expect(findingLines(lintBundle(tlsFiles(), now))).toEqual([]);
    expect(findingLines(lintBundle({ ...tlsFiles(), 'ca-cert.pem': 'old' }, now))).toEqual([]);
  });

  it('have no finding with text around certificates, CRLF line breaks, or the root at the end of the chain', () => {
    const { root, intermediate } = authority;

    expect(lint({ 'ca-cert.pem': `subject=CN=x\n${intermediate.certPem}\nthe end` })).toEqual([]);
    expect(lint({ 'ca-cert.pem': intermediate.certPem.replaceAll('\n', '\r\n') })).toEqual([]);
    expect(lint({ 'cert-chain.pem': intermediate.chainPem + root.certPem })).toEqual([]);
  });

  it('have no finding when the root itself signs', () => {
    const { root } = authority;
    const changed = { 'ca-cert.pem': root.certPem, 'cert-chain.pem': root.certPem };

    expect(lint({ ...changed, 'ca-key.pem': root.keyPem ?? '' })).toEqual([]);
  });
});

describe('MissingFile', () => {
  it.each(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'])('names %s', (name) => {
    const { [name]: _missing, ...others } = authorityFiles(authority);

    expect(findingLines(lintBundle(others, now))).toContain(`error MissingFile ${name}`);
  });

  it('names ca.crt of the other layout', () => {
    const { 'ca.crt': _missing, ...others } = tlsFiles();

    expect(findingLines(lintBundle(others, now))).toContain('error MissingFile ca.crt');
  });

  it('says which files istiod reads when there is none of them', () => {
    const [finding] = lintBundle({ 'server.pem': authority.root.certPem }, now);

    expect(finding?.rule).toBe('MissingFile');
    expect(finding?.problem).toContain('ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem; or tls.crt');
  });
});

describe('Unreadable', () => {
  it.each<[string, (pem: string) => string, RegExp]>([
    ['nothing', () => '', /holds no certificate/],
    ['no PEM', () => 'certificate: yes', /holds no certificate/],
    ['a block without an end', (pem) => pem.slice(0, 300), /the block that begins in line 1 has no end/],
    ['content that is not base64', (pem) => pem.replace('\nM', '\n!'), /line 1 is not base64/],
    ['base64 that is no certificate', () => block('aGVsbG8='), /certificate #1 is not a whole X.509/],
    ['an END that does not fit', (pem) => pem.replace('END C', 'END X.C'), /BEGIN or END that does not fit/],
    ['an indented BEGIN', (pem) => ` ${pem}`, /line 1 has a BEGIN or END/],
    ['a byte order mark', (pem) => `\ufeff${pem}`, /line 1 has a BEGIN or END/],
    ['files joined without a line break', (pem) => pem.trimEnd() + pem, /not alone in its line/],
  ])('finds %s', (_name, change, problem) => {
    const findings = lintBundle(
      authorityFiles(authority, { 'root-cert.pem': change(authority.root.certPem) }),
      now,
    );

    expect(findingLines(findings)[0]).toBe('error Unreadable root-cert.pem');
    expect(findings[0]?.problem).toMatch(problem);
  });

  it('finds bytes behind a certificate, which Go refuses', () => {
    const content = authority.root.certPem.split('\n').slice(1, -2).join('');
    const longer = Buffer.concat([Buffer.from(content, 'base64'), Buffer.from([0, 0])]).toString('base64');

    expect(lint({ 'root-cert.pem': block(longer) })).toContain('error Unreadable root-cert.pem');
  });
});

describe('TooLarge', () => {
  it('finds a file that no Secret can hold, and one with too many certificates', () => {
    const { certPem } = authority.root;

    expect(lint({ 'root-cert.pem': certPem.padEnd(1_048_577) })).toContain('error TooLarge root-cert.pem');
    expect(lint({ 'root-cert.pem': certPem.repeat(101) })).toContain('error TooLarge root-cert.pem');
  });

  it('leaves alone what just fits', () => {
    expect(lint({ 'root-cert.pem': authority.root.certPem.padEnd(1_048_576) })).toEqual([]);
  });
});

describe('MisplacedPrivateKey', () => {
  it.each(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'])('finds a key in %s', (name) => {
    const { [name]: text = '' } = authorityFiles(authority);

    expect(lint({ [name]: text + privateKeyPem(authority.rootKeys) })).toEqual([
      `error MisplacedPrivateKey ${name}`,
    ]);
  });

  it('finds a key beside certificates in a file that stands alone, but not a key alone', () => {
    const { certPem, keyPem = '' } = authority.root;
    const lintText = (text: string) =>
      lintInputs([{ name: 'some/file.pem', text }], now).flatMap(({ findings }) => findingLines(findings));

    expect(lintText(certPem + keyPem)).toEqual(['error MisplacedPrivateKey file.pem']);
    expect(lintText(keyPem)).toEqual([]);
    expect(lintText(certPem)).toEqual([]);
  });
});

describe('MisplacedBlock', () => {
  it('finds a certificate in the key file', () => {
    const { certPem, keyPem } = authority.intermediate;

    expect(lint({ 'ca-key.pem': keyPem + certPem })).toEqual(['error MisplacedBlock ca-key.pem']);
  });

  it('finds certificates under a label that Istio leaves out', () => {
    const { certPem } = authority.root;
    const other = certPem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE');

    expect(lint({ 'root-cert.pem': certPem + other })).toEqual(['warning MisplacedBlock root-cert.pem']);
  });
});

describe('UnreadableKey', () => {
  it('finds a key with a passphrase, of either form', async () => {
    const files = { 'key.pem': authority.intermediate.keyPem };
    const [pkcs8, traditional] = await Promise.all([
      openssl(files, 'pkcs8', '-topk8', '-in', 'key.pem', '-passout', 'pass:secret'),
      openssl(files, 'ec', '-in', 'key.pem', '-aes256', '-passout', 'pass:secret'),
    ]);

    for (const key of [pkcs8, traditional]) {
      const findings = lintBundle(authorityFiles(authority, { 'ca-key.pem': key }), now);

      expect(findingLines(findings)).toEqual(['error UnreadableKey ca-key.pem']);
      expect(findings[0]?.problem).toBe(
        'The key file is encrypted with a passphrase, which istiod is never given',
      );
    }
  });

  it('finds parameters before the key, which openssl writes and Istio does not skip; its commands repair it', async () => {
    const files = { 'key.pem': authority.intermediate.keyPem };
    const traditional = await openssl(files, 'ec', '-in', 'key.pem');
    const parameters = await openssl({}, 'ecparam', '-name', 'prime256v1');

    const findings = lintBundle(authorityFiles(authority, { 'ca-key.pem': parameters + traditional }), now);

    expect(lint({ 'ca-key.pem': traditional })).toEqual([]);
    expect(findingLines(findings)).toEqual(['error UnreadableKey ca-key.pem']);
    expect(findings[0]?.problem).toMatch(
      /does not begin with a private key: istiod reads the first block alone/,
    );
    expect(findings[0]?.commands?.[0]).toBe('openssl pkcs8 -topk8 -nocrypt -in ca-key.pem -out new-key.pem');
    const [, ...repair] = (findings[0]?.commands?.[0] ?? '').split(' ').slice(0, -2);
    const repaired = await openssl({ 'ca-key.pem': parameters + traditional }, ...repair);
    expect(lint({ 'ca-key.pem': repaired })).toEqual([]);
  });

  it('finds a public key, nothing, and a key that is broken', () => {
    const { publicKey } = authority.intermediateKeys;
    const keyPem = authority.intermediate.keyPem.split('\n');
    const texts = [
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      '',
      [keyPem[0], 'AAAA', ...keyPem.slice(2)].join('\n'),
    ];

    for (const text of texts)
      expect(lint({ 'ca-key.pem': text })).toContain('error UnreadableKey ca-key.pem');
  });
});

describe('MissingLineBreak', () => {
  it('finds a tls.crt that istiod would write ca.crt straight behind', () => {
    const files = tlsFiles();

    expect(findingLines(lintBundle({ ...files, 'tls.crt': files['tls.crt']?.trimEnd() ?? '' }, now))).toEqual(
      ['error MissingLineBreak tls.crt'],
    );
    expect(findingLines(lintBundle({ ...files, 'ca.crt': files['ca.crt']?.trimEnd() ?? '' }, now))).toEqual(
      [],
    );
    expect(lint({ 'ca-cert.pem': authority.intermediate.certPem.trimEnd() })).toEqual([]);
  });
});

function block(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
