import { buildOwnGoProgram } from './go-program.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';

/** What kubelet holds a pod's namespaces with (`sandbox_image` of containerd). */
export async function pauseImage(): Promise<ImageDefinition> {
  return {
    reference: 'meshoperator.dev/pause:1',
    layers: [[copiedFile('/pause', await buildOwnGoProgram('pause', 'pause'))]],
    config: { user: '65535:65535', entrypoint: ['/pause'], env: {}, workingDir: '/', labels: {} },
  };
}
