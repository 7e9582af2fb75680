/** `1.31.1`, whatever follows: a variant such as `-distroless`, or a build. */
const version = /^v?(\d+)\.(\d+)\.(\d+)/;

/**
 * True when a proxy of this image is older than one of the mesh's tag: by number where both tags are versions, and
 * otherwise when they differ, since nobody can tell which is older. An image by digest alone counts as current.
 */
export function isOlderProxy(image: string, tag: string): boolean {
  const own = tagOf(image);
  if (own === undefined) return false;
  const [ours, theirs] = [version.exec(own), version.exec(tag)];
  if (ours === null || theirs === null) return withoutVariant(own) !== withoutVariant(tag);
  for (let part = 1; part <= 3; part += 1) {
    const difference = Number(ours[part]) - Number(theirs[part]);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function tagOf(image: string): string | undefined {
  const name = image.split('@', 1)[0] ?? '';
  const afterPath = name.slice(name.lastIndexOf('/') + 1);
  const colon = afterPath.indexOf(':');
  return colon < 0 ? undefined : afterPath.slice(colon + 1);
}

function withoutVariant(tag: string): string {
  return tag.replace(/-(distroless|debug)$/, '');
}
