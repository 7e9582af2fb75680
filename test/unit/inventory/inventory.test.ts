import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../../src/api/kubernetes-object.ts';
import { idsOf, subtract, union } from '../../../src/inventory/inventory.ts';
import { pruneStages } from '../../../src/inventory/prune-order.ts';

const id = (kind: string, name: string, apiVersion = 'v1'): ObjectId => ({
  apiVersion,
  kind,
  namespace: 'mesh',
  name,
});

describe('inventory', () => {
  test('lists each object once, in an order that does not depend on the input', () => {
    const forward = union([id('Service', 'b'), id('ConfigMap', 'a')], [id('Service', 'b')]);
    const backward = union([id('Service', 'b')], [id('ConfigMap', 'a'), id('Service', 'b')]);

    expect(forward).toEqual(backward);
    expect(forward.map((entry) => entry.name)).toEqual(['a', 'b']);
  });

  test('takes two API versions of one group for the same object', () => {
    expect(subtract([id('Deployment', 'x', 'apps/v1beta1')], [id('Deployment', 'x', 'apps/v1')])).toEqual([]);
  });

  test('tells kinds of different groups apart', () => {
    const mine = id('Gateway', 'x', 'networking.istio.io/v1');

    expect(subtract([mine], [id('Gateway', 'x', 'gateway.networking.k8s.io/v1')])).toEqual([mine]);
  });

  test('leaves the namespace out of a cluster-scoped identity', () => {
    const [only] = idsOf([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }]);

    expect(only).toEqual({ apiVersion: 'v1', kind: 'Namespace', name: 'x' });
  });
});

describe('prune order', () => {
  test('removes webhooks before the workloads that answer them, and identities last', () => {
    const stages = pruneStages([
      id('ServiceAccount', 'sa'),
      id('Deployment', 'd'),
      id('ValidatingWebhookConfiguration', 'w'),
      id('ClusterRole', 'r'),
    ]);

    expect(stages.map((stage) => stage.map((entry) => entry.kind))).toEqual([
      ['ValidatingWebhookConfiguration'],
      ['Deployment'],
      ['ClusterRole'],
      ['ServiceAccount'],
    ]);
  });

  test('removes proxies of nodes before the agent that sends them traffic, and that before istiod', () => {
    const stages = pruneStages([
      id('Deployment', 'istiod'),
      id('DaemonSet', 'istio-cni-node'),
      id('DaemonSet', 'ztunnel'),
      id('ConfigMap', 'istio-cni-config'),
    ]);

    expect(stages.map((stage) => stage.map(({ name }) => name))).toEqual([
      ['ztunnel'],
      ['istio-cni-node'],
      ['istiod'],
      ['istio-cni-config'],
    ]);
  });

  test('removes a kind it does not know together with workloads', () => {
    const stages = pruneStages([id('ClusterRole', 'r'), id('Widget', 'w')]);

    expect(stages[0]?.[0]?.kind).toBe('Widget');
  });
});
