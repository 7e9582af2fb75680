import { load } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';

/** A valid MeshOperator of the default profile in `istio-system`, with this spec. */
export function aMeshOperator(
  spec: MeshOperatorSpec = {},
  metadata: Partial<MeshOperator['metadata']> = {},
): MeshOperator {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace: 'istio-system', ...metadata },
    spec,
  };
}

/** The same with a spec that was written as YAML, which need not be valid. */
export function aMeshOperatorFromYaml(
  spec: string,
  metadata: Partial<MeshOperator['metadata']> = {},
): MeshOperator {
  return aMeshOperator(load(spec) as MeshOperatorSpec, metadata);
}
