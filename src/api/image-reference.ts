/** The parts an image reference is made of. */
export interface ImageParts {
  readonly hub: string;
  /** Name below the hub; taken as a complete reference when it contains `/`. */
  readonly image: string;
  readonly tag: string;
  /** `distroless` and the like; empty or `default` for none. */
  readonly variant?: string | undefined;
}

/** `<hub>/<image>:<tag>[-<variant>]`. A variant that the tag already ends in is not added again. */
export function imageReference({ hub, image, tag, variant = '' }: ImageParts): string {
  if (image.includes('/')) return image;
  const suffix = variant === '' || variant === 'default' || tag.endsWith(`-${variant}`) ? '' : `-${variant}`;
  return `${hub}/${image}:${tag}${suffix}`;
}
