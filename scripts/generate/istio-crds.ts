import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { isRecord } from '../../src/base/stable-json.ts';
import { moduleFolder } from './go-module.ts';

/** Istio's own CRDs, from the published module `istio.io/istio`, ordered by name. */
export async function readIstioCrds(): Promise<Record<string, unknown>[]> {
  const folder = await moduleFolder('istio.io/istio');
  const file = join(folder, 'manifests/charts/base/files/crd-all.gen.yaml');
  const documents = loadAll(await readFile(file, 'utf8')).filter(isRecord);
  const strange = documents.find((document) => document.kind !== 'CustomResourceDefinition');
  if (documents.length === 0 || strange !== undefined) throw new Error(`${file} should hold CRDs only`);
  return documents.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf(document: Record<string, unknown>): string {
  return isRecord(document.metadata) ? String(document.metadata.name) : '';
}
