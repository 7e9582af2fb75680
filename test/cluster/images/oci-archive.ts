import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import {
  addFile,
  addText,
  type BlobDescription,
  type LayerEntry,
  type TarHeader,
  writeLayer,
} from './layer.ts';

/** How a container of the image is started, in the words of the OCI image configuration. */
export interface ImageConfig {
  /** Numeric `uid:gid`, so that kubelet can judge runAsNonRoot. */
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Everything that decides the bytes of an image. */
export interface ImageDefinition {
  /** `host/path:tag`, exactly as pods name it. */
  readonly reference: string;
  /** Lowest first. Layers that seldom change come first. */
  readonly layers: readonly (readonly LayerEntry[])[];
  readonly config: ImageConfig;
}

interface Blob extends BlobDescription {
  readonly mediaType: string;
}

const layerMediaType = 'application/vnd.oci.image.layer.v1.tar';
const configMediaType = 'application/vnd.oci.image.config.v1+json';
const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
const indexMediaType = 'application/vnd.oci.image.index.v1+json';

/**
 * Writes the image as an OCI archive (image-spec 1.0, image layout in a tar) to `file`, which containerd
 * (`ctr -n k8s.io images import`), docker and podman load under the definition's reference.
 * The same definition and files give the same bytes.
 * @returns the digest of the manifest (`sha256:...`): the image's identity.
 */
export async function writeOciArchive(definition: ImageDefinition, file: string): Promise<string> {
  const scratch = await mkdtemp(path.join(path.dirname(file), 'layers-'));
  try {
    const layers: Blob[] = [];
    for (const [index, entries] of definition.layers.entries()) {
      const blob = await writeLayer(entries, path.join(scratch, String(index)));
      layers.push({ ...blob, mediaType: layerMediaType });
    }

    const config = JSON.stringify(configDocument(definition.config, layers));
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestMediaType,
      config: describe(config, configMediaType),
      layers,
    });

    const tar = pack();
    const writing = pipeline(tar, createWriteStream(file));
    addText(tar, archiveHeader('oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    addText(tar, archiveHeader('index.json'), JSON.stringify(indexDocument(definition.reference, manifest)));
    addBlob(tar, manifest);
    addBlob(tar, config);
    const added = new Set<string>();
    for (const [index, { digest }] of layers.entries()) {
      if (!added.has(digest)) {
        await addFile(tar, archiveHeader(blobPath(digest)), path.join(scratch, String(index)));
      }
      added.add(digest);
    }
    tar.finalize();
    await writing;
    return digestOf(manifest);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The name Go and OCI use for the processor of this machine. */
export function imageArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function configDocument(config: ImageConfig, layers: readonly Blob[]): unknown {
  return {
    architecture: imageArchitecture(),
    os: 'linux',
    config: {
      User: config.user,
      Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: config.entrypoint,
      WorkingDir: config.workingDir,
      Labels: config.labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  };
}

function indexDocument(reference: string, manifest: string): unknown {
  return {
    schemaVersion: 2,
    mediaType: indexMediaType,
    manifests: [
      {
        ...describe(manifest, manifestMediaType),
        platform: { architecture: imageArchitecture(), os: 'linux' },
        annotations: {
          'io.containerd.image.name': reference,
          'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
        },
      },
    ],
  };
}

function addBlob(tar: Pack, text: string): void {
  addText(tar, archiveHeader(blobPath(digestOf(text))), text);
}

function describe(text: string, mediaType: string): Blob {
  return { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function archiveHeader(name: string): TarHeader {
  return { name, mode: 0o644, mtime: new Date(0) };
}
