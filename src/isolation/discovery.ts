import { idOf, idText, type KubernetesObject } from '../api/kubernetes-object.ts';
import { labelsOfNamespace, managedByLabel, managedByValue, ownerByLabels } from '../api/labels.ts';
import type { LabelSelector } from '../api/resolved-injection.ts';
import { canMatchTogether } from '../api/selector-overlap.ts';
import { matchesSelector } from '../injection/label-selector.ts';
import type { IsolationFinding, LayerResult } from './finding.ts';
import { recordIn, recordsIn, textsIn } from './lenient-fields.ts';
import type { ObservedCluster, ObservedControlPlane } from './observed-cluster.ts';
import type { Tenant } from './tenant.ts';

const layer = 'Discovery';

/** Annotation of a Service that says who may know of it (Istio `networking.istio.io/exportTo`). */
const exportAnnotation = 'networking.istio.io/exportTo';
const exportedKinds: readonly string[] = ['ServiceEntry', 'VirtualService', 'DestinationRule'];

/**
 * Control planes that know namespaces of the tenant, or the tenant others; entries of its registry that lead to Services
 * and pods of others; settings that let its proxies send to what they do not know; other clusters that it knows; webhooks
 * of other meshes that change its pods.
 */
export function proveDiscovery(tenant: Tenant, cluster: ObservedCluster): LayerResult {
  const { controlPlanes, istioObjects } = cluster;
  const own = controlPlanes.filter((controlPlane) => isOf(tenant, controlPlane));
  const others = controlPlanes.filter((controlPlane) => !isOf(tenant, controlPlane));
  const isWithin = ({ metadata }: KubernetesObject) => tenant.namespaces.has(metadata.namespace ?? '');
  const ofTenant = istioObjects.filter(isWithin);
  return {
    findings: [
      ...others.flatMap((controlPlane) => knownToOther(tenant, cluster, controlPlane)),
      ...own.flatMap((controlPlane) => [
        ...knownToTenant(tenant, cluster, controlPlane),
        ...unknownHosts(tenant, controlPlane),
      ]),
      ...leadsOutside(tenant, cluster, [...ofTenant, ...cluster.services.filter(isWithin)]),
      ...ofTenant.flatMap((object) => [
        ...sidecarOpens(tenant, object),
        ...exportsOutside(tenant, cluster, object),
      ]),
      ...cluster.remoteSecrets.flatMap((secret) => otherCluster(tenant, secret)),
      ...cluster.webhooks.flatMap((webhook) => changesPods(tenant, cluster, webhook)),
    ],
    unproven: own.length > 0 ? [] : [`no configuration of the istiod of tenant ${tenant.name} is there`],
  };
}

function isOf({ mesh }: Tenant, { namespace, revision }: ObservedControlPlane): boolean {
  return namespace === mesh.namespace && revision === mesh.revision;
}

/** Names of the namespaces that an istiod discovers; without selectors that is every one. */
function discoveredBy(
  { meshConfig }: ObservedControlPlane,
  namespaces: readonly KubernetesObject[],
): Discovered[] {
  const selectors = recordsIn(meshConfig.discoverySelectors) as LabelSelector[];
  return namespaces.flatMap((namespace): Discovered[] => {
    const { name } = namespace.metadata;
    if (selectors.length === 0) return [{ name, path: 'discoverySelectors' }];
    const index = selectors.findIndex((selector) => matchesSelector(selector, labelsOfNamespace(namespace)));
    return index < 0 ? [] : [{ name, path: `discoverySelectors[${index}]` }];
  });
}

interface Discovered {
  readonly name: string;
  /** What in the MeshConfig has chosen it. */
  readonly path: string;
}

function knownToOther(
  tenant: Tenant,
  { namespaces }: ObservedCluster,
  other: ObservedControlPlane,
): IsolationFinding[] {
  const known = discoveredBy(other, namespaces).filter(({ name }) => tenant.namespaces.has(name));
  return byPath(known).map(([path, names]) => ({
    ...({ layer, severity: 'open', from: [`istiod of ${other.source}`], to: namespaceTexts(names) } as const),
    ...{ object: other.source, path },
    why: `this control plane discovers ${names.join(', ')}, so its proxies know the services there and its configuration counts them in`,
    fix: 'have each discovery selector leave out label meshoperator.dev/tenant, in spec.meshConfig of that mesh',
  }));
}

function knownToTenant(
  tenant: Tenant,
  { namespaces }: ObservedCluster,
  own: ObservedControlPlane,
): IsolationFinding[] {
  const known = discoveredBy(own, namespaces).filter(({ name }) => !tenant.namespaces.has(name));
  return byPath(known).map(([path, names]) => ({
    ...({
      layer,
      severity: 'open',
      from: [`proxies of tenant ${tenant.name}`],
      to: namespaceTexts(names),
    } as const),
    ...{ object: own.source, path },
    why: `the istiod of the tenant discovers ${names.join(', ')}, which are not of it`,
    fix: 'let the operator write this ConfigMap: its selectors are the labels of the tenant',
  }));
}

function byPath(discovered: readonly Discovered[]): [string, string[]][] {
  return [...Map.groupBy(discovered, ({ path }) => path)].map(([path, list]) => [
    path,
    list.map(({ name }) => name).sort(),
  ]);
}

function unknownHosts(
  { name, tenancy }: Tenant,
  { source, meshConfig }: ObservedControlPlane,
): IsolationFinding[] {
  const { mode } = recordIn(meshConfig.outboundTrafficPolicy);
  if (mode === 'REGISTRY_ONLY') return [];
  return [
    {
      ...{ layer, severity: tenancy.isolation === 'Strict' ? 'open' : 'note' },
      ...{ from: [`proxies of tenant ${name}`], to: ['every host that NetworkPolicies let through'] },
      ...{ object: source, path: 'outboundTrafficPolicy.mode' },
      why: 'proxies pass on what they do not know (ALLOW_ANY)',
      fix: 'set spec.tenancy.isolation to Strict, and let the operator write this ConfigMap',
    },
  ];
}

/** A Sidecar that says nothing of it goes by the mesh. */
function sidecarOpens(tenant: Tenant, object: KubernetesObject): IsolationFinding[] {
  const { mode } = recordIn(recordIn(object.spec).outboundTrafficPolicy);
  if (object.kind !== 'Sidecar' || mode !== 'ALLOW_ANY' || tenant.tenancy.isolation === 'Open') return [];
  return [
    {
      ...{ layer, severity: 'open', from: [`proxies of namespace ${object.metadata.namespace}`] },
      to: ['every host that NetworkPolicies let through'],
      ...{ object: idText(idOf(object)), path: 'spec.outboundTrafficPolicy.mode' },
      why: 'it lets proxies pass on what they do not know, against what the mesh says',
      fix: 'take outboundTrafficPolicy out of it',
    },
  ];
}

/** Whatever makes a Service or a pod of somebody else known in the tenant, but what the operator has made of its spec. */
function leadsOutside(
  tenant: Tenant,
  cluster: ObservedCluster,
  objects: readonly KubernetesObject[],
): IsolationFinding[] {
  const existing = new Set(cluster.namespaces.map(({ metadata }) => metadata.name));
  const podsByAddress = podsByTheirAddress(cluster.pods);
  return objects
    .filter((object) => !isOfSpec(tenant, object))
    .flatMap((object) =>
      placesIn(object).flatMap(({ path, host }): IsolationFinding[] => {
        const target = serviceOf(host, existing) ?? podsByAddress.get(host);
        if (target === undefined || tenant.namespaces.has(target.namespace)) return [];
        return [
          {
            ...{ layer, severity: 'open', from: [`proxies of tenant ${tenant.name}`], to: [target.text] },
            ...{ object: idText(idOf(object)), path },
            why: `it makes ${target.text} known to proxies of the tenant, which then send there`,
            fix: `remove it, unless namespace ${target.namespace} is meant to be reached`,
          },
        ];
      }),
    );
}

/** Hosts that `spec.tenancy` allows are in the namespace of the control plane, where nobody else writes. */
function isOfSpec({ mesh }: Tenant, { metadata }: KubernetesObject): boolean {
  const owner = ownerByLabels(metadata.labels);
  return (
    metadata.namespace === mesh.namespace && owner?.namespace === mesh.namespace && owner.name === mesh.name
  );
}

/** Hosts and addresses that an object stands for, each with its place. */
function placesIn(object: KubernetesObject): { readonly path: string; readonly host: string }[] {
  const spec = recordIn(object.spec);
  const listed = (field: string) =>
    textsIn(spec[field]).map((host, index) => ({ path: `spec.${field}[${index}]`, host }));
  switch (object.kind) {
    case 'ServiceEntry':
      return [
        ...listed('hosts'),
        ...listed('addresses'),
        ...recordsIn(spec.endpoints).map(({ address }, index) => ({
          ...{ path: `spec.endpoints[${index}].address`, host: String(address) },
        })),
      ];
    case 'WorkloadEntry':
      return [{ path: 'spec.address', host: String(spec.address) }];
    case 'Service':
      return [{ path: 'spec.externalName', host: String(spec.externalName) }];
    case 'EndpointSlice':
      return recordsIn(object.endpoints).flatMap(({ addresses }, index) =>
        textsIn(addresses).map((host, position) => ({
          path: `endpoints[${index}].addresses[${position}]`,
          host,
        })),
      );
    default:
      return [];
  }
}

interface Target {
  readonly namespace: string;
  readonly text: string;
}

/** `SERVICE.NAMESPACE.svc[.DOMAIN]`, or with `*` for every Service of a namespace. */
function serviceOf(host: string, existing: ReadonlySet<string>): Target | undefined {
  const [, service, namespace] = /^([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? [];
  if (namespace !== undefined && existing.has(namespace))
    return { namespace, text: `Service ${namespace}/${service}` };
  const [, all] = /^\*\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? [];
  return all !== undefined && existing.has(all)
    ? { namespace: all, text: `Services of namespace ${all}` }
    : undefined;
}

function podsByTheirAddress(pods: readonly KubernetesObject[]): ReadonlyMap<string, Target> {
  return new Map(
    pods
      .filter(({ spec }) => recordIn(spec).hostNetwork !== true)
      .flatMap(({ metadata: { namespace = '', name }, status }) => {
        const { podIP, podIPs } = recordIn(status);
        const addresses = [podIP, ...recordsIn(podIPs).map(({ ip }) => ip)];
        return textsIn(addresses).map((address) => [
          address,
          { namespace, text: `Pod ${namespace}/${name}` },
        ]);
      }),
  );
}

/** What the tenant says may be known elsewhere; it is where a control plane discovers both. */
function exportsOutside(
  tenant: Tenant,
  cluster: ObservedCluster,
  object: KubernetesObject,
): IsolationFinding[] {
  if (!exportedKinds.includes(object.kind)) return [];
  const named = textsIn(recordIn(object.spec).exportTo).filter((target) => !['.', '*', '~'].includes(target));
  const outside = named.filter((namespace) => !tenant.namespaces.has(namespace));
  if (outside.length === 0) return [];
  const isKnown = cluster.controlPlanes.some((controlPlane) => {
    const names = discoveredBy(controlPlane, cluster.namespaces).map(({ name }) => name);
    return names.includes(object.metadata.namespace ?? '') && outside.some((name) => names.includes(name));
  });
  return [
    {
      ...{
        layer,
        severity: isKnown ? 'open' : 'note',
        from: namespaceTexts(outside),
        to: [idText(idOf(object))],
      },
      ...{ object: idText(idOf(object)), path: 'spec.exportTo' },
      why: `it is exported to ${outside.join(', ')}${isKnown ? '' : ', which no control plane discovers together with it'}`,
      fix: `take ${outside.join(', ')} out of exportTo; ${exportAnnotation} of Services is the same for those`,
    },
  ];
}

/** One that the operator has made of the spec is what the tenant is meant to know. */
function otherCluster({ mesh, name }: Tenant, { metadata }: KubernetesObject): IsolationFinding[] {
  if (metadata.namespace !== mesh.namespace || metadata.labels?.[managedByLabel] === managedByValue)
    return [];
  const object = `Secret ${metadata.namespace}/${metadata.name}`;
  return [
    {
      ...{
        layer,
        severity: 'open',
        from: [`proxies of tenant ${name}`],
        to: ['services of another cluster'],
        object,
      },
      path: 'metadata.labels[istio/multiCluster]',
      why: 'it makes another cluster known to the istiod of the tenant',
      fix: 'delete it, unless that cluster is of the tenant alone',
    },
  ];
}

function changesPods(
  tenant: Tenant,
  { namespaces, controlPlanes }: ObservedCluster,
  object: KubernetesObject,
): IsolationFinding[] {
  const members = namespaces.filter(({ metadata }) => tenant.members.includes(metadata.name));
  return recordsIn(object.webhooks).flatMap((webhook, index): IsolationFinding[] => {
    const { namespace: server } = recordIn(recordIn(webhook.clientConfig).service);
    const isOfOther =
      server !== tenant.mesh.namespace &&
      (controlPlanes.some(({ namespace }) => namespace === server) ||
        object.metadata.labels?.['istio.io/rev'] !== undefined);
    const pods = recordIn(webhook.objectSelector) as LabelSelector;
    if (!isOfOther || !canMatchTogether(pods)) return [];
    const taken = members.filter((namespace) =>
      matchesSelector(recordIn(webhook.namespaceSelector) as LabelSelector, labelsOfNamespace(namespace)),
    );
    if (taken.length === 0) return [];
    const names = taken.map(({ metadata }) => metadata.name).sort();
    return [
      {
        ...{
          layer,
          severity: 'open',
          from: [`injector of namespace ${server ?? '(outside of the cluster)'}`],
        },
        ...{
          to: namespaceTexts(names),
          object: idText(idOf(object)),
          path: `webhooks[${index}].namespaceSelector`,
        },
        why: `this webhook of another mesh changes pods that are made in ${names.join(', ')}`,
        fix: 'have its namespaceSelector leave out label meshoperator.dev/tenant',
      },
    ];
  });
}

function namespaceTexts(names: readonly string[]): string[] {
  return names.map((name) => `Namespace ${name}`);
}
