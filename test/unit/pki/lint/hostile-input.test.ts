import { beforeAll, describe, expect, it } from 'vitest';
import { lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';
import { pick, randomNumbers } from '../../../support/random.ts';

const now = new Date();
const names = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];

let authority: Authority;

beforeAll(async () => {
  authority = await anAuthority();
});

function rulesOf(files: Readonly<Record<string, string>>): string[] {
  return lintBundle(files, now).map(({ rule }) => rule);
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

describe('hostile files', () => {
  it('with one byte of a certificate changed give a finding, and never an exception', () => {
    const original = derOf(authority.intermediate.certPem);

    for (let position = 0; position < original.length; position += 1) {
      const der = Buffer.from(original);
      der[position] = (der[position] ?? 0) ^ ([0x01, 0x80, 0xff][position % 3] ?? 0);
      const changed = pemOf(der);
      const files = authorityFiles(authority, { 'ca-cert.pem': changed, 'cert-chain.pem': changed });

      expect(rulesOf(files)).not.toEqual([]);
    }
  });

  it('that are cut anywhere are unreadable', () => {
    const { certPem } = authority.root;

    for (let length = 0; length < certPem.length - 1; length += 7) {
      expect(rulesOf(authorityFiles(authority, { 'root-cert.pem': certPem.slice(0, length) }))).toContain(
        'Unreadable',
      );
    }
  });

  it('of random bytes, of pieces of PEM in any order, and of random DER never throw', () => {
    const random = randomNumbers(42);
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
    const { certPem } = authority.root;
    const makers: readonly (() => string)[] = [
      () => bytes(200).toString('latin1'),
      () => pemOf(bytes(60)),
      () => pemOf(Buffer.concat([Buffer.from([0x30, 0x82]), bytes(80)])),
      () => certPem.slice(Math.floor(random() * certPem.length)),
      () => certPem,
      () => authority.intermediate.keyPem.slice(0, Math.floor(random() * 240)),
      () => '-----BEGIN CERTIFICATE-----\n',
      () => '-----END CERTIFICATE-----\n',
    ];

    for (let round = 0; round < 500; round += 1) {
      const text = () => Array.from({ length: 4 }, () => pick(random, makers)()).join('');
      const files = Object.fromEntries(names.map((name) => [name, text()]));

      expect(rulesOf(files)).not.toEqual([]);
      expect(lintInputs([{ name: 'x', text: text() }], now)).toHaveLength(1);
    }
  });

  it('as large as a Secret may be are read to their end', () => {
    const fill = (text: string) => text.repeat(Math.floor(1_048_576 / text.length));

    for (const text of [
      '\n',
      '-',
      '-----BEGIN CERTIFICATE-----\n',
      'A: b\n',
      '-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n',
    ]) {
      expect(rulesOf(authorityFiles(authority, { 'root-cert.pem': fill(text) }))).toContain('Unreadable');
    }
    const block = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1_000_000)}\n-----END CERTIFICATE-----\n`;
    expect(rulesOf(authorityFiles(authority, { 'root-cert.pem': block }))).toContain('Unreadable');
  });

  it('with values nested too deep are unreadable', () => {
    const nested = Array.from({ length: 5_000 }).reduce<Buffer>((inner) => {
      const { length } = inner;
      const header =
        length < 128 ? [0x30, length] : [0x30, 0x83, length >> 16, (length >> 8) & 255, length & 255];
      return Buffer.concat([Buffer.from(header), inner]);
    }, Buffer.alloc(0));

    expect(rulesOf(authorityFiles(authority, { 'root-cert.pem': pemOf(nested) }))).toContain('Unreadable');
  });

  it('may have the names of what every object has', () => {
    const files = Object.fromEntries([
      ['__proto__', 'x'],
      ['constructor', 'x'],
    ]);

    expect(rulesOf(files)).toEqual(['MissingFile']);
  });

  it('cannot write to a terminal through a name of a certificate', () => {
    const commonName = '\u001b[2J\u202eevil\u0007\u009b';
    const certPem = flawedCertificate({ commonName, basicConstraints: {} }, authority.rootKeys);

    const findings = lintBundle(authorityFiles(authority, { 'root-cert.pem': certPem }), now);

    expect(JSON.stringify(findings)).toContain('evil');
    for (const { where, problem, fix, commands = [] } of findings) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect([where, problem, fix, ...commands].join(' ')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });
});
