import { describe, expect, test } from 'vitest';
import { TerminalError } from '../../../../src/base/errors.ts';
import { parseInjectorConfiguration } from '../../../../src/servers/injector/injector-configuration.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

function textOf(fields: object = {}, kubernetesMinor: unknown = 35): string {
  return JSON.stringify({ mesh: { ...aResolvedMesh(), ...fields }, kubernetesMinor });
}

describe("the injector's configuration", () => {
  test('is the mesh of its document, which nothing can change any more', () => {
    const { mesh, kubernetesMinor } = parseInjectorConfiguration(textOf());

    expect(mesh).toEqual(JSON.parse(JSON.stringify(aResolvedMesh())));
    expect(kubernetesMinor).toBe(35);
    expect(() => Object.assign(mesh.injection.traffic, { includeIPRanges: '' })).toThrow(TypeError);
  });

  test('has a version that changes with its content alone', () => {
    const version = parseInjectorConfiguration(textOf()).version;

    expect(parseInjectorConfiguration(`  ${textOf()}\n`).version).toBe(version);
    expect(parseInjectorConfiguration(textOf({ tag: '1.31.0' })).version).not.toBe(version);
  });

  test('may have a custom template that needs more than any pod has', () => {
    const injection = { ...aResolvedMesh().injection, templates: { own: '{{quote pod.annotations.gone}}' } };

    expect(parseInjectorConfiguration(textOf({ injection })).mesh.injection.templates).toHaveProperty('own');
  });

  test.each([
    ['is no JSON', '{"mesh": {"password', 'it is no JSON'],
    ['is a list', '[]', 'it has no object "mesh"'],
    ['has no mesh', '{"kubernetesMinor":35}', 'it has no object "mesh"'],
    [
      'does not name the version of Kubernetes',
      textOf({}, '1.35'),
      '"kubernetesMinor" must be a whole number',
    ],
    ['has a mesh without injector', textOf({ injection: null }), 'a pod cannot be injected with it'],
    ['has a mesh without version', textOf({ version: null }), 'a pod cannot be injected with it'],
    ['has tags of another type', textOf({ revisionTags: 'prod' }), 'mesh.revisionTags a list'],
  ])('is refused when it %s', (_name, text, message) => {
    const read = () => parseInjectorConfiguration(text);

    expect(read).toThrow(TerminalError);
    expect(read).toThrow(message);
    expect(read).not.toThrow('password');
  });
});
