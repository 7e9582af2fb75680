import { isSameSpec } from '../../api/author.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { findNeighbourProblems, memberWarnings, type Neighbours } from '../../api/neighbour-problems.ts';
import { type Problem, problemText } from '../../api/problem.ts';
import { refusedAuthorText } from '../../api/refused-author.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { Right } from '../../api/right.ts';
import type { UserInfo } from '../../api/user-info.ts';
import { validateMeshOperator } from '../../api/validate.ts';
import { supportWarnings } from '../../api/version-support.ts';
import { problemsOfMesh } from '../../render/mesh-problems.ts';
import { nothingObserved } from '../../render/observed-mesh.ts';
import type { RenderContext } from '../../render/render-context.ts';
import { renderMeshOperator } from '../../render/render-mesh-operator.ts';
import { requiredRights } from '../../render/rights/required-rights.ts';
import type { ReviewAnswer } from '../admission-review.ts';
import { type MeshReview, takesAuthorship } from './mesh-review.ts';

export interface ReviewMeshContext {
  readonly key: Uint8Array;
  readonly render: RenderContext;
  readonly now: Date;
  /** What there is around a mesh, and around the one whose spec it had before. */
  readonly neighbours: (mesh: KubernetesObject) => Promise<Neighbours>;
  /** Those of the rights that a user does not have. */
  readonly missingRights: (user: UserInfo, rights: readonly Right[]) => Promise<readonly Right[]>;
}

/**
 * Refuses a spec with problems, in the words of `mesh-operator validate`, and one that asks for what its author may not
 * do, or what cannot be beside other meshes. A spec that stays as it is, under an author who is known, is not looked at again.
 */
export async function reviewMesh(review: MeshReview, context: ReviewMeshContext): Promise<ReviewAnswer> {
  const { object, before, user } = review;
  if (!takesAuthorship(review, context.key)) {
    return { allowed: true, explanation: 'The spec stays as it is, and its author who it is' };
  }
  const isNew = before === undefined || !isSameSpec(object, before);
  const problems = problemsOfMesh(object, context.render);
  if (problems.length > 0) {
    // What was stored with problems before is said in its status; labels and the like may still be changed.
    if (!isNew) return { allowed: true, explanation: 'The spec had its problems before' };
    return { allowed: false, message: problems.map(problemText).join('; ') };
  }
  const neighbours = await context.neighbours(object);
  const overlaps = isNew ? newOverlaps(review, neighbours) : [];
  if (overlaps.length > 0) return { allowed: false, message: overlaps.map(problemText).join('; ') };
  const missing = await context.missingRights(user, rightsFor(object as unknown as MeshOperator, context));
  if (missing.length > 0) {
    return { allowed: false, code: 403, message: refusedAuthorText(user, missing) };
  }
  const mesh = resolveMesh(object as unknown as MeshOperator);
  return {
    allowed: true,
    explanation: 'The spec is valid, and its author may do what it asks for',
    warnings: [
      ...supportWarnings(mesh.version, context.render.kubernetesMinor, context.now),
      ...memberWarnings(mesh, neighbours.labelsOf),
    ],
  };
}

/** Those that a spec had before keep nobody from changing something else of it; its status has them. */
function newOverlaps({ object, before }: MeshReview, neighbours: Neighbours): Problem[] {
  const problemsOf = (mesh: KubernetesObject) =>
    findNeighbourProblems(mesh, resolveMesh(mesh as unknown as MeshOperator), neighbours);
  const had = before === undefined || validateMeshOperator(before).length > 0 ? [] : problemsOf(before);
  const known = new Set(had.map(problemText));
  return problemsOf(object).filter((problem) => !known.has(problemText(problem)));
}

function rightsFor(mesh: MeshOperator, { render }: ReviewMeshContext): readonly Right[] {
  const resolved = resolveMesh(mesh);
  return requiredRights(mesh, resolved, renderMeshOperator(mesh, resolved, nothingObserved, render), render);
}
