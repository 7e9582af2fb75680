import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';

/** A certificate and its key in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority in a folder of its own, made with openssl. */
export class TestAuthority {
  readonly folder: string;
  readonly caPem: string;
  #issued = 0;

  private constructor(folder: string, caPem: string) {
    this.folder = folder;
    this.caPem = caPem;
  }

  static async create(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-ca-'));
    await openssl(folder, 'ca', ['-subj', '/CN=test', '-addext', 'basicConstraints=critical,CA:TRUE']);
    return new TestAuthority(folder, await readFile(join(folder, 'ca.crt'), 'utf8'));
  }

  /** A serving certificate, each with a serial of its own; `subject` as openssl writes it. */
  async issue(subject = 'IP:127.0.0.1'): Promise<TestCertificate> {
    this.#issued += 1;
    const name = `leaf-${this.#issued}`;
    await openssl(this.folder, name, [
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${subject}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth'],
      ...['-CA', join(this.folder, 'ca.crt'), '-CAkey', join(this.folder, 'ca.key')],
    ]);
    const read = (suffix: string) => readFile(join(this.folder, `${name}.${suffix}`), 'utf8');
    return { cert: await read('crt'), key: await read('key') };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}

function openssl(folder: string, name: string, args: readonly string[]): Promise<string> {
  return run('openssl', [
    ...['req', '-x509', '-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`), ...args],
  ]);
}

/** A folder as kubelet mounts a ConfigMap or Secret: files are links through `..data`, which is swapped at once. */
export class MountedFolder {
  readonly path: string;
  #generation = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(files: Readonly<Record<string, string>>): Promise<MountedFolder> {
    const folder = new MountedFolder(await mkdtemp(join(tmpdir(), 'mesh-operator-mount-')));
    await folder.replace(files);
    for (const name of Object.keys(files)) await symlink(join('..data', name), join(folder.path, name));
    return folder;
  }

  /** Puts these files in the place of those before, in one instant. */
  async replace(files: Readonly<Record<string, string>>): Promise<void> {
    this.#generation += 1;
    const version = join(this.path, `..version-${this.#generation}`);
    await mkdir(version);
    for (const [name, text] of Object.entries(files)) await writeFile(join(version, name), text);
    const next = join(this.path, '..data_tmp');
    await symlink(basename(version), next);
    await rename(next, join(this.path, '..data'));
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}
