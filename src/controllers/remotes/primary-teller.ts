import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { type PrimaryStatement, primaryConfigMap, primaryConfigMapId } from '../../api/primary-statement.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';
import type { CredentialStore } from './credential-store.ts';
import { objectManager } from './field-managers.ts';
import { istiodAddresses, servicesOfIstiod } from './istiod-addresses.ts';
import type { IstiodTrusts } from './istiod-trust.ts';
import type { RemoteProblem } from './judge-remote.ts';
import type { RemoteConnections } from './remote-connections.ts';
import type { RemotePass } from './remote-pass.ts';
import type { ProbedRemote } from './remote-prober.ts';

export interface PrimaryTellerDeps {
  readonly store: CredentialStore;
  readonly connections: RemoteConnections;
  readonly trusts: IstiodTrusts;
  /** A Service of a mesh, from a cache. */
  readonly serviceOf: (service: ObjectKey) => KubernetesObject | undefined;
}

/** What a cluster was seen to hold: by the answers of which probe, and which text. */
interface Told {
  readonly probed: ProbedRemote;
  readonly text: string;
}

/**
 * Tells clusters that follow the istiod of this one where that is and by which roots it is known: a ConfigMap over there,
 * written when what it says changes, and looked at whenever the cluster is asked how it is.
 */
export class PrimaryTeller {
  readonly #deps: PrimaryTellerDeps;
  readonly #told = new Map<string, Told>();

  constructor(deps: PrimaryTellerDeps) {
    this.#deps = deps;
  }

  /** Tells a cluster that follows, and takes back what another one was told. Gives what is wrong if proxies over there do not find istiod. */
  async keep(pass: RemotePass, probed: ProbedRemote): Promise<RemoteProblem | undefined> {
    const { key, mesh, remote, signal } = pass;
    const { store, connections, trusts, serviceOf } = this.#deps;
    const { identity } = probed;
    const id = primaryConfigMapId(mesh.namespace, mesh.revision);
    const state = store.read(key);
    if (state.told !== undefined && (remote.role !== 'Remote' || state.told !== id.name)) {
      await this.withdraw(key, signal);
    }
    if (remote.role !== 'Remote') return undefined;
    const trust = await trusts.of(key.mesh, mesh, signal);
    const statement: PrimaryStatement = {
      ...{ clusterName: mesh.clusterId, meshID: mesh.meshId },
      addresses: istiodAddresses(mesh, serviceOf),
      ...{ version: trust.version, signerPem: trust.signerPem },
    };
    if (state.told !== id.name) {
      // Before it is there, so that whatever is there is known.
      const known = { access: identity, readerOf: mesh.clusterId, told: id.name };
      await store.write(key, { ...store.read(key), ...known }, signal);
    }
    const configMap = primaryConfigMap(id, statement, trust.rootsPem);
    await this.#write(key, configMap, probed, connections.to(key, identity), signal);
    return statement.addresses.length > 0 ? undefined : noAddress(mesh);
  }

  /** Takes back what a cluster was told; throws while it cannot be reached. */
  async withdraw(key: CredentialKey, signal: AbortSignal): Promise<void> {
    const { store, connections } = this.#deps;
    this.#told.delete(credentialSecretName(key));
    const { told, ...rest } = store.read(key);
    if (told === undefined) return;
    const { access } = rest;
    if (access !== undefined) {
      const id = { ...primaryConfigMapId(key.mesh.namespace, ''), name: told };
      await connections.to(key, access).delete(id, {}, signal);
    }
    await store.write(key, rest, signal);
  }

  /** Of a mesh that tells nobody. */
  forget(mesh: ObjectKey): void {
    this.#deps.trusts.forget(mesh);
  }

  async #write(
    key: CredentialKey,
    configMap: KubernetesObject,
    probed: ProbedRemote,
    client: KubeClient,
    signal: AbortSignal,
  ): Promise<void> {
    const name = credentialSecretName(key);
    const text = stableJson(configMap.data);
    const told = this.#told.get(name);
    if (told?.probed === probed && told.text === text) return;
    const { apiVersion, kind, metadata } = configMap;
    const id = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
    const found = told?.probed === probed ? undefined : await client.find(id, signal);
    if (found === undefined || !saysTheSame(found, configMap)) {
      await client.apply(configMap, { fieldManager: objectManager, force: true }, signal);
    }
    this.#told.set(name, { probed, text });
  }
}

function saysTheSame(one: KubernetesObject, other: KubernetesObject): boolean {
  const wanted = Object.entries(other.metadata.labels ?? {});
  return (
    stableJson(one.data) === stableJson(other.data) &&
    wanted.every(([label, value]) => one.metadata.labels?.[label] === value)
  );
}

function noAddress(mesh: ResolvedMesh): RemoteProblem {
  const names = servicesOfIstiod(mesh).map(({ name }) => name);
  const what = configClusterOf(mesh) === undefined ? 'of an east-west gateway' : 'for it';
  return {
    ...{ reason: 'GatewayPending', isOther: false },
    message: `cannot reach istiod: no Service ${what} (${names.join(', ')}) has port 15012 and an address of a load balancer: have one given, or set k8s.service.externalIPs in the spec`,
  };
}
