import { ensureTool } from '../toolchain/tools.ts';
import { debianBaseLayer } from './debian-base.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';

/** Where images of an Istio release are named from. */
export interface IstioRelease {
  readonly hub: string;
  readonly tag: string;
}

/** The name of istiod's image in a release. */
export function pilotReference({ hub, tag }: IstioRelease): string {
  return `${hub}/pilot:${tag}`;
}

/**
 * istiod under the name that the operator renders for a release.
 * The local data plane is a stock Envoy, which rejects configuration with Istio's own filters, so the image
 * switches off the two that istiod sends by default. Examples and specs stay free of that.
 */
export async function istiodImage(release: IstioRelease): Promise<ImageDefinition> {
  return {
    reference: pilotReference(release),
    layers: [
      await debianBaseLayer(),
      [copiedFile('/usr/local/bin/pilot-discovery', await ensureTool('pilot-discovery'))],
    ],
    config: {
      user: '1337:1337',
      entrypoint: ['/usr/local/bin/pilot-discovery'],
      env: { PILOT_ENABLE_METADATA_EXCHANGE: 'false', PILOT_ENABLE_ALPN_FILTER: 'false' },
      workingDir: '/',
      labels: {},
    },
  };
}
