import { istioVersions } from '../../../src/api/versions.ts';
import { corednsImage } from './coredns.ts';
import { ensureArchive, type ImageArchive } from './image-cache.ts';
import { type IstioRelease, istiodImage } from './istiod.ts';
import { meshOperatorImage } from './mesh-operator.ts';
import type { ImageDefinition } from './oci-archive.ts';
import { otelCollectorImage } from './otel-collector.ts';
import { pauseImage } from './pause.ts';
import { proxyv2Image } from './proxyv2.ts';
import { testAppImage } from './test-app.ts';

/** The images that local clusters can run. */
export type ImageName =
  | 'pause'
  | 'coredns'
  | 'test-app'
  | 'otel-collector'
  | 'istiod'
  | 'proxyv2'
  | 'mesh-operator';

const definitions: Record<ImageName, (release: IstioRelease) => Promise<ImageDefinition>> = {
  pause: pauseImage,
  coredns: corednsImage,
  'test-app': testAppImage,
  'otel-collector': otelCollectorImage,
  istiod: istiodImage,
  proxyv2: proxyv2Image,
  'mesh-operator': meshOperatorImage,
};

/** Every name that ensureImage knows. */
export const imageNames = Object.keys(definitions) as ImageName[];

/** The hub and tag that a MeshOperator without `hub` and `tag` resolves to. */
export const defaultRelease: IstioRelease = {
  hub: 'registry.istio.io/release',
  tag: istioVersions[0].patch,
};

/**
 * The named image as an archive on this disk, assembled now unless one from the same inputs is kept.
 * `release` names istiod and proxyv2 (`<hub>/pilot:<tag>`, `<hub>/proxyv2:<tag>`); other images ignore it.
 */
export async function ensureImage(
  name: ImageName,
  release: IstioRelease = defaultRelease,
): Promise<ImageArchive> {
  return ensureArchive(name, await definitions[name](release));
}
