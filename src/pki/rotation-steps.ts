import type {
  AuthorityState,
  FinishedRotation,
  IntermediateMaterial,
  RootMaterial,
  Rotation,
  RotationReason,
} from './authority-state.ts';

/** What a rotation brings: a root with an intermediate of it, or an intermediate of the current root. */
export interface NewMaterial {
  readonly root?: RootMaterial;
  readonly intermediate: IntermediateMaterial;
}

/**
 * The state in which a rotation begins. Throws unless Stable: never two at once. Recovery has nothing to wait for before
 * it signs, since nothing verifies any more; the old root stays in the bundle until everybody has the new one, as istiod
 * takes no bundle that has nothing in common with the one before.
 */
export function beginRotation(
  state: AuthorityState,
  reason: RotationReason,
  material: NewMaterial,
  now: Date,
): AuthorityState {
  if (state.phase !== 'Stable') throw new Error(`A rotation is under way (${state.phase})`);
  const { root, intermediate } = material;
  const at = now.toISOString();
  const kind = root === undefined ? 'intermediate' : 'root';
  return {
    ...state,
    phase: root === undefined || reason === 'Recovery' ? 'Signing' : 'Trusting',
    roots: root === undefined ? state.roots : { ...state.roots, next: root },
    intermediates: { ...state.intermediates, next: intermediate },
    rotation: { kind, reason, startedAt: at, phaseSince: at },
  };
}

/** The state of the phase after this one, for when its gates are open. Throws when there is no rotation. */
export function advanceRotation(state: AuthorityState, now: Date): AuthorityState {
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
  const lastRotation: FinishedRotation = {
    ...begun,
    finishedAt: now.toISOString(),
    seconds: Math.max(0, (now.getTime() - Date.parse(rotation.startedAt)) / 1000),
  };
  const { rotation: _rotation, ...rest } = state;
  return {
    ...rest,
    phase: 'Stable',
    roots: { current: state.roots.current },
    intermediates: { current: state.intermediates.current },
    lastRotation,
  };
}
