import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import type { Right } from '../../api/right.ts';
import { WaitingError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { missingRights } from '../../kube/missing-rights.ts';
import { type Authorization, authorizationFor, decideAuthorization } from './decide-authorization.ts';
import { maySealPart, sealPart } from './part-seal.ts';

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

const keyRetryMs = 500;

/**
 * Asks whether the author of a mesh may do what its spec asks for. What was found is in status (`decideAuthorization`), so
 * neither passes nor restarts ask again.
 */
export class AuthorCheck {
  readonly #deps: AuthorCheckDeps;

  constructor(deps: AuthorCheckDeps) {
    this.#deps = deps;
  }

  /** What is to be said of `mesh`. Throws WaitingError until the key is there, and what the client throws. */
  async check(mesh: KubernetesObject, wanted: WantedMesh, signal: AbortSignal): Promise<Authorization> {
    const known = decideAuthorization(mesh, wanted.objects, () => this.#key());
    if (known.kind === 'settled') return known.authorization;
    const missing = await missingRights(this.#deps.client, known.author, wanted.rights(), signal);
    return authorizationFor(known.author, missing);
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
