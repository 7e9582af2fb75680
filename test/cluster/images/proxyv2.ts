import path from 'node:path';
import { istioVersions } from '../../../src/api/versions.ts';
import { ensureIstioSource } from '../toolchain/istio-source.ts';
import { ensureTool } from '../toolchain/tools.ts';
import { debianBaseLayer } from './debian-base.ts';
import type { IstioRelease } from './istiod.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';
import { packetFilterLayer } from './packet-filter.ts';

/** The name of the proxy's image in a release. */
export function proxyReference({ hub, tag }: IstioRelease): string {
  return `${hub}/proxyv2:${tag}`;
}

/**
 * The proxy of gateways and sidecars, and the init container that captures a pod's traffic: pilot-agent, a stock
 * Envoy and the packet filter's programs, under the name that the operator renders.
 */
export async function proxyv2Image(release: IstioRelease): Promise<ImageDefinition> {
  return {
    reference: proxyReference(release),
    layers: [
      await debianBaseLayer(),
      await packetFilterLayer(),
      [copiedFile('/usr/local/bin/envoy', await ensureTool('envoy'))],
      [
        copiedFile('/usr/local/bin/pilot-agent', await ensureTool('pilot-agent')),
        copiedFile('/var/lib/istio/envoy/envoy_bootstrap_tmpl.json', await bootstrapTemplate(), 0o644),
      ],
    ],
    config: {
      user: '1337:1337',
      entrypoint: ['/usr/local/bin/pilot-agent'],
      env: {},
      workingDir: '/',
      labels: {},
    },
  };
}

/** Istio's own template of Envoy's bootstrap, in the published module that pilot-agent is built from. */
async function bootstrapTemplate(): Promise<string> {
  const folder = await ensureIstioSource(istioVersions[0].minor, 'istio.io/istio');
  return path.join(folder, 'tools/packaging/common/envoy_bootstrap.json');
}
