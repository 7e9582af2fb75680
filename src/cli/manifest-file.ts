import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { loadAll } from 'js-yaml';
import { messageOf } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import { type Terminal, UsageError } from './terminal.ts';

/** A document of a manifest file, as it was read: nothing about it is certain but its place. */
export interface ManifestDocument {
  /** `mesh.yaml`, or `mesh.yaml[2]` for the second document of several. */
  readonly source: string;
  readonly value: unknown;
}

/**
 * Every document of a YAML or JSON file, `-` for standard input; empty documents are left out.
 * Throws UsageError when the file cannot be read or is not YAML.
 */
export async function readManifestFile(file: string, terminal: Terminal): Promise<ManifestDocument[]> {
  const name = file === '-' ? 'standard input' : file;
  const content = await readContent(file, name, terminal);
  const values = parse(content, name).filter((value) => value !== null && value !== undefined);
  return values.map((value, index) => ({
    source: values.length === 1 ? name : `${name}[${index + 1}]`,
    value,
  }));
}

/** The MeshOperators among the documents; throws UsageError when there is none. */
export function meshDocuments(documents: readonly ManifestDocument[], file: string): ManifestDocument[] {
  const meshes = documents.filter(({ value }) => isRecord(value) && value.kind === 'MeshOperator');
  if (meshes.length === 0) {
    throw new UsageError(
      `${file} contains no object of kind MeshOperator (apiVersion meshoperator.dev/v1alpha1)`,
    );
  }
  return meshes;
}

async function readContent(file: string, name: string, terminal: Terminal): Promise<string> {
  try {
    return file === '-' ? await text(terminal.stdin as NodeJS.ReadStream) : await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read ${name}: ${messageOf(error)}`);
  }
}

function parse(content: string, name: string): unknown[] {
  try {
    return loadAll(content);
  } catch (error) {
    throw new UsageError(`${name} is not valid YAML: ${messageOf(error)}`);
  }
}
