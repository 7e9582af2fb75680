import type { RotationInput, RotationStep } from '../../../src/pki/decide-rotation.ts';
import { settled } from '../../../src/pki/exchange.ts';
import type { ObservedTrust } from '../../../src/pki/observed-trust.ts';
import { advanceRotation } from '../../../src/pki/rotation-steps.ts';
import { type RotationLogic, rotationLogic } from './rotation-logic.ts';

/** Rotations in a wrong order, or with a gate that nobody looks at. */
export const brokenOrders: Readonly<Record<string, RotationLogic>> = {
  'signs with the next intermediate before its root is trusted': {
    ...rotationLogic,
    beginRotation: (state, beginning, material, now) => {
      const begun = rotationLogic.beginRotation(state, beginning, material, now);
      return begun.phase === 'Trusting' ? advanceRotation(begun, now) : begun;
    },
  },
  'drops the old root as soon as the next one signs': {
    ...rotationLogic,
    decideRotation: (input) => {
      const step = rotationLogic.decideRotation(input);
      if (step.step !== 'advance' || step.state.phase !== 'Signing') return step;
      return { ...step, state: advanceRotation(step.state, input.now) };
    },
  },
  'does not look at proxies': { ...rotationLogic, decideRotation: seeing({ proxies: [] }) },
  'does not look at copies of the bundle': blindTo({ bundles: [] }),
  'does not look at replicas of istiod': blindTo({ replicas: [] }),
};

/** The same of what several clusters do together. */
export const brokenLockstep: Readonly<Record<string, RotationLogic>> = {
  'does not wait for other clusters': {
    ...rotationLogic,
    decideRotation: (input) => {
      const policy = { ...input.policy, proceedAfterMs: 0 };
      return rotationLogic.decideRotation({ ...input, policy });
    },
  },
  'says that a root is held before it is': {
    ...rotationLogic,
    decideRotation: (input) => {
      const step = rotationLogic.decideRotation(input);
      return step.step === 'exchange' ? { ...step, state: settled(step.state) } : step;
    },
  },
};

/** And of what a cluster does for those that follow it. */
export const brokenFollowing: Readonly<Record<string, RotationLogic>> = {
  'does not wait for clusters that follow': {
    ...rotationLogic,
    decideRotation: (input) => rotationLogic.decideRotation({ ...input, followers: [] }),
  },
};

function blindTo(part: Pick<Partial<ObservedTrust>, 'replicas' | 'bundles'>): RotationLogic {
  return {
    ...rotationLogic,
    decideRotation: seeing(part),
    blockersBeforeProxies: (state, seen) => rotationLogic.blockersBeforeProxies(state, { ...seen, ...part }),
  };
}

function seeing(part: Partial<ObservedTrust>): (input: RotationInput) => RotationStep {
  return (input) => {
    const { observed } = input;
    if (observed === undefined) return rotationLogic.decideRotation(input);
    return rotationLogic.decideRotation({ ...input, observed: { ...observed, ...part } });
  };
}
