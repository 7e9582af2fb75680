import { maxCertificates, maxFileLength } from '../pki/lint/bundle.ts';
import { isSignedBy, nameOf, readCertificate } from '../pki/lint/bundle-certificate.ts';
import { readPem } from '../pki/lint/pem-blocks.ts';
import type { ParsedCertificate } from '../pki/parsed-certificate.ts';
import type { IsolationFinding, LayerResult } from './finding.ts';
import { recordsIn, textsIn } from './lenient-fields.ts';
import type { ObservedCluster, ObservedControlPlane, ObservedRoots } from './observed-cluster.ts';
import type { Tenant } from './tenant.ts';

const layer = 'TrustRoots';

/** A certificate that leaves are verified by, or issued by, and everywhere that it is. */
interface Anchor {
  readonly sources: readonly string[];
  readonly certificate: ParsedCertificate;
  /** SubjectPublicKeyInfo, DER as base64: a root that is made anew with its old key is the same to whoever verifies. */
  readonly key: string;
}

/** What the certificates of some places are, and what of them nobody can read. */
interface Reading {
  readonly anchors: readonly Anchor[];
  readonly problems: readonly string[];
}

/**
 * Keys that the tenant's proxies trust and another mesh has as well, certificates of one side that the other side verifies,
 * and trust domains and roots that a control plane takes for its own beside those.
 */
export function proveTrustRoots(tenant: Tenant, cluster: ObservedCluster): LayerResult {
  const { bundle } = tenant;
  const isBundle = ({ namespace, name }: ObservedRoots) =>
    name === bundle && tenant.namespaces.has(namespace);
  const isAuthority = ({ namespace }: ObservedRoots) => namespace === tenant.mesh.namespace;
  const own = readAnchors([...cluster.bundles.filter(isBundle), ...cluster.authorities.filter(isAuthority)]);
  const others = readAnchors([
    ...cluster.bundles.filter((place) => !isBundle(place)),
    ...cluster.authorities.filter((place) => !isAuthority(place)),
  ]);
  const isEmpty = own.anchors.length === 0;
  return {
    findings: [
      ...sharedAnchors(own.anchors, others.anchors),
      ...cluster.controlPlanes.flatMap((controlPlane) =>
        isOf(tenant, controlPlane)
          ? beliefsOfTenant(tenant, controlPlane, own.anchors)
          : beliefsOfOther(tenant, controlPlane),
      ),
      ...namespacesWithout(tenant, cluster),
    ],
    unproven: [
      ...own.problems,
      ...others.problems,
      ...(isEmpty
        ? [`no roots of the tenant are there yet, neither ConfigMap ${bundle} nor Secret cacerts`]
        : []),
    ],
  };
}

/** One finding for each certificate of others, by the strongest tie that it has. */
function sharedAnchors(own: readonly Anchor[], others: readonly Anchor[]): IsolationFinding[] {
  const ties: readonly { readonly holds: (one: Anchor, other: Anchor) => boolean; readonly why: string }[] = [
    {
      holds: (one, other) => one.key === other.key,
      why: 'has the key of one that the tenant trusts, so what either signs is believed by both',
    },
    {
      holds: isSignerOf,
      why: 'is signed by one that the tenant trusts, so the tenant believes what it signs',
    },
    {
      holds: (one, other) => isSignerOf(other, one),
      why: 'has signed one of the tenant, so whoever trusts it believes the tenant',
    },
  ];
  return others.flatMap((other): IsolationFinding[] => {
    for (const { holds, why } of ties) {
      const one = own.find((each) => holds(each, other));
      const [object] = other.sources;
      if (one === undefined || object === undefined) continue;
      return [
        {
          ...{ layer, severity: 'open', from: other.sources, to: one.sources, object },
          why: `its certificate ${nameOf(other.certificate)} ${why} (${nameOf(one.certificate)})`,
          fix: 'give each mesh an authority of its own: roots with keys that no other has, and none that another has signed',
        },
      ];
    }
    return [];
  });
}

/** By the key alone: who has it can sign under any name. */
function isSignerOf({ certificate: issuer }: Anchor, { certificate }: Anchor): boolean {
  return isSignedBy(certificate, issuer);
}

function beliefsOfTenant(
  tenant: Tenant,
  { source, meshConfig }: ObservedControlPlane,
  own: readonly Anchor[],
): IsolationFinding[] {
  const to = [`proxies of tenant ${tenant.name}`];
  const keys = new Set(own.map(({ key }) => key));
  const aliases = textsIn(meshConfig.trustDomainAliases)
    .filter((alias) => alias !== tenant.name)
    .map((alias, index) => ({
      ...({ layer, severity: 'open', from: [`trust domain ${alias}`], to, object: source } as const),
      path: `trustDomainAliases[${index}]`,
      why: `policies that allow identities of the tenant allow those of ${alias} as well`,
      fix: 'take the alias out of spec.meshConfig',
    }));
  const roots = recordsIn(meshConfig.caCertificates).flatMap((entry, index): IsolationFinding[] => {
    const { anchors, problems } = readAnchors([
      { source, namespace: '', name: '', pem: String(entry.pem ?? '') },
    ]);
    const isKnown = anchors.length > 0 && problems.length === 0 && anchors.every(({ key }) => keys.has(key));
    if (isKnown) return [];
    return [
      {
        ...{
          layer,
          severity: 'open',
          from: ['whoever has a certificate of these roots'],
          to,
          object: source,
        },
        path: `caCertificates[${index}]`,
        why: 'proxies trust these roots beside those of the authority of the tenant',
        fix: 'take them out of spec.meshConfig',
      },
    ];
  });
  const { trustDomain } = meshConfig;
  const domain: IsolationFinding[] =
    trustDomain === tenant.name
      ? []
      : [
          {
            ...{ layer, severity: 'open', from: [`trust domain ${trustDomain}`], to, object: source },
            path: 'trustDomain',
            why: `it is ${trustDomain} and not that of the tenant, so other meshes may have identities of the same names`,
            fix: `let it be ${tenant.name}: nothing but the operator should write this ConfigMap`,
          },
        ];
  return [...domain, ...aliases, ...roots];
}

/** What another mesh takes for its own of the tenant. */
function beliefsOfOther(tenant: Tenant, { source, meshConfig }: ObservedControlPlane): IsolationFinding[] {
  const fields = [
    { path: 'trustDomain', domains: [meshConfig.trustDomain] },
    ...textsIn(meshConfig.trustDomainAliases).map((alias, index) => ({
      ...{ path: `trustDomainAliases[${index}]`, domains: [alias] },
    })),
  ];
  return fields
    .filter(({ domains }) => domains.includes(tenant.name))
    .map(({ path }) => ({
      ...({ layer, severity: 'open', from: [`identities of tenant ${tenant.name}`], to: [source] } as const),
      ...{ object: source, path },
      why: `another mesh has the trust domain ${tenant.name} as well, so its policies take identities of the tenant for its own`,
      fix: 'give the other mesh a trust domain of its own',
    }));
}

/** Members whose pods are told no roots yet; nobody gets in by that. */
function namespacesWithout(
  { members, name, bundle }: Tenant,
  { bundles }: ObservedCluster,
): IsolationFinding[] {
  const having = new Set(bundles.filter((place) => place.name === bundle).map(({ namespace }) => namespace));
  const lacking = members.filter((namespace) => !having.has(namespace));
  if (lacking.length === 0) return [];
  return [
    {
      ...{
        layer,
        severity: 'note',
        from: [`istiod of tenant ${name}`],
        to: lacking.map((each) => `Namespace ${each}`),
      },
      object: `Namespace ${lacking[0]}`,
      why: `there is no ConfigMap ${bundle}, so what its proxies will trust cannot be seen`,
      fix: 'ask again when istiod has written it',
    },
  ];
}

function isOf({ mesh }: Tenant, { namespace, revision }: ObservedControlPlane): boolean {
  return namespace === mesh.namespace && revision === mesh.revision;
}

/** Each certificate once, since every namespace has the roots of its mesh. */
function readAnchors(places: readonly ObservedRoots[]): Reading {
  const anchors = new Map<string, Anchor & { readonly sources: string[] }>();
  const problems: string[] = [];
  for (const { source, pem } of places) {
    const { blocks, problems: unreadable } = readPem(pem.slice(0, maxFileLength));
    const found = blocks.filter(({ label }) => label === 'CERTIFICATE');
    const certificates = found
      .slice(0, maxCertificates)
      .map(({ content }) => readCertificate(content))
      .filter((certificate) => certificate !== undefined);
    for (const certificate of certificates) {
      const { fingerprint256 } = certificate.x509;
      const anchor = anchors.get(fingerprint256) ?? { certificate, key: keyOf(certificate), sources: [] };
      anchors.set(fingerprint256, anchor);
      if (!anchor.sources.includes(source)) anchor.sources.push(source);
    }
    if (unreadable.length > 0 || certificates.length < found.length || pem.length > maxFileLength) {
      problems.push(`what is in ${source} cannot be read as certificates`);
    }
  }
  return { anchors: [...anchors.values()], problems };
}

function keyOf({ x509 }: ParsedCertificate): string {
  return x509.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}
