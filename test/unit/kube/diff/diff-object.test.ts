import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { diffObject } from '../../../../src/kube/diff/diff-object.ts';
import { driftText } from '../../../../src/kube/diff/drift.ts';
import { appliedObject, updateClaim } from '../../../support/applied-object.ts';

const fieldManager = 'mesh';

/** Loosely typed on purpose: the tests change single fields deep inside. */
// biome-ignore lint/suspicious/noExplicitAny: test data of many shapes
type Loose = any;

function aDeployment(): Loose {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod', namespace: 'istio-system', labels: { app: 'istiod' } },
    spec: {
      selector: { matchLabels: { app: 'istiod' } },
      template: {
        metadata: { labels: { app: 'istiod' } },
        spec: {
          tolerations: [{ key: 'a', operator: 'Exists' }],
          containers: [
            {
              name: 'discovery',
              image: 'pilot:1',
              args: ['discovery'],
              ports: [{ containerPort: 8080 }, { containerPort: 15010, protocol: 'TCP' }],
              env: [
                { name: 'A', value: '1' },
                { name: 'EMPTY', value: '' },
              ],
              resources: { requests: { cpu: '0.5', memory: '2048Mi' } },
              securityContext: { privileged: false },
              volumeMounts: [{ name: 'v', mountPath: '/v' }],
            },
          ],
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
    },
  };
}

function aService(): Loose {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'n' },
    spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

function aConfigMap(): Loose {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n' },
    data: { mesh: 'x: 1' },
  };
}

function aWebhook(): Loose {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'w' },
    webhooks: [
      {
        name: 'a.istio.io',
        clientConfig: { service: { name: 's', namespace: 'n', path: '/validate' } },
        rules: [{ operations: ['CREATE'], apiGroups: ['istio.io'], apiVersions: ['*'], resources: ['*'] }],
      },
    ],
  };
}

function aRole(): Loose {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'r' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  };
}

/** What is in the cluster after we applied `desired` and then somebody made `change`. */
function observedAfter(desired: KubernetesObject, change: (object: Loose) => void): KubernetesObject {
  const observed = appliedObject(desired, fieldManager);
  change(observed);
  return observed;
}

function diffAfter(desired: KubernetesObject, change: (object: Loose) => void) {
  return diffObject(desired, observedAfter(desired, change), { fieldManager });
}

const podOf = (object: Loose) => object.spec.template.spec;
const containerOf = (object: Loose) => podOf(object).containers[0];

describe('no drift', () => {
  const cases: [string, () => Loose, (object: Loose) => void][] = [
    ['nothing was changed', aDeployment, () => {}],
    [
      'another label was added',
      aDeployment,
      (o) => {
        o.metadata.labels.team = 'a';
      },
    ],
    [
      'annotations were added',
      aDeployment,
      (o) => {
        o.metadata.annotations = { 'deployment.kubernetes.io/revision': '1' };
      },
    ],
    [
      'an annotation of the pod template was added',
      aDeployment,
      (o) => {
        o.spec.template.metadata.annotations = { restartedAt: 'x' };
      },
    ],
    [
      'an autoscaler set the replicas',
      aDeployment,
      (o) => {
        o.spec.replicas = 7;
      },
    ],
    [
      'the API server filled in defaults',
      aDeployment,
      (o) => {
        o.spec.strategy = { type: 'RollingUpdate' };
        containerOf(o).terminationMessagePath = '/dev/termination-log';
        containerOf(o).ports[0].protocol = 'TCP';
        podOf(o).securityContext = {};
      },
    ],
    [
      'quantities came back in their canonical form',
      aDeployment,
      (o) => {
        containerOf(o).resources.requests = { cpu: '500m', memory: '2Gi' };
      },
    ],
    [
      'an empty value that we own is not stored',
      aDeployment,
      (o) => {
        delete containerOf(o).env[1].value;
      },
    ],
    [
      'status was written',
      aDeployment,
      (o) => {
        o.status = { replicas: 1 };
      },
    ],
    [
      'list items of ours were put in another order',
      aDeployment,
      (o) => {
        containerOf(o).env.reverse();
      },
    ],
    [
      'a node port and a cluster IP were assigned',
      aService,
      (o) => {
        o.spec.clusterIP = '10.0.0.1';
        o.spec.clusterIPs = ['10.0.0.1'];
        o.spec.ports[0].nodePort = 30000;
        o.spec.ports[0].protocol = 'TCP';
      },
    ],
    [
      'istiod filled in its CA bundle',
      aWebhook,
      (o) => {
        o.webhooks[0].clientConfig.caBundle = 'Zm9v';
      },
    ],
    [
      'a failure policy that is not ours was set',
      aWebhook,
      (o) => {
        o.webhooks[0].failurePolicy = 'Fail';
      },
    ],
    [
      'selectors were defaulted to empty ones',
      aWebhook,
      (o) => {
        o.webhooks[0].namespaceSelector = {};
        o.webhooks[0].objectSelector = {};
      },
    ],
    [
      'an item of a list that is one value got its default',
      aWebhook,
      (o) => {
        o.webhooks[0].rules[0].scope = '*';
      },
    ],
  ];

  test.each(cases)('when %s', (_name, desired, change) => {
    expect(diffAfter(desired(), change)).toEqual([]);
  });

  test('when a desired field is null', () => {
    const desired = aService();
    const observed = observedAfter(desired, () => {});

    expect(
      diffObject({ ...desired, spec: { ...desired.spec, type: null } }, observed, { fieldManager }),
    ).toEqual([]);
  });
});

describe('drift', () => {
  const cases: [string, () => Loose, (object: Loose) => void, { path: string; kind: string }[]][] = [
    [
      'a value of ours was changed',
      aDeployment,
      (o) => {
        containerOf(o).image = 'evil';
      },
      [{ path: 'spec.template.spec.containers[name=discovery].image', kind: 'changed' }],
    ],
    [
      'a label of ours was removed',
      aDeployment,
      (o) => {
        delete o.metadata.labels.app;
      },
      [{ path: 'metadata.labels.app', kind: 'missing' }],
    ],
    [
      'a container was removed',
      aDeployment,
      (o) => {
        podOf(o).containers = [];
      },
      [{ path: 'spec.template.spec.containers[name=discovery]', kind: 'missing' }],
    ],
    [
      'an environment variable was removed',
      aDeployment,
      (o) => {
        containerOf(o).env.splice(0, 1);
      },
      [{ path: 'spec.template.spec.containers[name=discovery].env[name=A]', kind: 'missing' }],
    ],
    [
      'a list that is one value was changed',
      aDeployment,
      (o) => {
        podOf(o).tolerations.push({ operator: 'Exists' });
      },
      [{ path: 'spec.template.spec.tolerations', kind: 'changed' }],
    ],
    [
      'an argument was added',
      aDeployment,
      (o) => {
        containerOf(o).args.push('--evil');
      },
      [{ path: 'spec.template.spec.containers[name=discovery].args', kind: 'changed' }],
    ],
    [
      'a quantity was changed',
      aDeployment,
      (o) => {
        containerOf(o).resources.requests.memory = '1Gi';
      },
      [{ path: 'spec.template.spec.containers[name=discovery].resources.requests.memory', kind: 'changed' }],
    ],
    [
      'a container was added',
      aDeployment,
      (o) => {
        podOf(o).containers.unshift({ name: 'miner', image: 'x' });
      },
      [{ path: 'spec.template.spec.containers[name=miner]', kind: 'extra' }],
    ],
    [
      'an init container was added where we have none',
      aDeployment,
      (o) => {
        podOf(o).initContainers = [{ name: 'i' }];
      },
      [{ path: 'spec.template.spec.initContainers', kind: 'extra' }],
    ],
    [
      'an environment variable was added',
      aDeployment,
      (o) => {
        containerOf(o).env.push({ name: 'LD_PRELOAD', value: 'x' });
      },
      [{ path: 'spec.template.spec.containers[name=discovery].env[name=LD_PRELOAD]', kind: 'extra' }],
    ],
    [
      'a volume was added',
      aDeployment,
      (o) => {
        podOf(o).volumes.push({ name: 'host', hostPath: { path: '/' } });
      },
      [{ path: 'spec.template.spec.volumes[name=host]', kind: 'extra' }],
    ],
    [
      'a command was set where we set none',
      aDeployment,
      (o) => {
        containerOf(o).command = ['sh'];
      },
      [{ path: 'spec.template.spec.containers[name=discovery].command', kind: 'extra' }],
    ],
    [
      'a Service port was added',
      aService,
      (o) => {
        o.spec.ports.push({ name: 'x', port: 81 });
      },
      [{ path: 'spec.ports[port=81,protocol=TCP]', kind: 'extra' }],
    ],
    [
      'a key was added to a ConfigMap',
      aConfigMap,
      (o) => {
        o.data['a.b'] = 'x';
      },
      [{ path: 'data["a.b"]', kind: 'extra' }],
    ],
    [
      'a webhook rule was widened',
      aWebhook,
      (o) => {
        o.webhooks[0].rules.push({ operations: ['*'] });
      },
      [{ path: 'webhooks[name=a.istio.io].rules', kind: 'changed' }],
    ],
    [
      'a webhook got a selector',
      aWebhook,
      (o) => {
        o.webhooks[0].objectSelector = { matchLabels: { a: 'b' } };
      },
      [{ path: 'webhooks[name=a.istio.io].objectSelector', kind: 'extra' }],
    ],
    [
      'a webhook was added',
      aWebhook,
      (o) => {
        o.webhooks.push({ name: 'b.istio.io' });
      },
      [{ path: 'webhooks[name=b.istio.io]', kind: 'extra' }],
    ],
    [
      'an RBAC rule was added',
      aRole,
      (o) => {
        o.rules.push({ apiGroups: ['*'], resources: ['*'], verbs: ['*'] });
      },
      [{ path: 'rules', kind: 'changed' }],
    ],
  ];

  test.each(cases)('when %s', (_name, desired, change, expected) => {
    const drifts = diffAfter(desired(), change);

    expect(drifts.map(({ path, kind }) => ({ path, kind }))).toEqual(expected);
  });

  test('says where an addition is in the observed object', () => {
    const [drift] = diffAfter(aDeployment(), (object) => {
      containerOf(object).env.unshift({ name: 'X', value: 'x' });
    });

    expect(drift?.pointer).toBe('/spec/template/spec/containers/0/env/0');
  });

  test('escapes keys in the pointer of an addition', () => {
    const [drift] = diffAfter(aConfigMap(), (object) => {
      object.data['a/b~c'] = 'x';
    });

    expect(drift?.pointer).toBe('/data/a~1b~0c');
  });

  test('names the manager that changed the value', () => {
    const [drift] = diffAfter(aConfigMap(), (object) => {
      object.data.mesh = 'x: 2';
      object.metadata.managedFields.push(updateClaim('kubectl-edit', { 'f:data': { 'f:mesh': {} } }));
    });

    expect(drift).toMatchObject({ path: 'data.mesh', kind: 'changed', manager: 'kubectl-edit' });
    expect(drift && driftText(drift)).toBe('data.mesh changed by kubectl-edit');
  });

  test('is a right value that somebody else owns now', () => {
    const drifts = diffAfter(aService(), (object) => {
      object.metadata.managedFields[0].fieldsV1['f:spec']['f:selector'] = undefined;
      object.metadata.managedFields.push(updateClaim('kubectl-edit', { 'f:spec': { 'f:selector': {} } }));
    });

    expect(drifts).toMatchObject([{ path: 'spec.selector.app', kind: 'changed', manager: 'kubectl-edit' }]);
  });

  test('is an empty value that somebody removed, since we own it no more', () => {
    const drifts = diffAfter(aDeployment(), (object) => {
      delete containerOf(object).securityContext.privileged;
      const claims = object.metadata.managedFields[0].fieldsV1['f:spec']['f:template']['f:spec'];
      delete claims['f:containers']['k:{"name":"discovery"}']['f:securityContext'];
    });

    expect(drifts.map(({ path, kind }) => ({ path, kind }))).toEqual([
      { path: 'spec.template.spec.containers[name=discovery].securityContext.privileged', kind: 'missing' },
    ]);
  });

  test('is all of an object that we never applied', () => {
    const desired = aConfigMap();
    const observed = { ...desired, metadata: { ...desired.metadata, managedFields: [] } };

    expect(diffObject(desired, observed, { fieldManager })).toMatchObject([
      { path: 'data.mesh', kind: 'changed' },
    ]);
  });

  test('contains no values of a Secret', () => {
    const desired = { ...aConfigMap(), kind: 'Secret', data: { key: 'c2VjcmV0' } };

    const drifts = diffAfter(desired, (object) => {
      object.data.key = 'b3RoZXI=';
      object.data.more = 'bW9yZQ==';
    });

    expect(drifts.map(({ path }) => path)).toEqual(['data.key', 'data.more']);
    expect(JSON.stringify(drifts)).not.toMatch(/c2VjcmV0|b3RoZXI|bW9yZQ/);
  });
});

describe('what we applied once and do not want any more', () => {
  const cases: [string, () => Loose, (object: Loose) => void, string][] = [
    [
      'a field',
      aService,
      (o) => {
        delete o.spec.ports[0].targetPort;
      },
      'spec.ports[port=80,protocol=TCP].targetPort',
    ],
    [
      'a label',
      aDeployment,
      (o) => {
        delete o.metadata.labels.app;
      },
      'metadata.labels.app',
    ],
    [
      'an item of a list',
      aDeployment,
      (o) => {
        containerOf(o).env.pop();
      },
      'spec.template.spec.containers[name=discovery].env[name=EMPTY]',
    ],
    [
      'a key of a ConfigMap',
      aConfigMap,
      (o) => {
        o.data = { other: 'x' };
      },
      'data.mesh',
    ],
    [
      'a whole block',
      aDeployment,
      (o) => {
        delete podOf(o).tolerations;
      },
      'spec.template.spec.tolerations',
    ],
  ];

  test.each(cases)('is drift: %s', (_name, desired, forget, path) => {
    const before = desired();
    const now = desired();
    forget(now);

    const drifts = diffObject(now, appliedObject(before, fieldManager), { fieldManager });

    const abandoned = drifts.filter(({ kind }) => kind === 'abandoned');
    expect(abandoned.map((drift) => drift.path)).toEqual([path]);
  });

  test('is an addition when somebody else claims it too in a closed field', () => {
    const observed = observedAfter(aConfigMap(), (object) => {
      object.metadata.managedFields.push(updateClaim('kubectl-edit', { 'f:data': { 'f:mesh': {} } }));
    });
    const desired = { ...aConfigMap(), data: { other: 'x' } };

    const drifts = diffObject(desired, observed, { fieldManager });

    expect(drifts.map(({ path, kind }) => `${kind} ${path}`)).toContain('extra data.mesh');
  });
});
