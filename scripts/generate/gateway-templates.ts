import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { istioVersions } from '../../src/api/versions.ts';
import { ensureIstioSource } from '../../test/cluster/toolchain/istio-source.ts';

/** Templates by which istiod deploys Gateways of the Gateway API; the agentgateway ones are for another data plane. */
const names = ['kube-gateway', 'waypoint'] as const;

/** Their text by minor and name, from the published module of each minor: istiod of that minor executes them. */
export async function readGatewayTemplates(): Promise<Record<string, Record<string, string>>> {
  const byMinor: Record<string, Record<string, string>> = {};
  for (const { minor } of istioVersions) {
    const folder = await ensureIstioSource(minor, 'istio.io/istio');
    const texts = names.map(async (name) => {
      const file = join(folder, 'manifests/charts/istio-control/istio-discovery/files', `${name}.yaml`);
      return [name, await readFile(file, 'utf8')] as const;
    });
    byMinor[minor] = Object.fromEntries(await Promise.all(texts));
  }
  return byMinor;
}
