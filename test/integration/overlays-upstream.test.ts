import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { moduleVersion, toolsFolder } from '../cluster/toolchain/go-tool.ts';
import { patchWithIstio } from '../support/istio-overlays.ts';
import { agreedCases, betterCases, patchedObject, refusedCases } from '../support/overlay-cases.ts';

const at = (object: unknown, place: string) =>
  place
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);

/** What our own code gives for the same patches is in test/unit/render/overlays. */
describe('patches of overlays, made by Istio’s own code', () => {
  it('give what they give here', async () => {
    const outcomes = await patchWithIstio(patchedObject, agreedCases);

    const found = agreedCases.map(({ path, value, gives: [place] }, index) => ({
      path,
      value,
      error: outcomes[index]?.error,
      gives: at(outcomes[index]?.object, place),
    }));

    expect(found).toEqual(
      agreedCases.map(({ path, value, gives: [, given] }) => ({
        path,
        value,
        error: undefined,
        gives: given,
      })),
    );
  });

  it('give something else only where ours is the better one', async () => {
    const outcomes = await patchWithIstio(patchedObject, betterCases);

    const same = betterCases.filter(({ gives: [place, value] }, index) => {
      const found = JSON.stringify(at(outcomes[index]?.object, place));
      return outcomes[index]?.error === undefined && found === JSON.stringify(value);
    });

    expect(same).toEqual([]);
  });

  it('are refused as here, but for those that are marked', async () => {
    const outcomes = await patchWithIstio(patchedObject, refusedCases);

    const taken = refusedCases.filter((_, index) => outcomes[index]?.error === undefined);

    expect(taken).toEqual(refusedCases.filter(({ istioTakesIt }) => istioTakesIt === true));
  });

  it('come from the release that istiod is built from', async () => {
    const [istio, istioctl] = await Promise.all(
      ['istio', 'istioctl'].map((folder) => readFile(join(toolsFolder, folder, 'go.mod'), 'utf8')),
    );

    expect(moduleVersion(istioctl ?? '', 'istio.io/istio')).toBe(
      moduleVersion(istio ?? '', 'istio.io/istio'),
    );
  });
});
