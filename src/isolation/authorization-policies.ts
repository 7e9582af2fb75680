import { idOf, idText, type KubernetesObject } from '../api/kubernetes-object.ts';
import { rootNamespaceOf } from '../api/resolved-mesh.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { matchesSelector } from '../injection/label-selector.ts';
import type { IsolationFinding, LayerResult } from './finding.ts';
import { outsidersOfNamespace, outsidersOfPrincipal, outsidersOfServiceAccount } from './identity.ts';
import { recordIn, recordsIn, textsIn } from './lenient-fields.ts';
import type { ObservedCluster } from './observed-cluster.ts';
import type { Tenant } from './tenant.ts';

type Source = Readonly<Record<string, unknown>>;

const layer = 'AuthorizationPolicy';

/** Fields of a source that say which workload calls, and what of them is outside of the tenant. */
const identityFields = {
  principals: outsidersOfPrincipal,
  namespaces: outsidersOfNamespace,
  serviceAccounts: outsidersOfServiceAccount,
} as const;

/** The same as conditions of a rule (`when`). */
const identityConditions: Readonly<Record<string, keyof typeof identityFields>> = {
  'source.principal': 'principals',
  'source.namespace': 'namespaces',
  'source.serviceAccount': 'serviceAccounts',
};

/** They bind a caller without saying which workload it is. */
const otherFields = ['requestPrincipals', 'ipBlocks', 'remoteIpBlocks'] as const;

/**
 * Rules that allow callers from outside the tenant to call its workloads, unless a DENY policy takes them out; and where
 * plaintext is taken, in which a caller has no identity. Rules of its gateways, which are for everybody, are none.
 */
export function proveAuthorizationPolicies(tenant: Tenant, { istioObjects }: ObservedCluster): LayerResult {
  const root = rootNamespaceOf(tenant.mesh);
  const ofTenant = istioObjects.filter(({ metadata: { namespace = '' } }) => {
    return tenant.namespaces.has(namespace) || namespace === root;
  });
  const policies = ofTenant.filter(({ kind }) => kind === 'AuthorizationPolicy');
  const denials = policies.filter((policy) => actionOf(policy) === 'DENY');
  return {
    findings: [
      ...policies
        .filter((policy) => actionOf(policy) === 'ALLOW' && !isOfGateway(policy, tenant))
        .flatMap((policy) => {
          const closing = denials.filter((denial) => covers(denial, policy, root));
          return rulesOf(policy).flatMap((rule, index) => judgeRule(tenant, policy, rule, index, closing));
        }),
      ...plaintextNotes(
        tenant,
        ofTenant.filter(({ kind }) => kind === 'PeerAuthentication'),
      ),
    ],
  };
}

function judgeRule(
  tenant: Tenant,
  policy: KubernetesObject,
  rule: Source,
  index: number,
  denials: readonly KubernetesObject[],
): IsolationFinding[] {
  const conditions = conditionsOf(rule);
  const sources = recordsIn(rule.from).map(({ source }) => recordIn(source));
  const given = sources.length === 0 ? [undefined] : sources;
  return given.flatMap((source, position): IsolationFinding[] => {
    const admitted = [...(source === undefined ? [] : [source]), ...conditions];
    const outsiders = outsidersOf(admitted, tenant);
    if (outsiders === undefined || isDenied(outsiders, admitted, denials, tenant)) return [];
    const isBound = admitted.some((each) => otherFields.some((field) => textsIn(each[field]).length > 0));
    return [
      {
        ...{ layer, severity: outsiders === anybody && isBound ? 'note' : 'open' },
        ...{ from: [outsiders], to: [targetText(policy)], object: idText(idOf(policy)) },
        path: `spec.rules[${index}]${source === undefined ? '' : `.from[${position}].source`}`,
        why:
          outsiders === anybody
            ? 'it does not say which workload calls, so whoever gets a connection through may call'
            : `it allows ${outsiders}`,
        fix: `name identities of the tenant alone, as principals: [${tenant.mesh.meshConfig.trustDomain}/*]`,
      },
    ];
  });
}

const anybody = 'anybody, also without an identity';

/** Who of outside all of these admit together; undefined for nobody. */
function outsidersOf(sources: readonly Source[], tenant: Tenant): string | undefined {
  const found: string[] = [];
  for (const source of sources) {
    for (const [field, outsiders] of Object.entries(identityFields)) {
      const values = textsIn(source[field]);
      if (values.length === 0) continue;
      const admitted = values.flatMap((value) => outsiders(value, tenant) ?? []);
      if (admitted.length === 0) return undefined;
      found.push(...admitted);
    }
  }
  return found.length === 0 ? anybody : [...new Set(found)].join(', ');
}

/** True where a policy refuses all who are not of the tenant, or exactly those who are allowed here. */
function isDenied(
  outsiders: string,
  admitted: readonly Source[],
  denials: readonly KubernetesObject[],
  tenant: Tenant,
): boolean {
  return denials.flatMap(rulesOf).some((rule) => {
    if (recordsIn(rule.to).length > 0 || recordsIn(rule.when).length > 0) return false;
    const sources = recordsIn(rule.from).map(({ source }) => recordIn(source));
    return (
      sources.length === 0 || sources.some((source) => refusesOutsiders(source, tenant, outsiders, admitted))
    );
  });
}

function refusesOutsiders(
  source: Source,
  tenant: Tenant,
  outsiders: string,
  admitted: readonly Source[],
): boolean {
  const [field, ...more] = Object.keys(source);
  if (field === undefined || more.length > 0) return false;
  const values = textsIn(source[field]);
  const positive = field.replace(/^not(.)/, (_, letter: string) => letter.toLowerCase());
  if (!isIdentityField(positive) || values.length === 0) return false;
  if (positive !== field)
    return values.every((value) => identityFields[positive](value, tenant) === undefined);
  // Whoever has no identity is not named by one.
  if (outsiders === anybody) return false;
  const allowed = admitted.flatMap((each) => textsIn(each[field]));
  const foreign = allowed.filter((value) => identityFields[positive](value, tenant) !== undefined);
  return foreign.length > 0 && foreign.every((value) => values.includes(value) || values.includes('*'));
}

function isIdentityField(field: string): field is keyof typeof identityFields {
  return Object.hasOwn(identityFields, field);
}

function conditionsOf(rule: Source): Source[] {
  return recordsIn(rule.when).flatMap(({ key, values }) => {
    const field = identityConditions[String(key)];
    return field === undefined ? [] : [{ [field]: values }];
  });
}

/** Workloads that take plaintext, for each place that says so; a place that says nothing goes by the next wider one. */
function plaintextNotes(tenant: Tenant, peers: readonly KubernetesObject[]): IsolationFinding[] {
  const root = rootNamespaceOf(tenant.mesh);
  const wide = (namespace: string) =>
    peers.filter(({ metadata, spec }) => metadata.namespace === namespace && selectorOf(spec) === undefined);
  const modeOf = (namespace: string) => modeIn(wide(namespace)) ?? modeIn(wide(root)) ?? 'PERMISSIVE';
  const loose = tenant.members.filter((namespace) => modeOf(namespace) !== 'STRICT');
  const narrow = peers.flatMap((policy): IsolationFinding[] => {
    const { mtls, portLevelMtls } = recordIn(policy.spec);
    const ports = Object.entries(recordIn(portLevelMtls))
      .filter(([, setting]) => isLoose(setting))
      .map(([port]) => `spec.portLevelMtls.${port}`);
    const own = selectorOf(policy.spec) !== undefined && isLoose(mtls) ? ['spec.mtls.mode'] : [];
    return [...own, ...ports].map((path) => ({
      ...{ layer, severity: 'note', from: [anybody], to: [targetText(policy)] },
      ...{ object: idText(idOf(policy)), path },
      ...plaintextText,
    }));
  });
  if (loose.length === 0) return narrow;
  return [
    {
      ...{ layer, severity: 'note', from: [anybody], to: loose.map((name) => `Namespace ${name}`) },
      object: `Namespace ${root}`,
      ...plaintextText,
    },
    ...narrow,
  ];
}

const plaintextText = {
  why: 'plaintext is taken there, so NetworkPolicies alone keep others from calling',
  fix: 'set spec.security.mtls.mode of the MeshOperator to STRICT, once all callers have sidecars',
} as const;

/** Of the oldest, by which Istio goes; undefined where none says it. */
function modeIn(policies: readonly KubernetesObject[]): string | undefined {
  const [oldest] = policies.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
  );
  const { mtls } = recordIn(oldest?.spec);
  const mode = recordIn(mtls).mode;
  return typeof mode === 'string' && mode !== 'UNSET' ? mode : undefined;
}

function isLoose(setting: unknown): boolean {
  return isRecord(setting) && (setting.mode === 'PERMISSIVE' || setting.mode === 'DISABLE');
}

/** Whether a policy is about every workload that another one is about. */
function covers(wide: KubernetesObject, narrow: KubernetesObject, root: string): boolean {
  const isWithin = [root, narrow.metadata.namespace].includes(wide.metadata.namespace);
  const selector = selectorOf(wide.spec);
  return isWithin && (selector === undefined || stableJson(selector) === stableJson(selectorOf(narrow.spec)));
}

/** A policy of gateways alone: they pass on what arrives, and workloads decide. */
function isOfGateway({ metadata, spec }: KubernetesObject, { mesh }: Tenant): boolean {
  const selector = selectorOf(spec);
  return (
    selector !== undefined &&
    mesh.gateways.some(
      (gateway) =>
        gateway.namespace === metadata.namespace &&
        matchesSelector({ matchLabels: selector }, gateway.selector),
    )
  );
}

function targetText({ metadata: { namespace }, spec }: KubernetesObject): string {
  const selector = selectorOf(spec);
  const labels = Object.entries(selector ?? {}).map(([key, value]) => `${key}=${value}`);
  return labels.length === 0
    ? `workloads of namespace ${namespace}`
    : `workloads of namespace ${namespace} with ${labels.join(',')}`;
}

/** Undefined where every workload is meant. */
function selectorOf(spec: unknown): Record<string, string> | undefined {
  const selector = recordIn(recordIn(spec).selector).matchLabels;
  return isRecord(selector) && Object.keys(selector).length > 0
    ? (selector as Record<string, string>)
    : undefined;
}

/** ALLOW is Istio's default. */
function actionOf({ spec }: KubernetesObject): string {
  return isRecord(spec) && typeof spec.action === 'string' ? spec.action : 'ALLOW';
}

function rulesOf({ spec }: KubernetesObject): Source[] {
  return recordsIn(recordIn(spec).rules);
}
