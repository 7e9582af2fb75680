import { beforeAll, describe, expect, it } from 'vitest';
import { privateKeyPem } from '../../../../src/pki/key-pair.ts';
import { lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../../support/authorities.ts';

const now = new Date();
const names = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];

let authority: Authority;
let keyPem: string;
let content: string;

beforeAll(async () => {
  authority = await anAuthority();
  keyPem = privateKeyPem(authority.rootKeys);
  content = keyPem.split('\n').slice(1, -2).join('');
});

/** Every way in which somebody may put a key in the wrong place, or break it. */
function misplacedKeys(): string[] {
  return [
    keyPem,
    content,
    keyPem.slice(0, 100),
    keyPem.slice(30),
    ` ${keyPem}`,
    keyPem.trimEnd() + keyPem,
    keyPem.replaceAll('PRIVATE KEY', 'CERTIFICATE'),
    keyPem.replaceAll('PRIVATE KEY', 'RSA PRIVATE KEY'),
    keyPem.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'),
    keyPem.replaceAll(
      'PRIVATE KEY',
      content
        .toUpperCase()
        .replace(/[^A-Z0-9]/g, '')
        .slice(0, 40),
    ),
    keyPem.replace('\n', `\nProc-Type: ${content}\n`),
    `-----BEGIN ${content}-----\n`,
    `-----END ${content}-----\n`,
    Buffer.from(content, 'base64').toString('latin1'),
    authority.root.certPem + keyPem,
    keyPem + authority.root.certPem,
  ];
}

/** Pieces of the key that no finding may hold: each twelve characters of it, as they are and in upper case. */
function piecesOf(text: string): string[] {
  return Array.from({ length: text.length - 12 }, (_, start) => text.slice(start, start + 12));
}

describe('findings about keys in wrong places', () => {
  it('are there, and hold nothing of the key', () => {
    const reports = misplacedKeys().flatMap((text) => [
      ...names.map((name) => lintBundle(authorityFiles(authority, { [name]: text }), now)),
      ...names.map((name) =>
        lintBundle(
          authorityFiles(authority, { [name]: (authorityFiles(authority)[name] ?? '') + text }),
          now,
        ),
      ),
    ]);
    const alone = misplacedKeys().map((text) => lintInputs([{ name: 'key.pem', text }], now));

    const written = JSON.stringify([reports, alone]);

    expect(reports.filter((findings) => findings.length === 0).length).toBeLessThan(reports.length / 8);
    for (const piece of [...piecesOf(content), ...piecesOf(content.toUpperCase())]) {
      expect(written.includes(piece)).toBe(false);
    }
    expect(written).not.toContain(Buffer.from(content, 'base64').toString('hex').slice(40, 80));
  });
});
