import { idOf } from '../../api/kubernetes-object.ts';
import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { secretData } from '../../kube/secret-data.ts';
import { operatorAccessName } from '../../render/multicluster/operator-access.ts';
import { accessRenewal } from './access-renewal.ts';
import type { CredentialStore } from './credential-store.ts';
import { objectManager } from './field-managers.ts';
import { accessEntries, type FoundAccess } from './remote-access.ts';
import type { RemotePass } from './remote-pass.ts';

export interface AccessKeeperDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly store: CredentialStore;
}

/** A way into another cluster that has just been seen to be good. */
export interface GoodAccess extends FoundAccess {
  readonly client: KubeClient;
}

/** Keeps the ways of the operator into other clusters good. */
export class AccessKeeper {
  readonly #deps: AccessKeeperDeps;

  constructor(deps: AccessKeeperDeps) {
    this.#deps = deps;
  }

  /**
   * Remembers a way in for the clean-up, when no spec has it any more; and renews it where that is the operator's to do.
   * Throws ConflictError when somebody has changed the Secret meanwhile.
   */
  async keep({ key, mesh, remote, signal }: RemotePass, access: GoodAccess): Promise<void> {
    const { store, clock, client: own } = this.#deps;
    const { identity, secret, client } = access;
    const state = store.read(key);
    if (state.access !== undefined && stableJson(state.access) !== stableJson(identity)) {
      await store.write(key, { ...state, access: identity }, signal);
    }
    const expirationSeconds = accessRenewal(secret, identity, mesh, clock.now());
    if (expirationSeconds === undefined) return;
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: mesh.namespace };
    const { token } = await client.requestToken(
      { ...account, name: operatorAccessName(mesh) },
      { expirationSeconds },
      signal,
    );
    const { resourceVersion } = secret.metadata;
    const data = secretData(accessEntries(remote.access, key.clusterName, { ...identity, token }));
    const merge = { metadata: { resourceVersion }, data };
    await own.patch(idOf(secret), { type: 'merge', merge }, { fieldManager: objectManager }, signal);
  }
}
