import { groupOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import { sailGroup } from '../../convert/source-names.ts';
import type { Installation } from './find-installation.ts';
import type { Owner } from './refused-owners.ts';

/** What points to others, or is owned by them, goes before them. */
const order = ['IstioRevisionTag', 'IstioRevision', 'Istio'];

/**
 * What a person does to take Sail's operator off an installation, in this order; empty where it owns nothing of it. While it
 * runs, it puts its finalizers back, and answers the removal of an object by that of its Helm release.
 */
export function stepsOffSail(installation: Installation, owners: readonly Owner[]): string[] {
  const sails = owners
    .filter(({ apiVersion }) => sailGroup.test(apiVersion))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  if (sails.length === 0) return [];
  const { namespace, revision } = installation;
  const which = `--namespace ${namespace} --revision ${revisionLabel(revision)}`;
  return [
    `Keep the MeshOperator of this report: mesh-operator adopt ${which} -o yaml | yq .mesh > mesh.yaml`,
    `Keep what Sail has: kubectl get ${sails.map(resourceText).join(' ')} -o yaml > sail.yaml ("mesh-operator convert -f" reads it)`,
    'Stop its operator, and wait until its pod is gone: kubectl scale deployment sail-operator -n sail-operator --replicas=0 (so it is called by default; where OLM has installed it, delete its Subscription and ClusterServiceVersion, since OLM scales it back)',
    ...sails.flatMap((owner) => [
      `kubectl patch ${resourceText(owner)} --type=merge -p '{"metadata":{"finalizers":null}}'`,
      `kubectl delete ${resourceText(owner)} --cascade=orphan`,
    ]),
    `mesh-operator adopt ${which} -f mesh.yaml --yes`,
  ];
}

/** What a person should know of what Sail's operator goes on with, and of what the mesh does in another way. */
export function notesOnSail({ installer, revision, sail }: Installation): string[] {
  if (installer !== 'sail') return [];
  const perVersion = (sail?.keepers ?? []).filter(isRevisionBased).map(({ metadata }) => metadata.name);
  return [
    "Sail's operator may run again, for what else it has",
    ...perVersion.map(
      (name) =>
        `Istio ${name} has a revision for each version (spec.updateStrategy.type RevisionBased): the mesh keeps ${revisionLabel(revision)}, and changes its version in place unless it gets spec.upgrade.strategy RevisionBased afterwards`,
    ),
    ...(sail?.components ?? []).map(
      ({ apiVersion, kind, metadata }) =>
        `${kind} ${metadata.name} (${apiVersion}) stays with Sail's operator: what it has installed goes with it, or with its CRD`,
    ),
  ];
}

function resourceText({ apiVersion, kind, name }: Owner): string {
  return `${kind.toLowerCase()}.${groupOf(apiVersion)}/${name}`;
}

function isRevisionBased({ kind, spec }: KubernetesObject): boolean {
  return (
    kind === 'Istio' &&
    isRecord(spec) &&
    isRecord(spec.updateStrategy) &&
    spec.updateStrategy.type === 'RevisionBased'
  );
}
