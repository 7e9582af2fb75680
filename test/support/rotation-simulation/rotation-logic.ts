import { decideRotation } from '../../../src/pki/decide-rotation.ts';
import { blockersBeforeProxies } from '../../../src/pki/gates.ts';
import { istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import { beginRotation, recoverAuthority, renewSigner } from '../../../src/pki/rotation-steps.ts';

/** The pure functions that the controller drives an authority by; a test may break one of them. */
export const rotationLogic = {
  decideRotation,
  beginRotation,
  renewSigner,
  recoverAuthority,
  istioBundleOf,
  blockersBeforeProxies,
};

export type RotationLogic = typeof rotationLogic;
