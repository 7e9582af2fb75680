import { idOf, idText, type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { ownerByLabels, tenantLabel } from '../api/labels.ts';
import type { LabelSelector } from '../api/resolved-injection.ts';
import { stableJson } from '../base/stable-json.ts';
import { matchesSelector } from '../injection/label-selector.ts';
import type { IsolationFinding, LayerResult, PlatformSubject } from './finding.ts';
import { recordIn, recordsIn } from './lenient-fields.ts';
import type { ObservedCluster } from './observed-cluster.ts';
import { powersOf, type RoleRule, readRules } from './powers.ts';
import type { Tenant } from './tenant.ts';

/** Who a binding is for. */
interface Subject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group';
  readonly name: string;
  /** Of a ServiceAccount, and of the group of those of one namespace. */
  readonly namespace?: string;
  /** Its place in the binding. */
  readonly path: string;
}

interface NamedRule {
  /** `ClusterRole NAME rules[0]`. */
  readonly where: string;
  readonly rule: RoleRule;
}

/** Groups that everybody is in. */
const everybody: readonly string[] = [
  'system:authenticated',
  'system:unauthenticated',
  'system:serviceaccounts',
];
const serviceAccountUser = /^system:serviceaccount:([^:]+):([^:]+)$/;
const serviceAccountsOfNamespace = /^system:serviceaccounts:([^:]+)$/;

/**
 * Subjects from outside who may read Secrets, make pods, run commands, get tokens or write in the namespaces of a tenant,
 * and ServiceAccounts of the tenant that may do so elsewhere. Those are the platform's, and no finding: Kubernetes' own
 * (`system:` and kube-system), the operator, control planes by the bindings that the operator has made, ServiceAccounts
 * of `platformNamespaces`, and whoever a ClusterRoleBinding lets do everything, unless that is everybody, or the
 * ServiceAccounts of a tenant. Users and groups that a RoleBinding in a member names are taken for the tenant's own people,
 * unless they have rights in namespaces of another tenant.
 */
export function proveAccessRights(
  tenant: Tenant,
  cluster: ObservedCluster,
  platformNamespaces: readonly string[] = [],
): LayerResult {
  const rights = new Rights(tenant, cluster, platformNamespaces);
  const findings = cluster.bindings.flatMap((binding) => rights.findingsOf(binding));
  return { findings, platform: rights.platform() };
}

class Rights {
  readonly #tenant: Tenant;
  readonly #cluster: ObservedCluster;
  readonly #platformNamespaces: readonly string[];
  readonly #roles: ReadonlyMap<string, KubernetesObject>;
  readonly #tenantOfNamespace: ReadonlyMap<string, string | undefined>;
  readonly #meshes: ReadonlySet<string>;
  readonly #operators: ReadonlySet<string>;
  readonly #admins: ReadonlySet<string>;
  readonly #platform = new Map<string, string>();

  constructor(tenant: Tenant, cluster: ObservedCluster, platformNamespaces: readonly string[]) {
    this.#tenant = tenant;
    this.#cluster = cluster;
    this.#platformNamespaces = platformNamespaces;
    this.#roles = new Map(cluster.roles.map((role) => [idText(idOf(role)), role]));
    this.#tenantOfNamespace = new Map(
      cluster.namespaces.map(({ metadata: { name, labels } }) => [name, labels?.[tenantLabel]]),
    );
    this.#meshes = new Set(
      cluster.meshes.map(({ metadata: { namespace = '', name } }) => keyText({ namespace, name })),
    );
    const clusterWide = cluster.bindings.filter(isClusterWide);
    this.#operators = new Set(clusterWide.filter(isOfOperator).flatMap(subjectsOf).map(subjectText));
    this.#admins = new Set(
      clusterWide
        .filter((binding) => this.#rulesOf(binding).some(({ rule }) => isEverything(rule)))
        .flatMap(subjectsOf)
        .filter((subject) => this.#mayBeAdmin(subject))
        .map(subjectText),
    );
  }

  platform(): PlatformSubject[] {
    return [...this.#platform]
      .map(([subject, because]) => ({ subject, because }))
      .sort((a, b) => (a.subject < b.subject ? -1 : 1));
  }

  findingsOf(binding: KubernetesObject): IsolationFinding[] {
    const { namespace } = binding.metadata;
    const isInside = namespace === undefined || this.#tenant.namespaces.has(namespace);
    const given = this.#powersBy(binding);
    if (given.powers.length === 0) return [];
    return subjectsOf(binding).flatMap((subject) => {
      const isOwn = this.#isOwn(subject);
      const isOutward = isOwn && (namespace === undefined || !isInside);
      const isInward = !isOwn && isInside;
      const isForAll = everybody.includes(subject.name);
      if (!isOutward && !isInward && !(isForAll && !isInside)) return [];
      const because = this.#whyPlatform(subject, binding);
      if (because !== undefined) {
        if (isInside) this.#platform.set(subjectText(subject), because);
        return [];
      }
      const severity =
        isOwn || isForAll || namespace === undefined ? 'open' : this.#severityOf(subject, namespace);
      return severity === undefined ? [] : [findingOf(this.#tenant, binding, subject, given, severity)];
    });
  }

  #isOwn({ namespace }: Subject): boolean {
    return namespace !== undefined && this.#tenant.namespaces.has(namespace);
  }

  /** Why somebody's rights by a binding are the platform's to give; undefined where they are not. */
  #whyPlatform(subject: Subject, binding: KubernetesObject): string | undefined {
    const { kind, name, namespace } = subject;
    const text = subjectText(subject);
    if (namespace === 'kube-system') return 'ServiceAccounts of kube-system are of Kubernetes';
    if (kind !== 'ServiceAccount' && namespace === undefined && name.startsWith('system:')) {
      const isPublic = everybody.includes(name) || name === 'system:anonymous';
      if (!isPublic) return 'names with system: are of Kubernetes';
    }
    if (this.#operators.has(text)) return 'it is the operator';
    const owner = ownerByLabels(binding.metadata.labels);
    if (owner !== undefined && namespace === owner.namespace && this.#meshes.has(keyText(owner))) {
      return `it is of the control plane of MeshOperator ${keyText(owner)}, which reads the whole cluster`;
    }
    if (namespace !== undefined && this.#platformNamespaces.includes(namespace)) {
      return `namespace ${namespace} was said to be of the platform`;
    }
    if (this.#admins.has(text)) return 'a ClusterRoleBinding lets it do everything';
    return undefined;
  }

  /** Of somebody outside by a RoleBinding in a namespace of the tenant; undefined for the tenant's own people. */
  #severityOf(
    { kind, name, namespace: of }: Subject,
    namespace: string,
  ): IsolationFinding['severity'] | undefined {
    if (kind === 'ServiceAccount' || of !== undefined || name === 'system:anonymous') return 'open';
    const isElsewhere = this.#cluster.bindings.some((binding) => {
      const other = this.#tenantOfNamespace.get(binding.metadata.namespace ?? '');
      const isOfOther = other !== undefined && other !== this.#tenant.name;
      return isOfOther && subjectsOf(binding).some((each) => each.kind === kind && each.name === name);
    });
    if (isElsewhere) return 'open';
    return namespace === this.#tenant.mesh.namespace ? 'note' : undefined;
  }

  #mayBeAdmin({ name, namespace }: Subject): boolean {
    if (everybody.includes(name) || name === 'system:anonymous') return false;
    return namespace === undefined || this.#tenantOfNamespace.get(namespace) === undefined;
  }

  #powersBy(binding: KubernetesObject): GivenPowers {
    const found = this.#rulesOf(binding)
      .map(({ where, rule }) => ({ where, powers: powersOf(rule, isClusterWide(binding)) }))
      .filter(({ powers }) => powers.length > 0);
    return {
      powers: [...new Set(found.flatMap(({ powers }) => powers))],
      rules: found.map(({ where }) => where),
    };
  }

  #rulesOf({ metadata, roleRef }: KubernetesObject): NamedRule[] {
    const { kind, name } = recordIn(roleRef);
    const place = kind === 'Role' ? `${metadata.namespace}/` : '';
    const role = this.#roles.get(`${kind} ${place}${name}`);
    if (role === undefined) return [];
    const parts = this.#aggregatedInto(role).flatMap(namedRules);
    // A controller copies rules of parts into the whole: each is named where it was written.
    const written = new Set(parts.map(({ rule }) => stableJson(rule)));
    return [...namedRules(role).filter(({ rule }) => !written.has(stableJson(rule))), ...parts];
  }

  /** What an aggregated ClusterRole is made of, also where nobody has filled it in. */
  #aggregatedInto({ aggregationRule }: KubernetesObject): KubernetesObject[] {
    const selectors = recordsIn(recordIn(aggregationRule).clusterRoleSelectors);
    return (selectors as LabelSelector[]).flatMap((selector) =>
      this.#cluster.roles.filter(
        ({ kind, metadata }) => kind === 'ClusterRole' && matchesSelector(selector, metadata.labels ?? {}),
      ),
    );
  }
}

interface GivenPowers {
  readonly powers: readonly string[];
  readonly rules: readonly string[];
}

function findingOf(
  tenant: Tenant,
  binding: KubernetesObject,
  subject: Subject,
  { powers, rules }: GivenPowers,
  severity: IsolationFinding['severity'],
): IsolationFinding {
  const { namespace } = binding.metadata;
  const where = namespace === undefined ? 'in every namespace' : `in namespace ${namespace}`;
  const isOfTenant = subject.namespace !== undefined && tenant.namespaces.has(subject.namespace);
  return {
    ...{ layer: 'RBAC', severity, from: [subjectText(subject)] },
    to: namespace === undefined ? ['every namespace'] : [`Namespace ${namespace}`],
    ...{ object: idText(idOf(binding)), path: subject.path },
    why: `it can ${powers.join(', ')} ${where}, by ${rules.join(', ')}`,
    fix: isOfTenant
      ? 'take it out of the binding, or bind it in the namespaces of the tenant alone'
      : 'take it out of the binding, or bind it in its own namespaces alone; who is of the platform can be said by --platform-namespace',
  };
}

function subjectsOf({ metadata, subjects }: KubernetesObject): Subject[] {
  return recordsIn(subjects).map((subject, index): Subject => {
    const path = `subjects[${index}]`;
    const name = String(subject.name);
    if (subject.kind === 'ServiceAccount') {
      return {
        kind: 'ServiceAccount',
        name,
        namespace: String(subject.namespace ?? metadata.namespace),
        path,
      };
    }
    const [, ofUser, account] = serviceAccountUser.exec(name) ?? [];
    if (subject.kind === 'User' && ofUser !== undefined && account !== undefined) {
      return { kind: 'ServiceAccount', name: account, namespace: ofUser, path };
    }
    const [, ofGroup] = (subject.kind === 'Group' && serviceAccountsOfNamespace.exec(name)) || [];
    const kind = subject.kind === 'Group' ? 'Group' : 'User';
    return { kind, name, ...(ofGroup === undefined ? {} : { namespace: ofGroup }), path };
  });
}

function subjectText({ kind, name, namespace }: Subject): string {
  return kind === 'ServiceAccount' ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
}

function isClusterWide({ kind }: KubernetesObject): boolean {
  return kind === 'ClusterRoleBinding';
}

/** By the labels of its chart. */
function isOfOperator({ metadata: { labels = {} } }: KubernetesObject): boolean {
  return (
    labels['app.kubernetes.io/name'] === 'mesh-operator' &&
    labels['app.kubernetes.io/component'] === 'operator'
  );
}

function isEverything({ apiGroups, resources, verbs }: RoleRule): boolean {
  return [apiGroups, resources, verbs].every((list) => list.includes('*'));
}

function namedRules(role: KubernetesObject): NamedRule[] {
  return readRules(role.rules).map((rule, index) => ({
    where: `${idText(idOf(role))} rules[${index}]`,
    rule,
  }));
}
