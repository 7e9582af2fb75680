import { type ConditionUpdate, wholeSeconds } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MtlsStatus } from '../../api/mesh-operator-status.ts';
import { type ResolvedMesh, rootNamespaceOf } from '../../api/resolved-mesh.ts';
import type { ResolvedMigration, ResolvedPeerPolicy } from '../../api/resolved-security.ts';
import { matchesSelector } from '../../injection/label-selector.ts';
import {
  heldPolicies,
  isStrict,
  type PeerPlace,
  peerPoliciesIn,
  placesOf,
  placeText,
} from './peer-strictness.ts';
import type { KnownCallers, PlaintextCaller, PlaintextQuestion } from './plaintext-callers.ts';

export const mtlsConditionType = 'MutualTlsInForce';

type Labels = Readonly<Record<string, string>>;

export interface MtlsInput {
  readonly migration: ResolvedMigration;
  /** As the spec asks for them. */
  readonly wanted: readonly ResolvedPeerPolicy[];
  /** Those of the mesh, as they are in the cluster. */
  readonly observed: readonly ResolvedPeerPolicy[];
  readonly rootNamespace: string;
  /** The namespaces that the mesh is for; undefined where it may be any. */
  readonly namespaces: readonly string[] | undefined;
  /** `status.mtls`, as it was written last. */
  readonly before: MtlsStatus | undefined;
  /** Labels of each pod of a workload; none where it has no pod. */
  readonly podsOf: (namespace: string, workload: string) => readonly Labels[];
  /** Who calls in plaintext, where a decision before has asked for it. */
  readonly known?: KnownCallers;
  readonly now: Date;
}

/** What is known of a mesh beside its spec and status. */
export interface ObservedPeers {
  /** Objects of the mesh, its PeerAuthentications among them. */
  readonly owned: readonly KubernetesObject[];
  /** Names of the members of a tenant. */
  readonly members: readonly string[];
}

/** What to decide by; undefined for a mesh without a migration. */
export function mtlsInput(
  mesh: ResolvedMesh,
  { owned, members }: ObservedPeers,
  rest: Pick<MtlsInput, 'before' | 'podsOf' | 'now'>,
): MtlsInput | undefined {
  const { migration, peers } = mesh.security;
  if (migration === undefined) return undefined;
  const rootNamespace = rootNamespaceOf(mesh);
  return {
    ...{ migration, rootNamespace, wanted: peers, observed: peerPoliciesIn(owned), ...rest },
    namespaces: mesh.tenancy === undefined ? undefined : [rootNamespace, ...members],
  };
}

/** What is to be rendered now, and what is to be said of it. */
export interface MtlsDecision {
  /** In the place of what the spec asks for; undefined where all of that may be in force. */
  readonly peers: readonly ResolvedPeerPolicy[] | undefined;
  /** What to say once these policies are applied. */
  readonly status: MtlsStatus;
  readonly condition: Omit<ConditionUpdate, 'observedGeneration'>;
  /** Where mutual TLS alone is taken before they are, by text, of all that the spec asks for. */
  readonly inForceBefore: readonly string[];
  /** What must be known for this decision to be made: decide again with it. */
  readonly ask?: PlaintextQuestion;
}

/** In status; who else calls shows once these do not. */
const maxCallers = 20;
/** In a message. */
const maxNamed = 5;

/**
 * Which of the policies that the spec asks for may be in force now. Where one takes mutual TLS alone, and plaintext is taken
 * today, it waits for as long as somebody calls in plaintext there, or nobody knows. What has been in force is not asked
 * about again: `status.mtls` knows it, also when somebody has deleted or changed the policy. Pure.
 */
export function decideMtls(input: MtlsInput): MtlsDecision {
  const { migration, rootNamespace, known } = input;
  const wanted = { policies: input.wanted, rootNamespace };
  const observed = { policies: input.observed, rootNamespace };
  const recorded = new Set(input.before?.inForce);
  const places = placesOf(wanted, observed);
  const wantedPlaces = new Set(placesOf(wanted).map(placeText));
  const asked = places.filter((place) => isStrict(wanted, place));
  const stricter = asked.filter((place) => !isStrict(observed, place, recorded));
  const isAsking = migration.onPlaintext === 'Wait' && stricter.length > 0;
  const isKnown = known !== undefined && 'callers' in known;
  const blocking = isKnown ? blockingCalls(input, known.callers, { places, stricter }) : [];
  const isCalled = (place: PeerPlace) => blocking.some(({ at }) => at.has(podsText(place)));
  const held = isAsking ? stricter.filter((place) => !isKnown || isCalled(place)) : [];
  const peers = held.length === 0 ? undefined : heldPolicies(wanted, observed, held);
  const next = { policies: peers ?? input.wanted, rootNamespace };
  const waiting = asked.filter((place) => !isStrict(next, place)).map(placeText);
  const callers = blocking.map(({ caller }) => caller);
  // What only a policy names that goes is no place any more.
  const named = asked.filter((place) => wantedPlaces.has(placeText(place)));
  const inForce = named.map(placeText).filter((text) => !waiting.includes(text));
  return {
    peers,
    status: {
      inForce,
      ...(waiting.length === 0
        ? {}
        : { waiting, waitsSince: input.before?.waitsSince ?? wholeSeconds(input.now) }),
      ...(callers.length === 0 ? {} : { callers: callers.slice(0, maxCallers).map(callerStatus) }),
    },
    condition: conditionOf(waiting, known, callers),
    inForceBefore: named.filter((place) => !stricter.includes(place)).map(placeText),
    ...(isAsking && known === undefined ? { ask: questionOf(input, stricter) } : {}),
  };
}

function questionOf({ migration, namespaces }: MtlsInput, stricter: readonly PeerPlace[]): PlaintextQuestion {
  const named = stricter.map(({ namespace }) => namespace);
  const asked = named.includes(undefined) ? namespaces : [...new Set(named as string[])].sort();
  return { ...(asked === undefined ? {} : { namespaces: asked }), windowMs: migration.windowMs };
}

interface BlockingCall {
  readonly caller: PlaintextCaller;
  /** The places that it calls, by the text of their pods. */
  readonly at: ReadonlySet<string>;
}

/** The calls that would be refused. Metrics know no port, so a call to a workload counts for each of its ports. */
function blockingCalls(
  { podsOf }: MtlsInput,
  callers: readonly PlaintextCaller[],
  { places, stricter }: Readonly<Record<'places' | 'stricter', readonly PeerPlace[]>>,
): BlockingCall[] {
  return callers
    .map((caller) => ({ caller, at: placesCalled(caller, places, podsOf) }))
    .filter(({ at }) => stricter.some((place) => at.has(podsText(place))));
}

/** Where a called workload is: the narrowest places for its pods. Where no pod is left to tell, all that it may be. */
function placesCalled(
  { to }: PlaintextCaller,
  places: readonly PeerPlace[],
  podsOf: MtlsInput['podsOf'],
): ReadonlySet<string> {
  const here = places.filter(({ namespace, port }) => namespace === to.namespace && port === undefined);
  const isNamed = here.some(({ labels }) => labels === undefined);
  const rest = placeText(isNamed ? { namespace: to.namespace } : {});
  const selecting = here.filter(({ labels }) => labels !== undefined);
  if (selecting.length === 0) return new Set([rest]);
  const pods = podsOf(to.namespace, to.workload);
  if (pods.length === 0) return new Set([rest, ...selecting.map(placeText)]);
  return new Set(
    pods.flatMap((labels) => {
      const found = selecting.filter((place) =>
        matchesSelector({ matchLabels: { ...place.labels } }, labels),
      );
      return found.length === 0 ? [rest] : found.map(placeText);
    }),
  );
}

function podsText({ port: _port, ...pods }: PeerPlace): string {
  return placeText(pods);
}

function conditionOf(
  waiting: readonly string[],
  known: KnownCallers | undefined,
  callers: readonly PlaintextCaller[],
): MtlsDecision['condition'] {
  const type = mtlsConditionType;
  if (waiting.length === 0) {
    return {
      type,
      status: 'True',
      reason: 'InForce',
      message: 'STRICT is in force wherever the spec asks for it',
    };
  }
  const waits = `STRICT waits at ${firstOf(waiting)}`;
  if (known === undefined || 'unknown' in known) {
    const why = known?.unknown ?? 'nobody has been asked yet';
    const message = `${waits}: who calls in plaintext is not known, since ${why}`;
    return { type, status: 'False', reason: 'CallersUnknown', message };
  }
  const message = `${waits}, since in plaintext ${firstOf(callers.map(callText))}`;
  return { type, status: 'False', reason: 'PlaintextCallers', message };
}

function callText({ from, to }: PlaintextCaller): string {
  const who = from === undefined ? 'somebody without a proxy' : `${from.namespace}/${from.workload}`;
  return `${who} calls ${to.namespace}/${to.workload}`;
}

function firstOf(texts: readonly string[]): string {
  const more = texts.length > maxNamed ? ` and ${texts.length - maxNamed} more` : '';
  return `${texts.slice(0, maxNamed).join(', ')}${more}`;
}

function callerStatus({ from, to, count }: PlaintextCaller): NonNullable<MtlsStatus['callers']>[number] {
  return {
    ...(from === undefined ? {} : { from: `${from.namespace}/${from.workload}` }),
    to: `${to.namespace}/${to.workload}`,
    count,
  };
}
