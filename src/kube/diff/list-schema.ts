/**
 * How the API server merges one list.
 * `map`: items are told apart by these keys. `set`: scalars. `atomic`: replaced as a whole.
 */
export type ListRule =
  | {
      readonly type: 'map';
      readonly keys: readonly string[];
      readonly defaults?: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'set' }
  | { readonly type: 'atomic' };

const atomic: ListRule = { type: 'atomic' };
const byName: ListRule = { type: 'map', keys: ['name'] };
const set: ListRule = { type: 'set' };

/** Lists of a container, as `x-kubernetes-list-map-keys` of Kubernetes' OpenAPI say. */
const containerLists: Readonly<Record<string, ListRule>> = {
  env: byName,
  ports: { type: 'map', keys: ['containerPort', 'protocol'], defaults: { protocol: 'TCP' } },
  volumeMounts: { type: 'map', keys: ['mountPath'] },
  volumeDevices: { type: 'map', keys: ['devicePath'] },
  'resources.claims': byName,
};

const podLists: Readonly<Record<string, ListRule>> = {
  containers: byName,
  ...underEach('containers', containerLists),
  initContainers: byName,
  ...underEach('initContainers', containerLists),
  volumes: byName,
  imagePullSecrets: byName,
  hostAliases: { type: 'map', keys: ['ip'] },
  topologySpreadConstraints: { type: 'map', keys: ['topologyKey', 'whenUnsatisfiable'] },
  resourceClaims: byName,
  schedulingGates: byName,
};

const webhookLists: Readonly<Record<string, ListRule>> = {
  webhooks: byName,
  'webhooks[].matchConditions': byName,
};

/** By kind, then by path; `[]` stands for any item. A list that is not here is atomic. */
const listsByKind: Readonly<Record<string, Readonly<Record<string, ListRule>>>> = {
  Deployment: under('spec.template.spec', podLists),
  DaemonSet: under('spec.template.spec', podLists),
  StatefulSet: under('spec.template.spec', podLists),
  Job: under('spec.template.spec', podLists),
  Pod: under('spec', podLists),
  Service: {
    'spec.ports': { type: 'map', keys: ['port', 'protocol'], defaults: { protocol: 'TCP' } },
  },
  ServiceAccount: { secrets: byName },
  ValidatingWebhookConfiguration: webhookLists,
  MutatingWebhookConfiguration: webhookLists,
};

/** Lists that mean the same in every kind. */
const listsOfAnyKind: Readonly<Record<string, ListRule>> = {
  'metadata.finalizers': set,
  'metadata.ownerReferences': { type: 'map', keys: ['uid'] },
  'status.conditions': { type: 'map', keys: ['type'] },
};

/** The rule of the list at `pattern`, such as `spec.template.spec.containers[].env`. */
export function listRuleAt(kind: string, pattern: string): ListRule {
  return listsOfAnyKind[pattern] ?? listsByKind[kind]?.[pattern] ?? atomic;
}

function under(prefix: string, rules: Readonly<Record<string, ListRule>>): Record<string, ListRule> {
  return Object.fromEntries(Object.entries(rules).map(([path, rule]) => [`${prefix}.${path}`, rule]));
}

function underEach(list: string, rules: Readonly<Record<string, ListRule>>): Record<string, ListRule> {
  return under(`${list}[]`, rules);
}
