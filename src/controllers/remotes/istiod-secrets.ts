import { replicaPods } from '../../api/istiod-replicas.ts';
import { idOf, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import { remoteTokensAnnotation } from '../../api/labels.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { hastenMounts } from '../../kube/hasten-mounts.ts';
import { readSecretText, secretTexts } from '../../kube/secret-data.ts';
import { istiodKubeconfigName } from '../../render/control-plane/names.ts';
import { remoteTokensName } from '../../render/multicluster/remote-tokens.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { CredentialKey } from './credential-secret.ts';
import type { CredentialSlot, CredentialState } from './credential-state.ts';
import { objectManager, tokenManager } from './field-managers.ts';
import { isConfigCluster, type RemotePass } from './remote-pass.ts';
import type { ProbedRemote } from './remote-prober.ts';
import {
  configClusterSecret,
  hasSameData,
  type Reader,
  remoteSecret,
  remoteSecretName,
  remoteTokenIn,
  remoteTokensSecret,
} from './remote-secret.ts';

export interface IstiodSecretsDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  /** Secrets by which istiods know other clusters. */
  readonly informer: Informer;
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  readonly clock: Clock;
}

/** A pass, and where the other cluster is. */
type LocatedPass = RemotePass & Pick<ProbedRemote, 'identity'>;

/** The Secrets in which istiods find other clusters: a kubeconfig for each, and one with the tokens that are in files. */
export class IstiodSecrets {
  readonly #deps: IstiodSecretsDeps;

  constructor(deps: IstiodSecretsDeps) {
    this.#deps = deps;
  }

  /** Whether istiod has a kubeconfig of the cluster. */
  hasKubeconfig(pass: RemotePass): boolean {
    return this.#kubeconfig(pass) !== undefined;
  }

  /** Whether istiod has a kubeconfig of the cluster that is another one than it will have. */
  hasOtherKubeconfig(pass: LocatedPass, state: CredentialState, slot: CredentialSlot): boolean {
    const observed = this.#kubeconfig(pass);
    return observed !== undefined && !hasSameData(observed, kubeconfigFor(pass, state, slot));
  }

  /** Which credential istiod finds. */
  foundSlot(pass: LocatedPass, state: CredentialState): 'current' | 'next' | undefined {
    const { key, mesh } = pass;
    const observed = this.#kubeconfig(pass);
    const inFile = remoteTokenIn(this.#tokens(mesh.namespace), key.clusterName);
    return (['next', 'current'] as const).find((name) => {
      const slot = state[name];
      if (slot === undefined || !hasSameData(observed, kubeconfigFor(pass, state, slot))) return false;
      return state.isInFile !== true || slot.token === inFile;
    });
  }

  /** Whether istiod finds a cluster by this token, or by one in a file. */
  isFound({ mesh, clusterName }: CredentialKey, token: string, isInFile: boolean): boolean {
    const secret = this.#deps.informer.get(mesh.namespace, remoteSecretName(clusterName));
    if (secret === undefined) return false;
    return isInFile || readSecretText(secret, clusterName)?.includes(token) === true;
  }

  /** Writes a credential to where istiod finds it. */
  async write(pass: LocatedPass, state: CredentialState, slot: CredentialSlot): Promise<void> {
    const { client, informer } = this.#deps;
    if (state.isInFile === true) await this.#writeToken(pass, slot.token);
    const secret = kubeconfigFor(pass, state, slot);
    if (hasSameData(this.#kubeconfig(pass), secret)) return;
    const options = { fieldManager: objectManager, force: true };
    informer.observeWrite(await client.apply(secret, options, pass.signal));
  }

  /** Takes the kubeconfig of a cluster from istiod. */
  async removeKubeconfig(pass: RemotePass): Promise<void> {
    await this.#deps.client.delete(kubeconfigIdOf(pass), {}, pass.signal);
  }

  /** Takes all that istiod has of a cluster; `configSecret` as `CredentialState` has it. */
  async remove(key: CredentialKey, configSecret: string | undefined, signal: AbortSignal): Promise<void> {
    const name = configSecret ?? remoteSecretName(key.clusterName);
    await this.#deps.client.delete(secretId(key.mesh.namespace, name), {}, signal);
    await this.removeToken(key, signal);
  }

  /** Takes the token for a cluster out of the Secret that istiods mount; with the last one that Secret goes. */
  async removeToken({ mesh, clusterName }: CredentialKey, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const secret = this.#tokens(mesh.namespace);
    if (secret === undefined || remoteTokenIn(secret, clusterName) === undefined) return;
    if (Object.keys(secretTexts(secret)).length === 1) await client.delete(idOf(secret), {}, signal);
    else {
      const merge = { data: { [clusterName]: null } };
      await client.patch(idOf(secret), { type: 'merge', merge }, { fieldManager: objectManager }, signal);
    }
  }

  /** Puts a token where istiod has its file, and has kubelets look at once. */
  async #writeToken({ owner, key, mesh, signal }: RemotePass, token: string): Promise<void> {
    const { client, clock, informer, podsIn } = this.#deps;
    const options = { fieldManager: tokenManager(key.clusterName), force: true };
    const written = await client.apply(remoteTokensSecret(owner, key.clusterName, token), options, signal);
    informer.observeWrite(written);
    const { resourceVersion: version = '' } = written.metadata;
    const pods = replicaPods(podsIn(mesh.namespace));
    const telling = { annotation: remoteTokensAnnotation, version, now: clock.now() };
    await hastenMounts(client, pods, { ...telling, fieldManager: objectManager }, signal);
  }

  #kubeconfig(pass: RemotePass): KubernetesObject | undefined {
    return this.#deps.informer.get(pass.mesh.namespace, kubeconfigIdOf(pass).name);
  }

  #tokens(namespace: string): KubernetesObject | undefined {
    return this.#deps.informer.get(namespace, remoteTokensName);
  }
}

/** By which istiod knows the other cluster. */
function kubeconfigIdOf(pass: RemotePass): ObjectId {
  const { key, mesh } = pass;
  const name = isConfigCluster(pass) ? istiodKubeconfigName(mesh) : remoteSecretName(key.clusterName);
  return secretId(mesh.namespace, name);
}

function secretId(namespace: string, name: string): ObjectId {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}

/** What istiod reads to be in the other cluster by a credential. */
function kubeconfigFor(
  pass: LocatedPass,
  { isInFile }: CredentialState,
  { token }: CredentialSlot,
): KubernetesObject {
  const { owner, key, remote, identity } = pass;
  const { credential: _ours, ...place } = identity;
  const reader: Reader = {
    ...place,
    ...(remote.server === undefined ? {} : { server: remote.server }),
    ...(isInFile === true ? {} : { token }),
  };
  return isConfigCluster(pass)
    ? configClusterSecret(owner, kubeconfigIdOf(pass).name, key.clusterName, reader)
    : remoteSecret(owner, key.clusterName, reader);
}
