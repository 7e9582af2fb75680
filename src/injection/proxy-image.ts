import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf } from './pod.ts';

/** Variants that Istio publishes; a tag that ends in one already gets another instead. */
const variants = ['distroless', 'debug'];

/** The image of the proxy: the annotation's when that is a complete reference, else the mesh's. */
export function proxyImage(facts: InjectionFacts): string {
  const { image } = facts.proxyConfig;
  const variant = isRecord(image) && typeof image.imageType === 'string' ? image.imageType : '';
  return imageOf(facts, facts.mesh.injection.image, variant);
}

/** The image of the container that captures traffic; before Istio 1.31 always that of the proxy. */
export function trafficImage(facts: InjectionFacts): string {
  const { mesh } = facts;
  if (mesh.injection.initImage.includes('/')) return imageOf(facts, mesh.injection.initImage, '');
  return facts.isAtLeast131 ? imageOf(facts, mesh.injection.initImage, '') : proxyImage(facts);
}

function imageOf({ pod, mesh }: InjectionFacts, image: string, variant: string): string {
  const asked = annotationOf(pod, names.proxyImage);
  if (asked?.includes('/')) return asked;
  if (image.includes('/')) return image;
  const type = annotationOf(pod, names.proxyImageType) ?? (variant || mesh.injection.variant);
  return `${mesh.hub}/${image}:${tagOf(mesh.tag, type)}`;
}

function tagOf(tag: string, type: string): string {
  if (type === '') return tag;
  const present = variants.find((variant) => tag.endsWith(`-${variant}`));
  const base = present === undefined ? tag : tag.slice(0, -present.length - 1);
  return type === 'default' ? base : `${base}-${type}`;
}
