import type { Problem } from './problem.ts';

/** Every problem of a MeshOperator, in the order of their paths; empty when it is valid. Never throws. */
export function validateMeshOperator(_object: unknown): Problem[] {
  return [];
}
