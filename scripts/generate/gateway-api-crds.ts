import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { loadAll } from 'js-yaml';
import { gatewayApiChannels } from '../../src/api/gateway-api.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { isRecord } from '../../src/base/stable-json.ts';
import { ensureIstioSource } from '../../test/cluster/toolchain/istio-source.ts';

/**
 * The CRDs of the Gateway API by channel, from the published module that the newest Istio is built with. They have more
 * than a megabyte, and few meshes ask for them: so they are packed (Brotli, base64 of JSON).
 */
export async function readGatewayApiCrds(): Promise<Record<string, string>> {
  const module = await ensureIstioSource(istioVersions[0].minor, 'sigs.k8s.io/gateway-api');
  const packed: Record<string, string> = {};
  for (const channel of gatewayApiChannels) {
    const folder = join(module, 'config/crd', channel.toLowerCase());
    const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    const crds = texts
      .flatMap((text) => loadAll(text))
      .filter(isRecord)
      .filter(({ kind }) => kind === 'CustomResourceDefinition');
    if (crds.length === 0) throw new Error(`${folder} should hold CRDs`);
    packed[channel] = brotliCompressSync(JSON.stringify(crds)).toString('base64');
  }
  return packed;
}
