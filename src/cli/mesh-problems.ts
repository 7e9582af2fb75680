import type { Problem } from '../api/problem.ts';
import { defaultOperatorImage } from '../config/operator-config.ts';
import { problemsOfMesh } from '../render/mesh-problems.ts';
import { minorOf, newestKubernetes } from './kubernetes-version.ts';

/** Every problem of a MeshOperator, as the operator of this version finds them in the newest Kubernetes. */
export function findMeshProblems(object: unknown): Problem[] {
  return problemsOfMesh(object, {
    operatorImage: defaultOperatorImage,
    kubernetesMinor: minorOf(newestKubernetes),
  });
}
