import { describe, expect, it } from 'vitest';
import { meshOperatorOpenApiSchema } from '../../../scripts/generate/crd.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../src/api/problem.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { validateMeshOperator } from '../../../src/api/validate.ts';
import { stableJson } from '../../../src/base/stable-json.ts';
import { OverlaysRefusedError } from '../../../src/render/overlays/overlays-refused-error.ts';
import { renderMesh } from '../../../src/render/render-mesh.ts';
import { injectAll } from '../../support/injection-input.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { aRenderContext } from '../../support/render-context.ts';
import { wholeSpecs } from '../../support/whole-specs.ts';

type Place = readonly (string | number)[];
type Schema = Record<string, unknown>;

/** The controllers' own: whether anything is rendered at all, and what becomes of it afterwards. */
const notRendered =
  /^(certificateAuthority\.|paused\.|upgrade\.|historyLimit$|tenancy\.members\.|security\.mtls\.migration\.|multiCluster\.(role$|remotes\[\]\.(?!role$))|components\.base\.gatewayApi$|sidecarInjector\.(failurePolicy|barePods)$)/;

/** Values that repeat a default, because an API server takes no other where they are. */
const sameAsDefault = [
  /\.strategy\.type$/,
  /\.service\.type$/,
  /\.service\.ports\[\]\.(targetPort|protocol)$/,
  /^values\.pilot\.autoscaleEnabled$/,
  /\.operator$/,
];

/** Only one value is valid, or none is needed: what they say is checked, not rendered. */
const checkedOnly = [/\.scaleTargetRef\./, /\.overlays\[\]\.apiVersion$/];

describe('a field of the schema', () => {
  it('is used by one of the whole specs, which are valid', () => {
    const used = new Set(wholeSpecs.flatMap((spec) => placesOf(spec).map(pattern)));
    const known = leavesOf(meshOperatorOpenApiSchema().properties as Record<string, Schema>);

    expect(wholeSpecs.flatMap((spec) => validateMeshOperator(aMeshOperator(spec)).map(problemText))).toEqual(
      [],
    );
    expect(known.length).toBeGreaterThan(400);
    expect(known.filter((leaf) => !notRendered.test(leaf) && !used.has(leaf))).toEqual([]);
  });

  it('changes what is rendered or injected', () => {
    const effective = new Set<string>();
    const idle = new Set<string>();
    for (const spec of wholeSpecs) {
      const [objects, pods] = [rendered(spec), injected(spec)];
      for (const place of placesOf(spec)) {
        if (effective.has(pattern(place))) continue;
        const without = withoutPlace(spec, place);
        const isValid = validateMeshOperator(aMeshOperator(without)).length === 0;
        const hasEffect = !isValid || rendered(without) !== objects || injected(without) !== pods;
        (hasEffect ? effective : idle).add(pattern(place));
      }
    }

    const neverEffective = [...idle].filter((leaf) => !effective.has(leaf));
    const isExcused = (leaf: string) =>
      [...sameAsDefault, ...checkedOnly, notRendered].some((rule) => rule.test(leaf));
    expect(neverEffective.filter((leaf) => !isExcused(leaf))).toEqual([]);
  });
});

/** The objects, or why there are none: an overlay can be refused for the lack of a part. */
function rendered(spec: MeshOperatorSpec): string {
  try {
    const members = ['a-member'];
    return stableJson(renderMesh(resolveMesh(aMeshOperator(spec)), aRenderContext(), members));
  } catch (error) {
    if (error instanceof OverlaysRefusedError) return error.message;
    throw error;
  }
}

function injected(spec: MeshOperatorSpec): string {
  return stableJson(injectAll(resolveMesh(aMeshOperator(spec))));
}

/** `components.ingressGateways[].name`: list items count as one; keys of maps are left out. */
function pattern(place: Place): string {
  const text = place.map((key) => (typeof key === 'number' ? '[]' : `.${key}`)).join('');
  return text.slice(1).replace(mapKeys, '$1');
}

const mapKeys =
  /((?:\.(?:label|labels|daemonSetLabels|requests|limits|nodeSelector|podAnnotations|podLabels|serviceAnnotations|matchLabels|meshNetworks|meshConfig|injectedAnnotations|templates|templateAliases)|proxy\.(?:lifecycle|seccompProfile)|cni\.(?:env|seccompProfile)|ztunnel\.(?:env|labels|annotations)|values\.[a-z]+\.affinity|tenancy\.quota|tenancy\.limits\[\]\.[a-zA-Z]+|volumes\[\]\.[A-Za-z]+)|^telemetry\.[a-zA-Z.[\]]+\.(?:fields|tags)|^meshConfig|pilot\.env)[.[].*$/;

/** Places of everything that is neither an object nor a list of objects. */
function placesOf(value: unknown, place: Place = []): Place[] {
  if (Array.isArray(value)) {
    const isOfObjects = value.every((item) => typeof item === 'object');
    return isOfObjects ? value.flatMap((item, index) => placesOf(item, [...place, index])) : [place];
  }
  if (typeof value !== 'object' || value === null) return [place];
  return Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...place, key]));
}

function withoutPlace(spec: MeshOperatorSpec, place: Place): MeshOperatorSpec {
  const copy = structuredClone(spec);
  let parent = copy as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>;
  delete parent[place.at(-1) ?? ''];
  return copy;
}

function leavesOf(schemas: Record<string, Schema>): string[] {
  return leavesBelow('', schemas.spec ?? {}).map((leaf) => leaf.slice(1).replace(mapKeys, '$1'));
}

function leavesBelow(path: string, schema: Schema): string[] {
  const items = schema.items as Schema | undefined;
  const block = items ?? schema;
  if (block.properties === undefined) return [path];
  const inner = items === undefined ? path : `${path}[]`;
  return Object.entries(block.properties as Record<string, Schema>).flatMap(([name, property]) =>
    leavesBelow(`${inner}.${name}`, property),
  );
}
