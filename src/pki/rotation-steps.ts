import type {
  AuthorityState,
  FinishedRotation,
  IntermediateMaterial,
  OrderedIntermediate,
  RootMaterial,
  Rotation,
  RotationReason,
} from './authority-state.ts';
import { factsOf } from './certificate-facts.ts';
import { withPhaseOrder } from './exchange.ts';
import { signingRootOf } from './istio-bundle.ts';

/** What a rotation brings: a root with an intermediate of it, or an intermediate of the current root. */
export interface NewMaterial {
  readonly root?: RootMaterial;
  readonly intermediate: IntermediateMaterial;
}

/** How an authority remembers by whom its intermediate was signed. */
export function orderedFrom(issuer: string, { intermediate }: NewMaterial): OrderedIntermediate {
  return { from: issuer, fingerprint: factsOf(intermediate.certPem).fingerprint };
}

/** Why a rotation begins, and the request that it answers. */
export interface Beginning {
  readonly reason: RotationReason;
  readonly answers?: string;
}

/** The state in which a rotation begins. Throws unless Stable: never two at once. */
export function beginRotation(
  state: AuthorityState,
  { reason, answers }: Beginning,
  material: NewMaterial,
  now: Date,
): AuthorityState {
  if (state.phase !== 'Stable') throw new Error(`A rotation is under way (${state.phase})`);
  const { root, intermediate } = material;
  const at = now.toISOString();
  const kind = root === undefined ? 'intermediate' : 'root';
  const begun: AuthorityState = {
    ...state,
    phase: root === undefined ? 'Signing' : 'Trusting',
    roots: root === undefined ? state.roots : { ...state.roots, next: root },
    intermediates: { ...state.intermediates, next: intermediate },
    rotation: { kind, reason, startedAt: at, phaseSince: at },
    ...answered(answers),
  };
  return withPhaseOrder(state, begun, now);
}

/**
 * Another root and intermediate at once, for an authority by which nothing verifies any more (`lapseOf`): in the phase
 * Signing, where the new ones are trusted and sign, while the old root stays in the bundle. With a bundle of the new root
 * alone, each replica of istiod would have to be restarted: running ones take no bundle that shares nothing with theirs.
 * A rotation that was under way ends here; from Signing, which only a root that ended within it can be, replicas have to
 * be restarted all the same.
 */
export function recoverAuthority(
  state: AuthorityState,
  answers: string,
  { root, intermediate }: Required<NewMaterial>,
  now: Date,
): AuthorityState {
  const at = now.toISOString();
  const { current } = state.intermediates;
  const recovering: AuthorityState = {
    ...state,
    phase: 'Signing',
    roots: { current: signingRootOf(state), next: root },
    intermediates: { current, next: intermediate },
    rotation: { kind: 'root', reason: 'Recovery', startedAt: at, phaseSince: at },
    ...answered(answers),
  };
  return withPhaseOrder(state, recovering, now);
}

/**
 * The same as `recoverAuthority` for a lapse while a root is being introduced: with the root that some know already and
 * the intermediate that waits for it. Throws unless Trusting.
 */
export function recoverByNext(state: AuthorityState, answers: string, now: Date): AuthorityState {
  if (state.phase !== 'Trusting') throw new Error(`No root is being introduced (${state.phase})`);
  const { rotation, ...signing } = advanceRotation(state, now);
  return {
    ...signing,
    ...(rotation === undefined ? {} : { rotation: { ...rotation, reason: 'Recovery' } }),
    ...answered(answers),
  };
}

/**
 * Another intermediate of the same root in the phase under way (`rootToRenewBy`), which begins anew: whoever has been
 * seen to be done is not. Throws while Stable.
 */
export function renewSigner(
  state: AuthorityState,
  intermediate: IntermediateMaterial,
  now: Date,
): AuthorityState {
  const { phase, rotation, intermediates } = state;
  if (rotation === undefined) throw new Error(`No rotation is under way (${phase})`);
  const slot = phase === 'Signing' ? 'next' : 'current';
  return {
    ...state,
    intermediates: { ...intermediates, [slot]: intermediate },
    rotation: { ...rotation, phaseSince: now.toISOString() },
  };
}

/** The state of the phase after this one, for when its gates are open. Throws when there is no rotation. */
export function advanceRotation(state: AuthorityState, now: Date): AuthorityState {
  return withPhaseOrder(state, nextPhase(state, now), now);
}

function nextPhase(state: AuthorityState, now: Date): AuthorityState {
  const { rotation } = state;
  if (rotation === undefined) throw new Error(`No rotation is under way (${state.phase})`);
  const entered: Rotation = { ...rotation, phaseSince: now.toISOString() };
  switch (state.phase) {
    case 'Trusting':
      return { ...state, phase: 'Signing', rotation: entered };
    case 'Signing': {
      const moved = { ...state, roots: shifted(state.roots), intermediates: shifted(state.intermediates) };
      if (rotation.kind === 'intermediate') return finished(moved, rotation, now);
      return { ...moved, phase: 'Distrusting', rotation: entered };
    }
    case 'Distrusting':
      return finished(state, rotation, now);
    case 'Stable':
      throw new Error('A Stable authority has nothing to advance');
  }
}

/** `next` becomes current, current becomes previous; unchanged without a next. */
function shifted<Material>(slots: {
  readonly current: Material;
  readonly next?: Material;
  readonly previous?: Material;
}) {
  return slots.next === undefined ? slots : { current: slots.next, previous: slots.current };
}

function finished(state: AuthorityState, rotation: Rotation, now: Date): AuthorityState {
  const { phaseSince: _since, ...begun } = rotation;
  const startedMs = Date.parse(rotation.startedAt);
  const finishedMs = Math.max(startedMs, now.getTime());
  const finishedAt = new Date(finishedMs).toISOString();
  const lastRotation: FinishedRotation = {
    ...begun,
    finishedAt,
    seconds: (finishedMs - startedMs) / 1000,
  };
  const { rotation: _rotation, ...rest } = state;
  return {
    ...rest,
    phase: 'Stable',
    roots: { current: state.roots.current },
    intermediates: { current: state.intermediates.current },
    lastRotation,
    ...(rotation.kind === 'root' ? { rootRotatedAt: finishedAt } : {}),
  };
}

function answered(request: string | undefined): Pick<AuthorityState, 'answeredRequest'> {
  return request === undefined ? {} : { answeredRequest: request };
}
