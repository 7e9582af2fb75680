import { stableHash } from '../base/stable-json.ts';
import type { KubernetesObject, ObjectId, ObjectKey } from './kubernetes-object.ts';
import { ownershipLabels } from './labels.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import type { SpecRecord } from './mesh-operator-status.ts';

const defaultLimit = 10;

/** How many specs are kept, the one in force included. */
export function historyLimitOf({
  historyLimit = defaultLimit,
}: Pick<MeshOperatorSpec, 'historyLimit'>): number {
  return historyLimit;
}

/** Name of the ControllerRevision that keeps a spec: the same spec has the same one. */
export function specRecordName(mesh: string, spec: unknown): string {
  return `${mesh}-${stableHash(spec, 10)}`;
}

/** The ControllerRevision of a record. */
export function specRecordId({ namespace }: ObjectKey, name: string): ObjectId {
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', namespace, name };
}

/** A ControllerRevision (apps/v1) that keeps the spec of a MeshOperator, and goes with it. */
export function specRecordObject({ apiVersion, kind, metadata, spec }: KubernetesObject): KubernetesObject {
  const { name, namespace = '', uid = '', generation = 0 } = metadata;
  const key = { namespace, name };
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      ...{ name: specRecordName(name, spec), namespace, labels: ownershipLabels(key) },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    revision: generation,
    data: { spec },
  };
}

/** The history with a spec that was found good now, the newest first, and what is no longer in it. */
export function withSpecRecord(
  history: readonly SpecRecord[],
  record: SpecRecord,
  limit: number,
): { readonly kept: readonly SpecRecord[]; readonly dropped: readonly SpecRecord[] } {
  const all = [record, ...history.filter(({ name }) => name !== record.name)];
  return { kept: all.slice(0, limit), dropped: all.slice(limit) };
}
