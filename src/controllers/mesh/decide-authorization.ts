import { readAuthor } from '../../api/author.ts';
import { authorizationOf, authorizedConditionType, isAuthorized } from '../../api/authorization.ts';
import type { ConditionUpdate } from '../../api/conditions.ts';
import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { refusedAuthorText } from '../../api/refused-author.ts';
import type { Right } from '../../api/right.ts';
import type { UserInfo } from '../../api/user-info.ts';

/** What the status says of the rights to a spec, but for the generation. */
export type Authorization = Omit<ConditionUpdate, 'observedGeneration'>;

/** What is known of the rights to a spec before anybody is asked. */
export type KnownAuthorization =
  | { readonly kind: 'settled'; readonly authorization: Authorization }
  /** Only the API server can tell what this user may do. */
  | { readonly kind: 'unknown'; readonly author: UserInfo };

const type = { type: authorizedConditionType } as const;

/**
 * What is to be said of the rights to a spec by which `objects` are to be made. What was found for this spec is in status
 * and holds, unless objects of a kind come into a namespace where the mesh had none: another operator may render more.
 * `key` is asked for only where it counts. Throws what `key` throws.
 */
export function decideAuthorization(
  mesh: KubernetesObject,
  objects: readonly ObjectId[],
  key: () => Uint8Array,
): KnownAuthorization {
  const found = authorizationOf(mesh);
  const { inventory = [] } = (mesh.status ?? {}) as MeshOperatorStatus;
  if (found !== undefined && isAuthorized(mesh) && !reachFurther(objects, inventory)) {
    const { status, reason, message } = found;
    return settled({ ...type, status, reason, message });
  }
  const author = readAuthor(mesh, key());
  if (author === undefined) return settled(unknownAuthor(mesh));
  return author === 'operator' ? settled(madeByOperator) : { kind: 'unknown', author };
}

/** What is to be said when the API server has told which of the rights that the spec needs its author does not have. */
export function authorizationFor(author: UserInfo, missing: readonly Right[]): Authorization {
  if (missing.length === 0) {
    const message = `User ${JSON.stringify(author.username)}, who wrote the spec, may do what it asks for`;
    return { ...type, status: 'True', reason: 'AuthorAllowed', message };
  }
  const text = refusedAuthorText(author, missing);
  const message = `Nothing of the spec is done: ${text}. Grant the rights, or have somebody apply it once more who has them`;
  return { ...type, status: 'False', reason: 'AuthorNotAllowed', message };
}

function settled(authorization: Authorization): KnownAuthorization {
  return { kind: 'settled', authorization };
}

const madeByOperator: Authorization = {
  ...{ ...type, status: 'True', reason: 'MadeByOperator' },
  message: 'The operator made it for the MeshOperator whose part it is',
};

/** A spec that was acted on before authors were recorded is left in force until it changes. */
function unknownAuthor(mesh: KubernetesObject): Authorization {
  const { observedGeneration, inventory = [] } = (mesh.status ?? {}) as MeshOperatorStatus;
  const isOlder = observedGeneration === mesh.metadata.generation && inventory.length > 0;
  if (isAuthorized(mesh) || (authorizationOf(mesh) === undefined && isOlder)) {
    const message = 'Nothing tells who wrote the spec, which was in force before; it stays until it changes';
    return { ...type, status: 'True', reason: 'AuthorNotRecorded', message };
  }
  const message =
    "Nothing of the spec is done: who wrote it is not known, since the operator's webhook was not asked. Apply it once more";
  return { ...type, status: 'False', reason: 'AuthorUnknown', message };
}

interface Placed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
}

/** True when objects of a kind come into a namespace, or into the cluster, where there were none. */
function reachFurther(objects: readonly ObjectId[], inventory: readonly Placed[]): boolean {
  const place = ({ apiVersion, kind, namespace }: Placed) => `${apiVersion}/${kind}/${namespace}`;
  const known = new Set(inventory.map(place));
  return objects.some((object) => !known.has(place(object)));
}
