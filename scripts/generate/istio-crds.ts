import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { istioVersions } from '../../src/api/versions.ts';
import { isRecord } from '../../src/base/stable-json.ts';
import { ensureIstioSource } from '../../test/cluster/toolchain/istio-source.ts';

/** Istio's own CRDs of the newest minor, from the published module `istio.io/istio`, ordered by name. */
export async function readIstioCrds(): Promise<Record<string, unknown>[]> {
  const folder = await ensureIstioSource(istioVersions[0].minor, 'istio.io/istio');
  const file = join(folder, 'manifests/charts/base/files/crd-all.gen.yaml');
  const documents = loadAll(await readFile(file, 'utf8')).filter(isRecord);
  const strange = documents.find((document) => document.kind !== 'CustomResourceDefinition');
  if (documents.length === 0 || strange !== undefined) throw new Error(`${file} should hold CRDs only`);
  return documents.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf(document: Record<string, unknown>): string {
  return isRecord(document.metadata) ? String(document.metadata.name) : '';
}
