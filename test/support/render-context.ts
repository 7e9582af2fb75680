import { defaultOperatorImage } from '../../src/config/operator-config.ts';
import type { RenderContext } from '../../src/render/render-context.ts';

/** Renders for the newest Kubernetes, without an owner, with the image of the chart's defaults. */
export function aRenderContext(fields: Partial<RenderContext> = {}): RenderContext {
  return { operatorImage: defaultOperatorImage, kubernetesMinor: 35, ...fields };
}
