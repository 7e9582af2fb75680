import { accountFiles } from './debian-base.ts';
import { buildOwnGoProgram } from './go-program.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';

/** The app that tests and the demo run: `serve` answers, `call` makes requests, both count (`test/app`). */
export async function testAppImage(): Promise<ImageDefinition> {
  return {
    reference: 'meshoperator.dev/test-app:1',
    layers: [[...accountFiles(), copiedFile('/test-app', await buildOwnGoProgram('test-app', '.'))]],
    config: { user: '65532:65532', entrypoint: ['/test-app'], env: {}, workingDir: '/', labels: {} },
  };
}
