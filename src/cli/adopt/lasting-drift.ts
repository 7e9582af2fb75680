import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { TerminalError } from '../../base/errors.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import type { JsonPatchOperation, KubeClient } from '../../kube/client.ts';
import type { Drift } from '../../kube/diff/drift.ts';

/**
 * The drifts but for fields that come back as they are: what the operator does not set gets the API server's default,
 * which whoever created the object owns until then. The API server is asked by a dry run.
 */
export async function lastingDrift(
  client: KubeClient,
  observed: KubernetesObject,
  drifts: readonly Drift[],
  options: { readonly fieldManager: string },
  signal: AbortSignal,
): Promise<readonly Drift[]> {
  const operations = drifts
    .filter(({ kind, path }) => kind === 'abandoned' && !path.startsWith('metadata.'))
    .flatMap(({ pointer }) => (pointer === undefined ? [] : [pointer]))
    .map((path): JsonPatchOperation => ({ op: 'remove', path }))
    .reverse();
  if (operations.length === 0) return drifts;
  const after = await client
    .patch(idOf(observed), { type: 'json', operations }, { ...options, dryRun: true }, signal)
    .catch((error: unknown) => {
      // It needs one of them: then each is a change.
      if (error instanceof TerminalError && error.reason !== 'Forbidden') return undefined;
      throw error;
    });
  if (after === undefined) return drifts;
  return drifts.filter(
    ({ kind, pointer }) =>
      kind !== 'abandoned' ||
      pointer === undefined ||
      stableJson(valueAt(after, pointer) ?? null) !== stableJson(valueAt(observed, pointer) ?? null),
  );
}

/** What a JSON pointer (RFC 6901) leads to; undefined where there is nothing. */
function valueAt(object: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => {
      if (Array.isArray(value)) return value[Number(step)];
      return isRecord(value) ? value[step] : undefined;
    }, object);
}
