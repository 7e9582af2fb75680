import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copiedFile, copiedTree, textFile } from '../../../cluster/images/layer.ts';
import { type ImageDefinition, writeOciArchive } from '../../../cluster/images/oci-archive.ts';

interface Member {
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  readonly linkname: string | null;
  readonly content: Buffer;
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'oci-archive-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writeOciArchive', () => {
  it('writes an OCI layout whose digests, sizes and diff ids are those of its blobs', async () => {
    const definition = await anImage({ reference: 'example.org/tool:3' });

    const digest = await writeOciArchive(definition, path.join(folder, 'image.tar'));

    const archive = await readTar(await readFile(path.join(folder, 'image.tar')));
    for (const [name, member] of archive) {
      if (!name.startsWith('blobs/')) continue;
      expect(name).toBe(`blobs/sha256/${createHash('sha256').update(member.content).digest('hex')}`);
    }
    expect(jsonOf(archive, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const index = jsonOf(archive, 'index.json');
    expect(index.manifests).toHaveLength(1);
    expect(index.manifests[0]).toMatchObject({
      digest,
      annotations: { 'io.containerd.image.name': 'example.org/tool:3' },
      platform: { os: 'linux' },
    });
    const manifest = blobJson(archive, digest);
    const config = blobJson(archive, manifest.config.digest);
    for (const blob of [manifest.config, ...manifest.layers]) {
      expect(blobOf(archive, blob.digest).length).toBe(blob.size);
    }
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map((layer: { digest: string }) => layer.digest));
  });

  it('says in the configuration how the container is started', async () => {
    const definition = await anImage({});

    const digest = await writeOciArchive(definition, path.join(folder, 'image.tar'));

    const archive = await readTar(await readFile(path.join(folder, 'image.tar')));
    const config = blobJson(archive, blobJson(archive, digest).config.digest);
    expect(config.config).toEqual({
      User: '1337:1337',
      Env: ['A=1', 'B=two words'],
      Entrypoint: ['/bin/tool', 'run'],
      WorkingDir: '/work',
      Labels: { who: 'us' },
    });
  });

  it('keeps modes, owners and links, and adds the parent directories of each file', async () => {
    const tree = path.join(folder, 'tree');
    await mkdir(path.join(tree, 'sub'), { recursive: true });
    await chmod(path.join(tree, 'sub'), 0o700);
    await writeFile(path.join(tree, 'sub', 'secret'), 'hidden');
    await chmod(path.join(tree, 'sub', 'secret'), 0o600);
    await symlink('sub/secret', path.join(tree, 'link'));
    const definition = await anImage({
      layers: [
        [
          ...(await copiedTree('/opt/tree', tree)),
          { kind: 'directory', path: '/tmp', mode: 0o1777 },
          { kind: 'text', path: '/home/owned', text: 'mine', uid: 5, gid: 6 },
        ],
      ],
    });

    const members = await writeAndReadLayer(definition);

    const summary = [...members].map(([name, { type, mode, owner, linkname }]) =>
      [name, type, mode.toString(8), owner, linkname ?? ''].join(' ').trim(),
    );
    expect(summary).toEqual([
      'home/ directory 755 0:0',
      'home/owned file 644 5:6',
      'opt/ directory 755 0:0',
      'opt/tree/ directory 755 0:0',
      'opt/tree/link symlink 777 0:0 sub/secret',
      'opt/tree/sub/ directory 700 0:0',
      'opt/tree/sub/secret file 600 0:0',
      'tmp/ directory 1777 0:0',
    ]);
    expect(members.get('opt/tree/sub/secret')?.content.toString()).toBe('hidden');
  });

  it('writes the same bytes for the same files, whatever their order and age', async () => {
    const definition = await anImage({});
    const [first] = definition.layers;
    const reversed = { ...definition, layers: [[...(first ?? [])].reverse()] };

    await writeOciArchive(definition, path.join(folder, 'a.tar'));
    await writeFile(path.join(folder, 'program'), 'program'); // the same content, written again
    await writeOciArchive(reversed, path.join(folder, 'b.tar'));

    const [a, b] = await Promise.all(['a.tar', 'b.tar'].map((name) => readFile(path.join(folder, name))));
    expect(a?.equals(b ?? Buffer.of())).toBe(true);
  });

  it('gives another digest when a file, the user or the environment changes', async () => {
    const variants = [
      await anImage({}),
      await anImage({ layers: [[textFile('/etc/name', 'other')]] }),
      await anImage({ config: { user: '0:0' } }),
      await anImage({ config: { env: { A: '2' } } }),
    ];

    const digests = [];
    for (const variant of variants)
      digests.push(await writeOciArchive(variant, path.join(folder, 'image.tar')));

    expect(new Set(digests).size).toBe(variants.length);
  });

  it.each([
    {
      name: 'a path named twice',
      paths: ['/etc/a', '/etc/a'],
      message: 'Layer entry "/etc/a" is named twice',
    },
    { name: 'a relative path', paths: ['etc/a'], message: 'Layer entry "etc/a" must be an absolute path' },
  ])('refuses $name', async ({ paths, message }) => {
    const definition = await anImage({ layers: [paths.map((name) => textFile(name, 'x'))] });

    await expect(writeOciArchive(definition, path.join(folder, 'image.tar'))).rejects.toThrow(message);
  });

  it('names the file that is missing on disk', async () => {
    const definition = await anImage({ layers: [[copiedFile('/bin/x', path.join(folder, 'not-there'))]] });

    await expect(writeOciArchive(definition, path.join(folder, 'image.tar'))).rejects.toThrow('not-there');
  });
});

async function anImage(
  overrides: Partial<Omit<ImageDefinition, 'config'>> & { config?: Partial<ImageDefinition['config']> },
): Promise<ImageDefinition> {
  const program = path.join(folder, 'program');
  await writeFile(program, 'program');
  return {
    reference: 'example.org/tool:1',
    layers: [[copiedFile('/bin/tool', program), textFile('/etc/name', 'tool')]],
    ...overrides,
    config: {
      user: '1337:1337',
      entrypoint: ['/bin/tool', 'run'],
      env: { A: '1', B: 'two words' },
      workingDir: '/work',
      labels: { who: 'us' },
      ...overrides.config,
    },
  };
}

async function writeAndReadLayer(definition: ImageDefinition): Promise<Map<string, Member>> {
  const file = path.join(folder, 'image.tar');
  const digest = await writeOciArchive(definition, file);
  const archive = await readTar(await readFile(file));
  return readTar(blobOf(archive, blobJson(archive, digest).layers[0].digest));
}

async function readTar(bytes: Buffer): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const reader = extract();
  Readable.from([bytes]).pipe(reader as unknown as NodeJS.WritableStream);
  for await (const source of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of source) chunks.push(chunk as Buffer);
    const { name, type, mode, uid, gid, linkname } = source.header;
    members.set(name, { type, mode, owner: `${uid}:${gid}`, linkname, content: Buffer.concat(chunks) });
  }
  return members;
}

function blobOf(archive: Map<string, Member>, digest: string): Buffer {
  const member = archive.get(`blobs/${digest.replace(':', '/')}`);
  if (member === undefined) throw new Error(`No blob ${digest}`);
  return member.content;
}

// biome-ignore lint/suspicious/noExplicitAny: documents of the OCI specification, asserted field by field
function blobJson(archive: Map<string, Member>, digest: string): any {
  return JSON.parse(blobOf(archive, digest).toString());
}

// biome-ignore lint/suspicious/noExplicitAny: documents of the OCI specification, asserted field by field
function jsonOf(archive: Map<string, Member>, name: string): any {
  return JSON.parse(archive.get(name)?.content.toString() ?? 'null');
}
