import { idOf, idText } from '../../api/kubernetes-object.ts';
import { istioKinds } from '../istio-kinds.ts';
import { type AnalysisInput, controlPlanes } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

/**
 * Minor versions of Kubernetes that each minor of Istio is supported on, the first and the last (Istio: Supported
 * Releases). Of a minor that is not in it nothing is said.
 */
const supportedKubernetes: Readonly<Record<string, readonly [first: number, last: number]>> = {
  '1.29': [31, 35],
  '1.30': [32, 36],
};

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

/** Control planes that are not supported on this Kubernetes. */
export function checkKubernetes(input: AnalysisInput): AnalysisFinding[] {
  const { kubernetesMinor } = input;
  if (kubernetesMinor === undefined) return [];
  return controlPlanes(input).flatMap(({ object, mesh }): AnalysisFinding[] => {
    const { minor } = mesh.version;
    const range = supportedKubernetes[minor];
    if (range === undefined || (kubernetesMinor >= range[0] && kubernetesMinor <= range[1])) return [];
    const isOld = kubernetesMinor < range[0];
    return [
      {
        ...{ severity: 'warning', rule: 'KubernetesVersion', object: idText(idOf(object)) },
        why: `Istio ${minor} is supported on Kubernetes 1.${range[0]} to 1.${range[1]}, and this is 1.${kubernetesMinor}`,
        fix: isOld ? 'upgrade Kubernetes first' : 'take the mesh to a newer version of Istio (spec.version)',
      },
    ];
  });
}
