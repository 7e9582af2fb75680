import { isRecord } from '../../base/stable-json.ts';
import { tenantLabel } from '../labels.ts';
import { nodeComponents } from '../node-components.ts';
import type { Problem } from '../problem.ts';
import type { LabelSelector } from '../resolved-injection.ts';
import { qualifiedNameRule } from '../spec/field-format.ts';
import { checkAddressRanges } from './address-ranges.ts';
import { findDuplicates } from './duplicates.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.tenancy';
const nameLabel = 'kubernetes.io/metadata.name';

/** A tenant has a name of its own for everything, and what belongs to the whole cluster is not its to ask for. */
export function checkTenancy({ spec, namespace }: SpecView): Problem[] {
  const { tenancy } = spec;
  if (tenancy === undefined) return [];
  const problems: Problem[] = [];
  const add = (at: string, message: string) => problems.push({ path: at, message });
  const { revision, revisionTags = [], components, meshConfig = {}, values } = spec;
  if (revision === undefined) {
    const suggestion = tenancy.tenant === undefined ? 'the name of the tenant' : tenancy.tenant;
    add(
      'spec.revision',
      `is required with spec.tenancy: members choose their tenant by it; set ${suggestion}`,
    );
  }
  if (revisionTags.includes('default')) {
    add('spec.revisionTags', 'must not have default with spec.tenancy: that name is for the whole cluster');
  }
  if (spec.profile === 'remote')
    add('spec.profile', 'must not be remote with spec.tenancy: a tenant has a control plane of its own');
  if (spec.upgrade?.strategy === 'RevisionBased') {
    add('spec.upgrade.strategy', 'must be InPlace with spec.tenancy: members follow one control plane');
  }
  for (const name of nodeComponents) {
    if (components?.[name] === undefined || components[name]?.enabled === false) continue;
    const message =
      'must not be enabled with spec.tenancy: nodes have one for all meshes, which a mesh without tenancy brings';
    add(`spec.components.${name}`, message);
  }
  for (const [at, given] of [
    ['spec.meshConfig', meshConfig],
    ['spec.values.meshConfig', values?.meshConfig ?? {}],
  ] as const) {
    if (given.discoverySelectors !== undefined) {
      add(
        `${at}.discoverySelectors`,
        'must not be given with spec.tenancy, whose members are what istiod discovers: remove it',
      );
    }
    const isStrict = (tenancy.isolation ?? 'Strict') === 'Strict';
    if (isStrict && given.outboundTrafficPolicy !== undefined) {
      add(
        `${at}.outboundTrafficPolicy`,
        'is REGISTRY_ONLY with spec.tenancy.isolation Strict: remove it, or set isolation: Open',
      );
    }
  }
  return [
    ...problems,
    ...checkMembers({ spec, namespace }),
    ...checkTenantEgress({ spec, namespace }),
    ...checkQuota({ spec, namespace }),
  ];
}

function checkMembers({ spec, namespace }: SpecView): Problem[] {
  const { selector, namespaces = [] } = spec.tenancy?.members ?? {};
  const at = `${path}.members`;
  const named = namespaces.flatMap((name, index) =>
    name === undefined ? [] : [{ at: `${at}.namespaces[${index}]`, name }],
  );
  const selected = namesOfSelector((selector ?? {}) as LabelSelector).map((name) => ({
    at: `${at}.selector`,
    name,
  }));
  const problems = [...named, ...selected].flatMap((entry): Problem[] => {
    if (isSystemNamespace(entry.name)) {
      return [{ path: entry.at, message: `must not select ${entry.name}, which is Kubernetes' own` }];
    }
    return entry.name === namespace
      ? [
          {
            path: entry.at,
            message: `must not select ${namespace}: the control plane's own namespace is part of the tenant without being a member`,
          },
        ]
      : [];
  });
  const keys = [
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map((requirement) => requirement?.key ?? ''),
  ];
  if (keys.includes(tenantLabel)) {
    problems.push({
      path: `${at}.selector`,
      message: `must not speak of ${tenantLabel}, which every member has anyway: remove it`,
    });
  }
  if (selector === undefined && namespaces.length === 0) {
    problems.push({
      path: at,
      message:
        'must have a selector or namespaces; selector: {} takes every namespace with the label of the tenant',
    });
  }
  return problems;
}

function checkTenantEgress({ spec }: SpecView): Problem[] {
  const { egress = [], isolation } = spec.tenancy ?? {};
  const at = `${path}.egress`;
  if (isolation === 'Open' && egress.length > 0) {
    return [{ path: at, message: 'has no effect with isolation Open, which lets everything out: remove it' }];
  }
  const gatewayHosts = new Set((spec.security?.egress?.hosts ?? []).map((entry) => entry?.host));
  return [
    ...findDuplicates(at, egress, (allowance) => allowance?.host),
    ...egress.flatMap((allowance, index): Problem[] => {
      const { host, ports = [], cidrs = [] } = allowance ?? {};
      const own = `${at}[${index}]`;
      const isByAddress = ports.some((entry) => entry?.protocol === 'TCP');
      const isByName = ports.some((entry) => entry?.protocol !== undefined && entry.protocol !== 'TCP');
      const problems: Problem[] = [
        ...findDuplicates(`${own}.ports`, ports, (entry) => entry?.port?.toString()),
        ...checkAddressRanges(`${own}.cidrs`, cidrs),
      ];
      if (host !== undefined && gatewayHosts.has(host)) {
        problems.push({
          path: `${own}.host`,
          message:
            'is a host of spec.security.egress, whose gateway members call it through: remove one of them',
        });
      }
      if (isByAddress && isByName) {
        problems.push({
          path: `${own}.ports`,
          message: 'must not mix TCP, which goes by address, with protocols that go by the name of the host',
        });
      }
      if (isByAddress && cidrs.length === 0) {
        problems.push({
          path: `${own}.cidrs`,
          message: 'is required with protocol TCP: proxies tell what they let through by its address alone',
        });
      }
      return problems;
    }),
  ];
}

/** Namespaces that a selector names, and would take. */
export function namesOfSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string[] {
  const byLabel = matchLabels[nameLabel];
  const listed = matchExpressions.filter(({ key, operator }) => key === nameLabel && operator === 'In');
  return [...(byLabel === undefined ? [] : [byLabel]), ...listed.flatMap(({ values = [] }) => values)];
}

/** True for the namespaces of Kubernetes itself, which are members of nothing. */
export function isSystemNamespace(name: string): boolean {
  return name.startsWith('kube-');
}

/** Names of resources, which the API server would refuse in each namespace. */
function checkQuota({ spec }: SpecView): Problem[] {
  const { quota = {}, limits = [] } = spec.tenancy ?? {};
  const ofLimits = limits.flatMap((limit, index) =>
    Object.entries(limit ?? {}).map(([field, map]) => [`${path}.limits[${index}].${field}`, map] as const),
  );
  return [[`${path}.quota`, quota] as const, ...ofLimits].flatMap(([at, map]) =>
    Object.keys(isRecord(map) ? map : {})
      .filter((name) => !qualifiedNameRule.pattern.test(name))
      .map((name) => ({
        path: `${at}[${JSON.stringify(name)}]`,
        message: 'must be the name of a resource, for example requests.cpu',
      })),
  );
}
