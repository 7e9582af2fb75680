import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/api/resolved-mesh.ts';
import { removePart, wayText, wayToFault } from '../../../src/convert/prune.ts';
import { jsonOf, type ObjectTree, treeOf } from '../../../src/convert/setting-tree.ts';

/** What is left, and what went, for a problem at a path. */
function pruned(value: Json, path: string) {
  const root = treeOf(0, value) as ObjectTree;
  const way = wayToFault(root, path);
  if (way === undefined) return { went: undefined, left: jsonOf(root) };
  const went = wayText(way);
  removePart(way);
  return { went, left: jsonOf(root) };
}

describe('what goes for a problem', () => {
  it.each<[string, Json, string, string, Json]>([
    ['is the part that it names', { spec: { a: 1, b: 2 } }, 'spec.a', 'spec.a', { spec: { b: 2 } }],
    [
      'is the smallest part around one that is not there',
      { spec: { hub: 'x', values: { pilot: { a: 1 } } } },
      'spec.values.pilot.image',
      'spec.values.pilot',
      { spec: { hub: 'x' } },
    ],
    [
      'takes what is empty without it',
      { spec: { a: { b: { c: 1 } }, d: 1 } },
      'spec.a.b.c',
      'spec.a.b.c',
      { spec: { d: 1 } },
    ],
    [
      'leaves a component, which is turned on by being there',
      { spec: { components: { pilot: { hub: 'x' } } } },
      'spec.components.pilot.hub',
      'spec.components.pilot.hub',
      { spec: { components: { pilot: {} } } },
    ],
    [
      'leaves a list of gateways, which replaces that of the profile',
      { spec: { components: { ingressGateways: [{ name: 'A' }] } } },
      'spec.components.ingressGateways[0]',
      'spec.components.ingressGateways[0]',
      { spec: { components: { ingressGateways: [] } } },
    ],
    [
      'is an item of a list as a whole',
      { spec: { tolerations: [{ key: 'a', bad: 1 }, { key: 'b' }] } },
      'spec.tolerations[0].bad',
      'spec.tolerations[0]',
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'is a part of a gateway',
      { spec: { components: { ingressGateways: [{ name: 'a', bad: 1 }] } } },
      'spec.components.ingressGateways[0].bad',
      'spec.components.ingressGateways[0].bad',
      { spec: { components: { ingressGateways: [{ name: 'a' }] } } },
    ],
    [
      'is a kind of affinity as a whole',
      { spec: { affinity: { nodeAffinity: { a: { b: 1 } }, podAffinity: { c: 1 } } } },
      'spec.affinity.nodeAffinity.a.b',
      'spec.affinity.nodeAffinity',
      { spec: { affinity: { podAffinity: { c: 1 } } } },
    ],
    [
      'is found by a key that has dots, quoted or not',
      { spec: { limits: { 'example.com/gpu': 1, example: 2 } } },
      'spec.limits.example.com/gpu',
      'spec.limits["example.com/gpu"]',
      { spec: { limits: { example: 2 } } },
    ],
    [
      'is found by a quoted key',
      { spec: { labels: { 'a.b': 1, a: 2 } } },
      'spec.labels["a.b"]',
      'spec.labels["a.b"]',
      { spec: { labels: { a: 2 } } },
    ],
  ])('%s', (_name, value, path, went, left) => {
    expect(pruned(value, path)).toEqual({ went, left });
  });

  it('is nothing for a path that leads nowhere', () => {
    expect(pruned({ spec: {} }, 'metadata.name').went).toBeUndefined();
  });
});
