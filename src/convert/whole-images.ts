import { defaultHub } from '../api/resolve.ts';
import { resolveVersion } from '../api/resolve-version.ts';
import { imageHub } from '../api/spec/field-format.ts';
import type { Draft } from './draft.ts';
import type { SettingSource } from './setting-source.ts';

/** Values that name an image whole, and the image that each is of. */
const places = [
  { path: ['pilot', 'image'], image: 'pilot' },
  { path: ['global', 'proxy', 'image'], image: 'proxyv2' },
  { path: ['global', 'proxy_init', 'image'], image: 'proxyv2' },
] as const;

/** Other values that say which images there are; what they mean beside whole ones is for them to say. */
const others = [
  ...[
    ['global', 'hub'],
    ['global', 'tag'],
    ['global', 'variant'],
  ],
  ...[
    ['pilot', 'hub'],
    ['pilot', 'tag'],
    ['pilot', 'variant'],
  ],
] as const;

/**
 * Carries images of one place and one release of Istio as hub and version, when values name each of them whole, as the
 * operator of Sail has its charts do: so another version of the mesh has other images. Whatever else names images stays.
 */
export function carryWholeImages(values: SettingSource, { mesh, ledger }: Draft): void {
  if (others.some((path) => values.peek(...path) !== undefined)) return;
  const found = places.map(({ path, image }) => partsOf(values.peekText(...path), image));
  const [first] = found;
  if (first === undefined || found.some((parts) => parts?.hub !== first.hub || parts.tag !== first.tag))
    return;
  const version = mesh.peek('spec', 'version') ?? first.tag;
  if (version !== first.tag || resolveVersion(first.tag) === undefined) return;
  if (!imageHub().safeParse(first.hub).success) return;
  for (const { path } of places) {
    ledger.preset(values.take(...path), 'is what hub and version of the mesh stand for');
  }
  if (first.hub !== defaultHub) mesh.give(['spec', 'hub'], first.hub);
  if (mesh.peek('spec', 'version') === undefined) mesh.give(['spec', 'version'], first.tag);
}

function partsOf(reference: string | undefined, image: string): { hub: string; tag: string } | undefined {
  const [, hub = '', name, tag = ''] =
    /^(.+)\/([^/:@]+):([0-9]+\.[0-9]+\.[0-9]+)$/.exec(reference ?? '') ?? [];
  return name === image ? { hub, tag } : undefined;
}
