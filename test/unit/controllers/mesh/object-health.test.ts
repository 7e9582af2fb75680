import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import {
  gatewayAddresses,
  unhealthiness,
  unhealthyOf,
} from '../../../../src/controllers/mesh/object-health.ts';

function aDeployment(status: Record<string, unknown>, replicas?: number): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod', namespace: 'istio-system', generation: 2 },
    spec: replicas === undefined ? {} : { replicas },
    status,
  };
}

function anAutoscaler(name: string, minReplicas?: number): KubernetesObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'istio-system' },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name },
      ...(minReplicas === undefined ? {} : { minReplicas }),
    },
  };
}

function aLoadBalancer(ingress: unknown): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress } },
  };
}

const settled = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

describe('health of a DaemonSet', () => {
  const complete = {
    observedGeneration: 2,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    updatedNumberScheduled: 3,
    numberReady: 3,
    numberAvailable: 3,
  };

  function aDaemonSet(status: Record<string, unknown>, type = 'RollingUpdate'): KubernetesObject {
    return {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'ztunnel', namespace: 'istio-system', generation: 2 },
      spec: { updateStrategy: { type } },
      status,
    };
  }

  test.each([
    ['its status speaks of an older generation', { observedGeneration: 1 }, /latest change/],
    ['a node has no pod', { currentNumberScheduled: 2 }, /2 of 3 pods scheduled/],
    ['a pod is an older one', { updatedNumberScheduled: 1 }, /1 of 3 pods updated/],
    ['a pod is not ready', { numberReady: 2 }, /2 of 3 pods ready/],
    ['a pod is not available', { numberAvailable: 0 }, /0 of 3 pods available/],
  ])('waits while %s', (_name, change, message) => {
    const found = unhealthiness(aDaemonSet({ ...complete, ...change }));

    expect(found?.message).toMatch(message);
    expect(found?.message).toContain('DaemonSet istio-system/ztunnel');
    expect(found?.isFailed).toBe(false);
  });

  test('is good when every node has its pod, and where there is no node', () => {
    expect(unhealthiness(aDaemonSet(complete))).toBeUndefined();
    expect(unhealthiness(aDaemonSet({ observedGeneration: 2, desiredNumberScheduled: 0 }))).toBeUndefined();
  });

  test('does not wait for pods that somebody is to delete', () => {
    expect(unhealthiness(aDaemonSet({ ...complete, updatedNumberScheduled: 0 }, 'OnDelete'))).toBeUndefined();
  });
});

describe('health of a Deployment', () => {
  const unhealthy = [
    [
      'its status speaks of an older generation',
      { ...settled, observedGeneration: 1 },
      undefined,
      /latest change/,
    ],
    ['not every replica is updated', { ...settled, updatedReplicas: 1 }, 2, /1 of 2 replicas updated/],
    ['old replicas remain', { ...settled, replicas: 3 }, undefined, /2 old replicas/],
    [
      'a replica is not available',
      { ...settled, availableReplicas: 0 },
      undefined,
      /0 of 1 replicas available/,
    ],
    ['it has no status at all', {}, undefined, /latest change/],
  ] as const;

  test.each(unhealthy)('waits while %s', (_name, status, replicas, message) => {
    const found = unhealthiness(aDeployment(status, replicas));

    expect(found?.message).toMatch(message);
    expect(found?.message).toContain('Deployment istio-system/istiod');
    expect(found?.isFailed).toBe(false);
  });

  test('is good when every replica is updated and available', () => {
    expect(unhealthiness(aDeployment(settled))).toBeUndefined();
  });

  test('has failed when the progress deadline is exceeded', () => {
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
    ];

    expect(unhealthiness(aDeployment({ ...settled, updatedReplicas: 0, conditions }))?.isFailed).toBe(true);
  });
});

describe('health of a Deployment with an autoscaler', () => {
  const rolledOut = [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }];
  const status = { ...settled, conditions: rolledOut };
  const messagesOf = (deployment: KubernetesObject, least?: number) =>
    unhealthyOf([deployment, anAutoscaler('istiod', least)]).map(({ message }) => message);

  test.each([
    ['is asked for and the controller has not seen it', { ...status, observedGeneration: 1 }, 3],
    ['is being started', { ...status, replicas: 3, updatedReplicas: 3 }, 3],
    ['is being ended', { ...status, replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, 1],
  ] as const)('is good while a replica more or less %s', (_name, scaled, replicas) => {
    expect(messagesOf(aDeployment(scaled, replicas))).toEqual([]);
  });

  test('waits until there are as many replicas as the autoscaler keeps at least', () => {
    const message = 'Deployment istio-system/istiod has 1 of 2 replicas updated';

    expect(messagesOf(aDeployment(status, 1), 2)).toEqual([message]);
  });

  test.each([
    ['the controller has not seen it', { ...status, observedGeneration: 1 }, 1, /latest change/],
    [
      'it has not been rolled out before',
      { ...settled, observedGeneration: 1, conditions: [] },
      3,
      /latest change/,
    ],
    ['old replicas remain', { ...status, replicas: 2, updatedReplicas: 1 }, 2, /1 old replicas/],
    ['none is available', { ...status, availableReplicas: 0 }, 1, /0 of 1 replicas available/],
  ] as const)('waits after a change of its pods while %s', (_name, changed, replicas, message) => {
    expect(messagesOf(aDeployment(changed, replicas))).toEqual([expect.stringMatching(message)]);
  });

  test('does not count the autoscaler of another one', () => {
    const other = anAutoscaler('istio-ingressgateway');

    expect(unhealthyOf([aDeployment({ ...status, replicas: 3, updatedReplicas: 3 }, 3), other])).toHaveLength(
      1,
    );
  });
});

describe('addresses of a gateway', () => {
  const ofSpec = (spec: object) =>
    gatewayAddresses({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'g', namespace: 'edge' }, spec });

  test.each([
    [
      'those in the cluster',
      { type: 'ClusterIP', clusterIPs: ['10.0.0.7', 'fd00::7'] },
      ['10.0.0.7', 'fd00::7'],
    ],
    ['none for a headless Service', { type: 'ClusterIP', clusterIPs: ['None'] }, []],
    [
      'external ones, which reach further',
      { type: 'NodePort', clusterIPs: ['10.0.0.7'], externalIPs: ['192.0.2.9'] },
      ['192.0.2.9'],
    ],
    ['none while a load balancer gave none', { type: 'LoadBalancer', clusterIPs: ['10.0.0.7'] }, []],
  ])('are %s', (_what, spec, addresses) => {
    expect(ofSpec(spec)).toEqual(addresses);
  });
});

describe('health of a Service', () => {
  test('waits for the address of a load balancer and says what to do without one', () => {
    const found = unhealthiness(aLoadBalancer(undefined));

    expect(found?.reason).toBe('AddressPending');
    expect(found?.message).toContain('ClusterIP or NodePort');
  });

  test('is good with an IP or a host name, and reports both', () => {
    const service = aLoadBalancer([{ ip: '192.0.2.7' }, { hostname: 'lb.example.com' }]);

    expect(unhealthiness(service)).toBeUndefined();
    expect(gatewayAddresses(service)).toEqual(['192.0.2.7', 'lb.example.com']);
  });
});
