import { idOf, idText } from '../../api/kubernetes-object.ts';
import { endOfLifeConcern, kubernetesConcern } from '../../api/version-support.ts';
import { istioKinds } from '../istio-kinds.ts';
import { type AnalysisInput, controlPlanes } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

/** CRDs of Istio that a mesh needs and that are missing. */
export function checkCrds({ crds, meshes }: AnalysisInput): AnalysisFinding[] {
  if (crds === undefined || meshes.length === 0) return [];
  return istioKinds()
    .filter(({ crd }) => !crds.has(crd))
    .map(({ crd, kind }) => ({
      ...({ severity: 'error', rule: 'MissingCrd' } as const),
      object: `CustomResourceDefinition ${crd}`,
      why: `it is missing, so istiod reads no ${kind}`,
      fix: "let the operator make it (spec.components.base), or install Istio's CRDs",
    }));
}

/** Control planes whose version is not supported on this Kubernetes, or not any more. */
export function checkVersions(input: AnalysisInput, now: Date): AnalysisFinding[] {
  const { kubernetesMinor } = input;
  return controlPlanes(input).flatMap(({ object, mesh }): AnalysisFinding[] => {
    const concerns = [
      [
        'KubernetesVersion',
        kubernetesMinor === undefined ? undefined : kubernetesConcern(mesh.version, kubernetesMinor),
      ],
      ['EndOfLife', endOfLifeConcern(mesh.version, now)],
    ] as const;
    return concerns.flatMap(([rule, concern]) =>
      concern === undefined ? [] : [{ severity: 'warning', rule, object: idText(idOf(object)), ...concern }],
    );
  });
}
