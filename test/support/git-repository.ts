import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';

/** A git repository on this machine, which is read by its `file:` URL. Every change is a commit of branch `main`. */
export class GitRepository {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** One that is empty. */
  static async create(): Promise<GitRepository> {
    const repository = new GitRepository(await mkdtemp(join(tmpdir(), 'mesh-operator-git-')));
    await repository.#git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  get url(): string {
    return `file://${this.#folder}`;
  }

  /** Commits a copy of a folder, at the root or at this path, with these texts replaced in all its files; returns the commit. */
  async commitFolder(
    source: string,
    {
      at = '.',
      replace = {},
    }: { readonly at?: string; readonly replace?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const target = join(this.#folder, at);
    await cp(source, target, { recursive: true });
    for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(target, join(entry.parentPath, entry.name).slice(source.length));
      await writeFile(file, replaceAll(await readFile(file, 'utf8'), replace));
    }
    return this.#commit();
  }

  /** Commits another text of a file, which may be new; returns the commit. */
  async commitFile(path: string, change: (text: string) => string): Promise<string> {
    const file = join(this.#folder, path);
    const before = await readFile(file, 'utf8').catch(() => '');
    await writeFile(file, change(before));
    return this.#commit();
  }

  /** Commits that a file is gone; returns the commit. */
  async commitRemoval(path: string): Promise<string> {
    await rm(join(this.#folder, path));
    return this.#commit();
  }

  /** Names the newest commit. */
  async tag(name: string): Promise<void> {
    await this.#git('tag', name);
  }

  async read(path: string): Promise<string> {
    return readFile(join(this.#folder, path), 'utf8');
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  async #commit(): Promise<string> {
    await this.#git('add', '--all');
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    await this.#git(...author, 'commit', '--quiet', '--message', 'Change');
    return (await this.#git('rev-parse', 'HEAD')).trim();
  }

  #git(...args: readonly string[]): Promise<string> {
    return run('git', args, { cwd: this.#folder });
  }
}

function replaceAll(text: string, replace: Readonly<Record<string, string>>): string {
  return Object.entries(replace).reduce((result, [from, to]) => result.replaceAll(from, to), text);
}
