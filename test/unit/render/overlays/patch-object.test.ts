import { describe, expect, it } from 'vitest';
import { parseOverlayPath } from '../../../../src/api/overlay-path.ts';
import { PatchError, patchObject } from '../../../../src/render/overlays/patch-object.ts';
import { agreedCases, betterCases, patchedObject, refusedCases } from '../../../support/overlay-cases.ts';

function patched(path: string, value: unknown): Record<string, unknown> {
  const object = structuredClone(patchedObject) as unknown as Record<string, unknown>;
  const steps = parseOverlayPath(path);
  if ('problem' in steps) throw new Error(steps.problem);
  patchObject(object, steps, value);
  return object;
}

function at(object: unknown, place: string): unknown {
  return place.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], object);
}

describe('a patch', () => {
  it.each([...agreedCases, ...betterCases])(
    'at $path with $value gives what was meant',
    ({ path, value, gives }) => {
      const object = patched(path, value);

      const [place, expected] = gives;
      expect(at(object, place)).toEqual(expected);
      expect({ ...object, metadata: null, spec: null }).toEqual({
        ...patchedObject,
        metadata: null,
        spec: null,
      });
    },
  );

  it.each(refusedCases)('at $path with $value is refused, with what there is', ({ path, value, says }) => {
    expect(() => patched(path, value)).toThrow(PatchError);
    expect(() => patched(path, value)).toThrow(says);
  });

  it('leaves the value that it was given to its owner', () => {
    const value = { a: [1] };

    const object = patched('spec.added', value);
    (at(object, 'spec.added.a') as number[]).push(2);

    expect(value).toEqual({ a: [1] });
  });

  it.each(['__proto__.polluted', 'spec.__proto__.polluted', 'constructor.prototype.polluted'])(
    'at %s stays in the object',
    (path) => {
      const object = patched(path, 'yes');

      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect(JSON.stringify(object)).toContain('"polluted":"yes"');
    },
  );

  it('takes a text of YAML with aliases for a text, which could mean far more than it is long', () => {
    const text = 'a: &a [1]\nb: [*a, *a]\n';

    expect(at(patched('spec.added', text), 'spec.added')).toBe(text);
  });
});
