import { readAuthor } from '../../api/author.ts';
import { authorizationOf, authorizedConditionType, isAuthorized } from '../../api/authorization.ts';
import type { ConditionUpdate } from '../../api/conditions.ts';
import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { refusedAuthorText } from '../../api/refused-author.ts';
import type { Right } from '../../api/right.ts';
import { WaitingError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { missingRights } from '../../kube/missing-rights.ts';
import { maySealPart, sealPart } from './part-seal.ts';

/** What the status says of the rights to a spec, but for the generation. */
export type Authorization = Omit<ConditionUpdate, 'observedGeneration'>;

export interface AuthorCheckDeps {
  readonly client: KubeClient;
  /** What authors are sealed with; undefined until it is known. */
  readonly authorKey: () => Uint8Array | undefined;
}

/** What a mesh is about to become. */
export interface WantedMesh {
  /** All that it will consist of. */
  readonly objects: readonly ObjectId[];
  /** What its author needs; asked for only where it counts. */
  readonly rights: () => readonly Right[];
}

/**
 * Asks whether the author of a mesh may do what its spec asks for: once for each spec, and once more when objects of a
 * kind come into a namespace where the mesh had none (another operator may render more). What was found is in status, so
 * neither passes nor restarts ask again.
 */
export class AuthorCheck {
  readonly #deps: AuthorCheckDeps;

  constructor(deps: AuthorCheckDeps) {
    this.#deps = deps;
  }

  /** What is to be said of `mesh`. Throws WaitingError until the key is there, and what the client throws. */
  async check(mesh: KubernetesObject, wanted: WantedMesh, signal: AbortSignal): Promise<Authorization> {
    const before = authorizationOf(mesh);
    const { inventory = [] } = (mesh.status ?? {}) as MeshOperatorStatus;
    if (before !== undefined && isAuthorized(mesh) && !reachesFurther(wanted.objects, inventory)) {
      return withoutTime(before);
    }
    const author = readAuthor(mesh, this.#key());
    if (author === undefined) return unknownAuthor(mesh);
    if (author === 'operator') return madeByOperator;
    const missing = await missingRights(this.#deps.client, author, wanted.rights(), signal);
    if (missing.length === 0) {
      const message = `User ${JSON.stringify(author.username)}, who wrote the spec, may do what it asks for`;
      return { ...type, status: 'True', reason: 'AuthorAllowed', message };
    }
    const text = refusedAuthorText(author, missing);
    const message = `Nothing of the spec is done: ${text}. Grant the rights, or have somebody apply it once more who has them`;
    return { ...type, status: 'False', reason: 'AuthorNotAllowed', message };
  }

  /** The part of a mesh with the operator's seal. Throws WaitingError until the key is there. */
  sealed(part: KubernetesObject): KubernetesObject {
    return sealPart(part, this.#key());
  }

  /** False for a part that is to be left as somebody else has written it. Throws as `sealed`. */
  maySeal(part: KubernetesObject, observed: KubernetesObject): boolean {
    return maySealPart(part, observed, this.#key());
  }

  #key(): Uint8Array {
    const key = this.#deps.authorKey();
    if (key !== undefined) return key;
    throw new WaitingError('The key that authors are sealed with is not there yet', {
      reason: 'Progressing',
      retryAfterMs: keyRetryMs,
    });
  }
}

const keyRetryMs = 500;
const type = { type: authorizedConditionType } as const;

const madeByOperator: Authorization = {
  ...{ ...type, status: 'True', reason: 'MadeByOperator' },
  message: 'The operator made it for the MeshOperator whose part it is',
};

/** A spec that was acted on before authors were recorded is left in force until it changes. */
function unknownAuthor(mesh: KubernetesObject): Authorization {
  const { observedGeneration, inventory = [] } = (mesh.status ?? {}) as MeshOperatorStatus;
  const before = authorizationOf(mesh);
  const isOlder = observedGeneration === mesh.metadata.generation && inventory.length > 0;
  if (isAuthorized(mesh) || (before === undefined && isOlder)) {
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
function reachesFurther(objects: readonly ObjectId[], inventory: readonly Placed[]): boolean {
  const place = ({ apiVersion, kind, namespace }: Placed) => `${apiVersion}/${kind}/${namespace}`;
  const known = new Set(inventory.map(place));
  return objects.some((object) => !known.has(place(object)));
}

function withoutTime({ status, reason, message }: Authorization): Authorization {
  return { ...type, status, reason, message };
}
