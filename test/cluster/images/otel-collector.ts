import { ensureTool } from '../toolchain/tools.ts';
import { copiedFile } from './layer.ts';
import type { ImageDefinition } from './oci-archive.ts';

/** What takes the spans of proxies, and writes them to its log as JSON (`tools/otel-collector`). */
export async function otelCollectorImage(): Promise<ImageDefinition> {
  return {
    reference: 'meshoperator.dev/otel-collector:1',
    layers: [[copiedFile('/otel-collector', await ensureTool('otel-collector'))]],
    config: { user: '65532:65532', entrypoint: ['/otel-collector'], env: {}, workingDir: '/', labels: {} },
  };
}
