import { type KubernetesObject, keyText } from './kubernetes-object.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import type { Problem } from './problem.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';
import { logFilterPaths } from './validation/telemetry-checks.ts';

/** A MeshOperator, and the same with its defaults. */
export interface WholeMesh {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
}

/**
 * What is wrong with a mesh beside another, when one is the default mesh and has what Istio does not call stable denied, and
 * the other one's resources name no revision, since all its control planes read them: these are judged as well.
 */
export function stablePolicyConflict(one: WholeMesh, other: WholeMesh): Problem[] {
  const filters = unnamedFilters(one);
  if (filters.length > 0 && judgesUnnamed(other.mesh)) {
    const message = `is not stable in Istio, and the policy of MeshOperator ${keyText(other.mesh)} denies it in what names no revision: remove it, or have spec.values.experimental.stableValidationPolicy set to false there`;
    return filters.map((path) => ({ path, message }));
  }
  const [denied] = judgesUnnamed(one.mesh) ? unnamedFilters(other) : [];
  if (denied === undefined) return [];
  const message = `would deny ${denied} of MeshOperator ${keyText(other.mesh)}, whose resources name no revision: set it to false, or have the filter removed there`;
  return [{ path: 'spec.values.experimental.stableValidationPolicy', message }];
}

/** Whether the API server judges what names no revision by the policy of this mesh (`renderDefaultStablePolicy`). */
function judgesUnnamed({ stableValidationPolicy, pilot, base, revision, upgrade }: ResolvedMesh): boolean {
  return (
    stableValidationPolicy &&
    pilot.enabled &&
    base.enabled &&
    revision === '' &&
    upgrade.strategy === 'InPlace'
  );
}

function unnamedFilters({ object, mesh }: WholeMesh): string[] {
  const { telemetry } = (object.spec ?? {}) as MeshOperatorSpec;
  return mesh.upgrade.strategy === 'InPlace' ? [] : logFilterPaths(telemetry);
}
