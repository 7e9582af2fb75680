import { recordsIn, textsIn } from './lenient-fields.ts';

/** One rule of a Role or ClusterRole, lenient. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Something that must stay within a tenant, and the rights that give it. */
interface Power {
  /** What somebody with it can do, after "can". */
  readonly text: string;
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Only rights in the whole cluster give it; default false. */
  readonly isClusterWide?: boolean;
}

const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const make = ['create', 'update', 'patch'];
const rbac = 'rbac.authorization.k8s.io';

/** In the order in which findings name them. */
const powers: readonly Power[] = [
  { text: 'read Secrets', group: '', resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
  {
    text: 'get tokens of ServiceAccounts',
    group: '',
    resources: ['serviceaccounts/token'],
    verbs: ['create'],
  },
  {
    text: 'run commands in pods, or connect to them',
    group: '',
    resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy'],
    verbs: ['create', 'get'],
  },
  {
    text: 'put containers into pods',
    group: '',
    resources: ['pods/ephemeralcontainers'],
    verbs: ['update', 'patch'],
  },
  { text: 'make pods', group: '', resources: ['pods', 'replicationcontrollers'], verbs: make },
  {
    text: 'make pods',
    group: 'apps',
    resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'],
    verbs: make,
  },
  { text: 'make pods', group: 'batch', resources: ['jobs', 'cronjobs'], verbs: make },
  {
    text: 'give rights',
    group: rbac,
    resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
    verbs: [...make, 'escalate', 'bind'],
  },
  {
    text: 'act as others',
    group: '',
    resources: ['users', 'groups', 'serviceaccounts'],
    verbs: ['impersonate'],
  },
  {
    text: 'change labels of namespaces',
    group: '',
    resources: ['namespaces'],
    verbs: ['update', 'patch', 'delete'],
  },
  {
    text: 'reach every pod through nodes',
    group: '',
    resources: ['nodes/proxy'],
    verbs: ['get', 'create'],
    isClusterWide: true,
  },
  {
    text: 'change what the API server asks before it stores objects',
    group: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: make,
    isClusterWide: true,
  },
  {
    text: 'have certificates signed',
    group: 'certificates.k8s.io',
    resources: ['certificatesigningrequests/approval', 'signers'],
    verbs: ['update', 'patch', 'approve', 'sign'],
    isClusterWide: true,
  },
];

/** Groups in which a `create` is a question and stores nothing. */
const questions = ['authorization.k8s.io', 'authentication.k8s.io'];

/** Kinds of Kubernetes that are in no namespace, and Events, by which nothing goes. */
const elsewhere = new Set([
  ...[
    'apiservices',
    'certificatesigningrequests',
    'clusterrolebindings',
    'clusterroles',
    'csidrivers',
    'csinodes',
  ],
  ...[
    'customresourcedefinitions',
    'events',
    'gatewayclasses',
    'ingressclasses',
    'mutatingwebhookconfigurations',
  ],
  ...['nodes', 'persistentvolumes', 'priorityclasses', 'runtimeclasses', 'storageclasses'],
  ...[
    'validatingwebhookconfigurations',
    'volumeattachments',
    'certificatesigningrequests/approval',
    'signers',
  ],
]);

/**
 * What a rule lets somebody do that must stay within a tenant; empty for reading anything but Secrets, and for writing
 * what is not in a namespace.
 */
export function powersOf(rule: RoleRule, isClusterWide: boolean): string[] {
  const has = (list: readonly string[], wanted: string) => list.includes(wanted) || list.includes('*');
  const means = ({ group, resources, verbs, isClusterWide: needsAll = false }: Power) =>
    (isClusterWide || !needsAll) &&
    has(rule.apiGroups, group) &&
    resources.some((resource) => hasResource(rule.resources, resource)) &&
    verbs.some((verb) => has(rule.verbs, verb));
  const named = powers.filter(means).map(({ text }) => text);
  const others = rule.resources.filter(
    (resource) =>
      !elsewhere.has(resource.replace(/\/(status|finalizers)$/, '')) &&
      !powers.some((power) => has(rule.apiGroups, power.group) && power.resources.includes(resource)),
  );
  const isWrite = rule.verbs.some((verb) => verb === '*' || write.includes(verb));
  const isStored = rule.apiGroups.some((group) => !questions.includes(group));
  const written =
    isWrite && isStored && others.length > 0 ? [`write ${others.join(', ').replace('*', 'everything')}`] : [];
  return [...new Set([...named, ...written])];
}

// In the words of Kubernetes: `*` is everything, and `*/log` that subresource of everything.
function hasResource(resources: readonly string[], wanted: string): boolean {
  const subresource = wanted.split('/')[1];
  return resources.some(
    (resource) =>
      resource === '*' ||
      resource === wanted ||
      (subresource !== undefined && resource === `*/${subresource}`),
  );
}

/** Rules of a Role or ClusterRole; what is not for resources is left out. */
export function readRules(rules: unknown): RoleRule[] {
  return recordsIn(rules).map(({ apiGroups, resources, verbs }) => ({
    apiGroups: textsIn(apiGroups),
    resources: textsIn(resources),
    verbs: textsIn(verbs),
  }));
}
