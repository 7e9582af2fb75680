import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { isRecord } from '../../../src/base/stable-json.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import type { JsonPatchOperation } from '../../../src/kube/client.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { observedFields } from '../../support/observed-fields.ts';
import { renderAll } from '../../support/rendered-objects.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/**
 * A mesh that has an object of every kind but the injector's and those of tenants, in a namespace whose name makes
 * readable test names. On simulated nodes no injector answers, so a mesh with one is never complete: `injector.test.ts`
 * looks at its objects, and `tenancy.test.ts` at those of tenants.
 */
const spec = {
  sidecarInjector: { enabled: false },
  networkPolicy: { enabled: true },
  components: { pilot: { k8s: { podDisruptionBudget: { minAvailable: 1 } } }, cni: {} },
  values: { cni: { resourceQuotas: { enabled: true } }, experimental: { stableValidationPolicy: true } },
};
const namespace = 'drift';
const owned = renderAll(resolveMesh(aMeshOperator(spec, { namespace })));
const kinds = ownedKinds.map(({ kind }) => kind);

interface Edit {
  readonly what: string;
  readonly patch: readonly JsonPatchOperation[];
  /** What the Event says beside who it was. */
  readonly path: string;
}

const rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] };
const subject = { kind: 'ServiceAccount', name: 'intruder', namespace: 'default' };
const container = { name: 'intruder', image: 'intruder' };
const pod = '/spec/template/spec';

const editsOfRules: readonly Edit[] = [
  { what: 'one more rule', patch: [{ op: 'add', path: '/rules/-', value: rule }], path: 'rules' },
  { what: 'one rule less', patch: [{ op: 'remove', path: '/rules/0' }], path: 'rules' },
];
const editsOfSubjects: readonly Edit[] = [
  { what: 'one more subject', patch: [{ op: 'add', path: '/subjects/-', value: subject }], path: 'subjects' },
  {
    what: 'another subject',
    patch: [{ op: 'replace', path: '/subjects', value: [subject] }],
    path: 'subjects',
  },
];

/** What somebody may do to an object of each kind, and must not keep. */
const edits: Readonly<Record<string, readonly Edit[]>> = {
  ServiceAccount: [],
  ConfigMap: [
    { what: 'other text', patch: [{ op: 'replace', path: '/data/mesh', value: '' }], path: 'data.mesh' },
    { what: 'one more key', patch: [{ op: 'add', path: '/data/more', value: 'x' }], path: 'data.more' },
  ],
  Service: [
    {
      what: 'one more port',
      patch: [{ op: 'add', path: '/spec/ports/-', value: { name: 'more', port: 9999 } }],
      path: 'spec.ports',
    },
    {
      what: 'another target port',
      patch: [{ op: 'replace', path: '/spec/ports/0/targetPort', value: 1 }],
      path: 'targetPort',
    },
    {
      what: 'a narrower selector',
      patch: [{ op: 'add', path: '/spec/selector/more', value: 'x' }],
      path: 'spec.selector',
    },
  ],
  Deployment: [
    {
      what: 'another image',
      patch: [{ op: 'replace', path: `${pod}/containers/0/image`, value: 'intruder' }],
      path: '.image',
    },
    {
      what: 'one more container',
      patch: [{ op: 'add', path: `${pod}/containers/-`, value: container }],
      path: 'containers[name=intruder]',
    },
    {
      what: 'one more init container',
      patch: [{ op: 'add', path: `${pod}/initContainers`, value: [container] }],
      path: 'initContainers',
    },
    {
      what: 'one more variable',
      patch: [{ op: 'add', path: `${pod}/containers/0/env/-`, value: { name: 'MORE', value: 'x' } }],
      path: 'env[name=MORE]',
    },
    {
      what: 'one more volume',
      patch: [{ op: 'add', path: `${pod}/volumes/-`, value: { name: 'more', emptyDir: {} } }],
      path: 'volumes[name=more]',
    },
    {
      what: 'other resources',
      patch: [{ op: 'replace', path: `${pod}/containers/0/resources/requests/cpu`, value: '11m' }],
      path: 'resources.requests.cpu',
    },
    {
      what: 'another service account',
      patch: [{ op: 'replace', path: `${pod}/serviceAccountName`, value: 'default' }],
      path: 'serviceAccountName',
    },
  ],
  DaemonSet: [
    {
      what: 'another image',
      patch: [{ op: 'replace', path: `${pod}/containers/0/image`, value: 'intruder' }],
      path: '.image',
    },
    {
      what: 'more rights',
      patch: [{ op: 'replace', path: `${pod}/containers/0/securityContext/privileged`, value: true }],
      path: 'securityContext.privileged',
    },
    {
      what: 'another pace of updates',
      patch: [{ op: 'replace', path: '/spec/updateStrategy/rollingUpdate/maxUnavailable', value: 50 }],
      path: 'maxUnavailable',
    },
  ],
  NetworkPolicy: [
    {
      what: 'one more way in',
      patch: [{ op: 'add', path: '/spec/ingress/-', value: {} }],
      path: 'spec.ingress',
    },
    {
      what: 'one more way out',
      patch: [{ op: 'add', path: '/spec/egress/-', value: {} }],
      path: 'spec.egress',
    },
    {
      what: 'other pods',
      patch: [{ op: 'add', path: '/spec/podSelector/matchLabels/app', value: 'other' }],
      path: 'spec.podSelector',
    },
  ],
  ResourceQuota: [
    {
      what: 'another bound',
      patch: [{ op: 'replace', path: '/spec/hard/pods', value: '1' }],
      path: 'spec.hard.pods',
    },
  ],
  ValidatingAdmissionPolicy: [
    {
      what: 'other rules',
      patch: [{ op: 'replace', path: '/spec/validations', value: [{ expression: 'true' }] }],
      path: 'spec.validations',
    },
    {
      what: 'another failure policy',
      patch: [{ op: 'replace', path: '/spec/failurePolicy', value: 'Ignore' }],
      path: 'spec.failurePolicy',
    },
  ],
  ValidatingAdmissionPolicyBinding: [
    {
      what: 'another policy',
      patch: [{ op: 'replace', path: '/spec/policyName', value: 'intruder' }],
      path: 'spec.policyName',
    },
  ],
  HorizontalPodAutoscaler: [
    {
      what: 'another bound',
      patch: [{ op: 'replace', path: '/spec/maxReplicas', value: 50 }],
      path: 'spec.maxReplicas',
    },
    {
      what: 'one more metric',
      patch: [
        {
          op: 'add',
          path: '/spec/metrics/-',
          value: {
            type: 'Resource',
            resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 1 } },
          },
        },
      ],
      path: 'spec.metrics',
    },
  ],
  PodDisruptionBudget: [
    {
      what: 'another bound',
      patch: [{ op: 'replace', path: '/spec/minAvailable', value: 0 }],
      path: 'spec.minAvailable',
    },
  ],
  ClusterRole: editsOfRules,
  ClusterRoleBinding: editsOfSubjects,
  Role: editsOfRules,
  RoleBinding: editsOfSubjects,
  ValidatingWebhookConfiguration: [
    {
      what: 'one more rule',
      patch: [
        {
          op: 'add',
          path: '/webhooks/0/rules/-',
          value: {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['deployments'],
          },
        },
      ],
      path: 'rules',
    },
    {
      what: 'another service',
      patch: [{ op: 'replace', path: '/webhooks/0/clientConfig/service/name', value: 'intruder' }],
      path: 'clientConfig.service.name',
    },
    {
      what: 'a narrower selector',
      patch: [
        {
          op: 'replace',
          path: '/webhooks/0/namespaceSelector',
          value: { matchLabels: { nobody: 'has-this' } },
        },
      ],
      path: 'namespaceSelector',
    },
  ],
};

const editRows = owned.flatMap((object) =>
  (edits[object.kind] ?? [])
    .filter(({ path }) => path !== 'data.mesh' || (isRecord(object.data) && object.data.mesh !== undefined))
    .map((edit) => rowOf(object, edit)),
);
const labelRows = owned.map((object) => ({ text: idText(idOf(object)), id: idOf(object) }));

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.createNamespace(namespace);
  await world.startOperator();
  mesh = await world.createMesh(spec, { namespace, asWritten: true });
  await mesh.until('Ready');
});

afterAll(() => world?.close());

test('the mesh of this table has an object of every kind that the operator owns', () => {
  const ofOthers = ['MutatingWebhookConfiguration', 'LimitRange'];
  expect([...ofOthers, ...new Set(owned.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
  expect([...ofOthers, ...Object.keys(edits)].sort()).toEqual([...kinds].sort());
});

describe('an object that somebody deletes comes back', () => {
  test.each(labelRows)('$text', async ({ id, text }) => {
    const before = await world.client.get(id, never);

    await world.client.delete(id, {}, never);

    await untilAsBefore(id, before);
    expect((await world.client.get(id, never)).metadata.uid).not.toBe(before.metadata.uid);
    await mesh.untilEvent('Recreated', text);
  });
});

describe('an object that somebody edits is set back, and an Event says who it was', () => {
  test.each(editRows)('$text: $what', async ({ id, text, patch, path }) => {
    const before = await world.client.get(id, never);

    await editAs('kubectl-edit', id, patch);

    await untilAsBefore(id, before);
    await mesh.untilEvent('DriftRepaired', text, path, 'by kubectl-edit');
  });
});

describe('an object whose labels somebody takes away gets them back', () => {
  test.each(labelRows)('$text', async ({ id, text }) => {
    const before = await world.client.get(id, never);

    await editAs('kubectl-edit', id, [{ op: 'replace', path: '/metadata/labels', value: {} }]);

    await untilAsBefore(id, before);
    expect((await world.client.get(id, never)).metadata.uid).toBe(before.metadata.uid);
    await mesh.untilEvent('DriftRepaired', text, 'metadata.labels');
  });
});

async function editAs(
  manager: string,
  id: ObjectId,
  operations: readonly JsonPatchOperation[],
): Promise<void> {
  await world.client.patch(id, { type: 'json', operations }, { fieldManager: manager }, never);
}

async function untilAsBefore(id: ObjectId, before: KubernetesObject): Promise<void> {
  const wanted = observedFields(before);
  let found: KubernetesObject | undefined;
  const explain = async () => JSON.stringify(found);
  await waitUntil({ what: `${idText(id)} is as before`, intervalMs: 20, explain }, async () => {
    found = await world.client.get(id, never);
    expect(observedFields(found)).toEqual(wanted);
    return true;
  });
}

function rowOf(object: KubernetesObject, edit: Edit) {
  return { text: idText(idOf(object)), id: idOf(object), ...edit };
}
