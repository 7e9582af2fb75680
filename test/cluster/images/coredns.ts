import { ensureTool } from '../toolchain/tools.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';

/** The cluster's DNS server. It runs as an ordinary user: give it a port above 1023, or the sysctl. */
export async function corednsImage(): Promise<ImageDefinition> {
  return {
    reference: 'meshoperator.dev/coredns:1',
    layers: [[copiedFile('/coredns', await ensureTool('coredns'))]],
    config: { user: '65532:65532', entrypoint: ['/coredns'], env: {}, workingDir: '/', labels: {} },
  };
}
