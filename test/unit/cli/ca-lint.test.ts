import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaLintOptions, caLint } from '../../../src/cli/ca-lint.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import type { LintReport } from '../../../src/pki/lint/lint-bundle.ts';
import { type Authority, anAuthority, authorityFiles } from '../../support/authorities.ts';
import { flawedCertificate } from '../../support/flawed-certificate.ts';
import { runCli } from '../../support/run-cli.ts';

let folder: string;
let authority: Authority;
let other: Authority;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ca-lint-'));
  [authority, other] = await Promise.all([anAuthority(), anAuthority()]);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function aFolder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

function lint(paths: readonly string[], output: CaLintOptions['output'] = 'text') {
  return runCli((terminal) => caLint(paths, { output }, terminal));
}

/** A certificate that is no authority and has no keyUsage: two findings of one fix. */
function twiceFlawed(): string {
  const issuer = { certPem: authority.root.certPem, keys: authority.rootKeys };
  const flaws = { keyUsage: null, more: [{ name: 'extKeyUsage', serverAuth: true }] };
  return flawedCertificate(flaws, authority.intermediateKeys, issuer);
}

describe('mesh-operator ca lint', () => {
  it('finds nothing in a good folder, whatever else is in it', async () => {
    const path = await aFolder('good', {
      ...authorityFiles(authority),
      'README.md': 'mine',
      'root-key.pem': 'x',
    });

    expect(await lint([path])).toEqual({ code: 0, stdout: '', stderr: `${path}: nothing found\n` });
  });

  it('prints where, why and the fix of each finding, and the same commands once', async () => {
    const certPem = twiceFlawed();
    const path = await aFolder(
      'flawed',
      authorityFiles(authority, { 'ca-cert.pem': certPem, 'cert-chain.pem': certPem }),
    );

    const { code, stdout } = await lint([path]);

    expect(code).toBe(1);
    expect(stdout.split('\n').map((line) => line.replace(/-days \d+/, '-days N'))).toEqual([
      path,
      '  warning MayNotSign: ca-cert.pem, cert-chain.pem (CN=Flawed CA)',
      expect.stringMatching(/^ {4}It has no keyUsage, .*\.$/),
      '    Fix: Issue it again with its own name and key and the extensions of an authority. root-key.pem is the private key of its issuer.',
      "      printf '%s\\n' 'basicConstraints = critical, CA:TRUE, pathlen:0' 'keyUsage = critical, keyCertSign, cRLSign' 'subjectKeyIdentifier = hash' 'authorityKeyIdentifier = keyid' > ca.ext",
      '      openssl x509 -x509toreq -in ca-cert.pem -signkey ca-key.pem -out ca.csr',
      '      openssl x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -set_serial 0x$(openssl rand -hex 16) -days N -sha256 -extfile ca.ext -out ca-cert.pem',
      '      cat ca-cert.pem > cert-chain.pem',
      '  error RestrictedPurpose: ca-cert.pem, cert-chain.pem (CN=Flawed CA)',
      expect.stringMatching(/^ {4}Its extendedKeyUsage leaves out .*\.$/),
      expect.stringMatching(/^ {4}Fix: .* The commands are those above\.$/),
      '',
    ]);
  });

  it('exits with 0 when there are only warnings', async () => {
    const roots = authority.root.certPem + other.root.certPem;
    const path = await aFolder('warned', authorityFiles(authority, { 'root-cert.pem': roots }));

    const { code, stdout } = await lint([path]);

    expect(code).toBe(0);
    expect(stdout).toContain(`${path}\n  warning SeveralRoots: root-cert.pem\n`);
  });

  it('compares folders, in Istio’s layout and in that of kubernetes.io/tls', async () => {
    const east = await aFolder('east', authorityFiles(authority));
    const { root, intermediate } = other;
    const west = await aFolder('west', {
      ...{ 'tls.crt': intermediate.certPem, 'tls.key': intermediate.keyPem, 'ca.crt': root.certPem },
    });

    const { code, stdout, stderr } = await lint([east, west]);

    expect(code).toBe(1);
    expect(stdout).toMatch(`${east}, ${west}\n  error DifferentRoots: ${east}, ${west}\n`);
    expect(stderr).toBe(`${east}: nothing found\n${west}: nothing found\n`);
  });

  it('looks at files, and at no more of them than a Secret holds', async () => {
    const path = await aFolder('files', {
      'root.pem': authority.root.certPem,
      'huge.pem': 'x'.repeat(3_000_000),
    });

    const good = await lint([join(path, 'root.pem')]);
    const huge = await lint([join(path, 'huge.pem')]);

    expect(good.code).toBe(0);
    expect(huge.code).toBe(1);
    expect(huge.stdout).toContain('error TooLarge: huge.pem');
  });

  it('sees a byte order mark, which Go does not read over', async () => {
    const path = await aFolder('marked', { 'root.pem': `\ufeff${authority.root.certPem}` });

    const { stdout } = await lint([join(path, 'root.pem')]);

    expect(stdout).toContain('error Unreadable: root.pem');
  });

  it('prints JSON with a report of each input, and no key material', async () => {
    const { keyPem } = authority.intermediate;
    const path = await aFolder('json', authorityFiles(authority, { 'root-cert.pem': keyPem }));

    const { code, stdout } = await lint([path], 'json');

    const [report, ...others] = JSON.parse(stdout) as LintReport[];
    expect(code).toBe(1);
    expect(others).toEqual([]);
    expect(report?.input).toBe(path);
    expect(report?.findings.map(({ rule }) => rule)).toContain('MisplacedPrivateKey');
    expect(stdout).not.toContain(keyPem.split('\n')[1]);
  });

  it('refuses a path that cannot be read as a mistake of the caller', async () => {
    const attempt = lint([join(folder, 'nowhere')]);

    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(/Cannot read .*nowhere: ENOENT/);
  });

  it('refuses paths and a cluster at once', async () => {
    const attempt = runCli((terminal) => caLint(['x'], { output: 'text', context: ['east'] }, terminal));

    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow('Give paths, or a cluster');
  });

  it.each([
    ['an unknown format', ['ca', 'lint', '-o', 'xml', 'x']],
    ['no verb', ['ca']],
    ['an unknown verb', ['ca', 'polish', 'x']],
  ])('refuses %s', async (_name, args) => {
    const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    const program = createProgram(terminal, () => {});

    await expect(program.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ exitCode: 1 });
  });
});
