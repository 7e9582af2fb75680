import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { wholeNamespacePolicy } from '../../api/resolve-security.ts';
import type { MtlsMode, ResolvedPeerPolicy } from '../../api/resolved-security.ts';
import { isRecord } from '../../base/stable-json.ts';

/** Where one mode counts: for a port, for pods with these labels, for a namespace; with nothing, for the whole mesh. */
export interface PeerPlace {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly port?: number;
}

/** Policies of peers, and which namespace's count for the whole mesh. */
export interface PeerPolicies {
  readonly policies: readonly ResolvedPeerPolicy[];
  readonly rootNamespace: string;
}

/** What Istio does where no policy says anything. */
const istioDefault: MtlsMode = 'PERMISSIVE';
export const wholeMesh: PeerPlace = {};

/** `*`, `shop`, `shop app=db` or `shop app=db port 9187`: the same for the same place, in status as well. */
export function placeText({ namespace = '*', labels, port }: PeerPlace): string {
  return [
    namespace,
    ...(labels === undefined ? [] : [labelsText(labels)]),
    ...(port === undefined ? [] : [`port ${port}`]),
  ].join(' ');
}

/** Every place that some policy names, and the whole mesh, the widest first. */
export function placesOf(...all: readonly PeerPolicies[]): PeerPlace[] {
  const places = [wholeMesh, ...all.flatMap((peers) => peers.policies.flatMap((one) => named(one, peers)))];
  const width = ({ namespace, labels, port }: PeerPlace) =>
    [namespace, labels, port].filter((part) => part !== undefined).length;
  const unique = new Map(places.map((place) => [placeText(place), place]));
  return [...unique.values()].sort((a, b) => width(a) - width(b));
}

/**
 * True where only mutual TLS is taken. A place without a policy of its own has the mode of the next wider one
 * (Istio pilot/pkg/security/authn/policy_applier.go, ComposePeerAuthentication). `known` are places by their text of which that is certain, whatever
 * the policies say.
 */
export function isStrict(
  peers: PeerPolicies,
  place: PeerPlace,
  known: ReadonlySet<string> = new Set(),
): boolean {
  for (let at: PeerPlace | undefined = place; at !== undefined; at = widened(at)) {
    if (known.has(placeText(at))) return true;
    const mode = ownMode(peers, at);
    if (mode !== undefined) return mode === 'STRICT';
  }
  return false;
}

/**
 * The policies that are wanted, but that they stay `PERMISSIVE` at the places of `held`. A policy that is wanted no longer,
 * and whose end would make a held place strict, is kept as `observed` has it.
 */
export function heldPolicies(
  wanted: PeerPolicies,
  observed: PeerPolicies,
  held: readonly PeerPlace[],
): readonly ResolvedPeerPolicy[] {
  const byName = new Map(wanted.policies.map((policy) => [nameOf(policy), policy]));
  for (const place of held) {
    const isAtPlace = isOf(place, wanted.rootNamespace);
    const policy =
      [...byName.values()].find(isAtPlace) ??
      observed.policies.find(isAtPlace) ??
      wholePolicy(place.namespace ?? wanted.rootNamespace);
    byName.set(nameOf(policy), heldAt(policy, place));
  }
  return [...byName.values()];
}

function heldAt(policy: ResolvedPeerPolicy, { port }: PeerPlace): ResolvedPeerPolicy {
  if (port === undefined) return { ...policy, mode: istioDefault };
  const others = policy.ports.filter((found) => found.port !== port);
  return { ...policy, ports: [...others, { port, mode: istioDefault }].sort((a, b) => a.port - b.port) };
}

function wholePolicy(namespace: string): ResolvedPeerPolicy {
  return { name: wholeNamespacePolicy, namespace, ports: [] };
}

/** What PeerAuthentications say, as settings; of other kinds nothing is taken. */
export function peerPoliciesIn(objects: readonly KubernetesObject[]): ResolvedPeerPolicy[] {
  return objects
    .filter(({ kind }) => kind === 'PeerAuthentication')
    .map(({ metadata: { name, namespace = '' }, spec }) => {
      const { selector, mtls, portLevelMtls } = recordOf(spec);
      const labels = recordOf(recordOf(selector).matchLabels) as Record<string, string>;
      const mode = modeIn(mtls);
      const ports = Object.entries(recordOf(portLevelMtls)).flatMap(([port, said]) => {
        const ofPort = modeIn(said);
        return ofPort === undefined ? [] : [{ port: Number(port), mode: ofPort }];
      });
      return {
        ...{ name, namespace, ports },
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
        ...(mode === undefined ? {} : { mode }),
      };
    });
}

/** `UNSET` is the same as none. */
function modeIn(said: unknown): MtlsMode | undefined {
  const { mode } = recordOf(said);
  return mode === 'STRICT' || mode === 'PERMISSIVE' || mode === 'DISABLE' ? mode : undefined;
}

function named(policy: ResolvedPeerPolicy, { rootNamespace }: PeerPolicies): PeerPlace[] {
  const place = placeOf(policy, rootNamespace);
  if (place === undefined) return [];
  return [place, ...policy.ports.map(({ port }) => ({ ...place, port }))];
}

/** Undefined for one that Istio does not look at: with labels, in the root namespace. */
function placeOf(
  { namespace, labels }: ResolvedPeerPolicy,
  rootNamespace: string,
): Omit<PeerPlace, 'port'> | undefined {
  if (labels !== undefined) return namespace === rootNamespace ? undefined : { namespace, labels };
  return namespace === rootNamespace ? wholeMesh : { namespace };
}

/** The mode that a policy gives to exactly this place. */
function ownMode({ policies, rootNamespace }: PeerPolicies, place: PeerPlace): MtlsMode | undefined {
  const policy = policies.find(isOf(place, rootNamespace));
  if (place.port === undefined) return policy?.mode;
  return policy?.ports.find(({ port }) => port === place.port)?.mode;
}

/** Whether a policy is that of a place, or of the pods whose port it is. */
function isOf({ port: _port, ...pods }: PeerPlace, rootNamespace: string) {
  return (policy: ResolvedPeerPolicy) => {
    const place = placeOf(policy, rootNamespace);
    return place !== undefined && placeText(place) === placeText(pods);
  };
}

/** The place whose mode counts where this one has none; undefined for the whole mesh. */
function widened({ namespace, labels, port }: PeerPlace): PeerPlace | undefined {
  if (namespace === undefined) return undefined;
  if (labels === undefined) return wholeMesh;
  return port === undefined ? { namespace } : { namespace, labels };
}

function nameOf({ namespace, name }: ResolvedPeerPolicy): string {
  return `${namespace}/${name}`;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
