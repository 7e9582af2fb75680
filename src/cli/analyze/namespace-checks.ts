import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { names } from '../../injection/annotation-names.ts';
import { type AnalysisInput, injectionLabels, knownNames } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

/** Namespaces whose labels contradict each other, or choose a control plane that there is not. */
export function checkNamespaces(input: AnalysisInput): AnalysisFinding[] {
  const known = knownNames(input);
  return input.namespaces.flatMap((namespace) => checkNamespace(namespace, known));
}

/** Istio's objects that only a control plane would read that there is not. */
export function checkRevisionsOfObjects(input: AnalysisInput): AnalysisFinding[] {
  const known = knownNames(input);
  return input.istioObjects.flatMap((object): AnalysisFinding[] => {
    const revision = object.metadata.labels?.[names.revision];
    if (revision === undefined || known.has(revision)) return [];
    return [
      {
        ...{ severity: 'warning', rule: 'UnknownRevision', object: idText(idOf(object)) },
        why: `its label ${names.revision}=${revision} gives it to a control plane that there is not, so nobody reads it`,
        fix: `remove the label, or name one of ${namesText(known)}`,
      },
    ];
  });
}

function checkNamespace(namespace: KubernetesObject, known: ReadonlySet<string>): AnalysisFinding[] {
  const object = idText(idOf(namespace));
  const { name } = namespace.metadata;
  const { legacy, revision } = injectionLabels(namespace);
  if (legacy !== undefined && revision !== undefined) {
    return [
      {
        ...{ severity: 'warning', rule: 'ConflictingLabels', object },
        why: `it has istio-injection=${legacy}, which decides, and ${names.revision}=${revision}, which is not looked at`,
        fix: `keep one of them: "kubectl label namespace ${name} istio-injection-" for ${revision}, or "kubectl label namespace ${name} ${names.revision}-"`,
      },
      ...checkDefault(object, legacy, known),
    ];
  }
  if (revision !== undefined && !known.has(revision)) {
    return [
      {
        ...{ severity: 'error', rule: 'UnknownRevision', object },
        why: `its label ${names.revision}=${revision} names a control plane that there is not, so pods start without a sidecar`,
        fix: `name one of ${namesText(known)}, or give a MeshOperator this revision or tag`,
      },
    ];
  }
  return checkDefault(object, legacy, known);
}

function checkDefault(
  object: string,
  legacy: string | undefined,
  known: ReadonlySet<string>,
): AnalysisFinding[] {
  if (legacy !== 'enabled' || known.has('default')) return [];
  return [
    {
      ...{ severity: 'error', rule: 'NoDefaultRevision', object },
      why: 'it has istio-injection=enabled, and no control plane is the default one, so pods start without a sidecar',
      fix: `give a MeshOperator the tag default (spec.revisionTags), or name a revision with ${names.revision}: ${namesText(known)}`,
    },
  ];
}

function namesText(known: ReadonlySet<string>): string {
  return known.size === 0 ? '(there is none)' : [...known].sort().join(', ');
}
