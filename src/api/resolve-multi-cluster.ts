import { goDurationMs } from '../base/duration.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import { primaryConfigMapId, primaryRootsKey } from './primary-statement.ts';
import type { ProfileName } from './profiles.ts';
import type { ResolvedBundleSource } from './resolved-bundle-source.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type {
  RemoteAccess,
  ResolvedMultiCluster,
  ResolvedRemote,
  ResolvedRemoteIstiod,
} from './resolved-multi-cluster.ts';
import type { MultiCluster, Remote } from './spec/multi-cluster.ts';

const defaultLifetimeMs = 24 * 3_600_000;

/** The profile of a spec: a cluster whose role is `Remote`, or that has an istiod for another one alone, needs no further word. */
export function profileOf({
  profile,
  multiCluster,
}: Pick<MeshOperatorSpec, 'profile'> & {
  readonly multiCluster?:
    | { readonly role?: string | undefined; readonly configCluster?: string | undefined }
    | undefined;
}): ProfileName {
  if (profile !== undefined) return profile;
  if (multiCluster?.role === 'Remote') return 'remote';
  return multiCluster?.configCluster === undefined ? 'default' : 'minimal';
}

/** What Istio's charts have as values. */
export function multiClusterValues(multiCluster: MultiCluster | undefined): JsonObject | undefined {
  if (multiCluster === undefined) return undefined;
  const { meshID, clusterName, network } = multiCluster;
  return {
    global: { meshID, multiCluster: { clusterName }, ...(network === undefined ? {} : { network }) },
  };
}

/** MeshNetworks of the endpoints of this cluster that carry no label of their network, as those without a sidecar. */
export function ownNetwork(multiCluster: MultiCluster | undefined): JsonObject | undefined {
  if (multiCluster?.network === undefined || multiCluster.network === '') return undefined;
  return { [multiCluster.network]: { endpoints: [{ fromRegistry: multiCluster.clusterName }] } };
}

/** The block with every default filled in. */
export function resolveMultiCluster(
  { role, configCluster, remotes = [] }: MultiCluster,
  profile: ProfileName,
): ResolvedMultiCluster {
  return {
    role: role ?? (profile === 'remote' ? 'Remote' : 'Primary'),
    ...(configCluster === undefined ? {} : { configCluster }),
    remotes: remotes.map(resolveRemote),
  };
}

/** Where istiod is in a cluster without one: the address of the spec wins over what the other cluster says. */
export function resolveRemoteIstiod(
  address: string | undefined,
  multiCluster: ResolvedMultiCluster | undefined,
): ResolvedRemoteIstiod {
  const isNamed = address !== undefined && address !== '';
  return { addresses: isNamed ? [address] : [], isTold: !isNamed && multiCluster !== undefined };
}

/** Where the roots are that a cluster without an istiod is told. */
export function followedRoots(namespace: string, revision: string): ResolvedBundleSource {
  return { namespace, name: primaryConfigMapId(namespace, revision).name, key: primaryRootsKey };
}

function resolveRemote(remote: Remote): ResolvedRemote {
  const { clusterName, role = 'Primary', server, tlsServerName, proxyURL, credential } = remote;
  return {
    ...{ clusterName, role },
    access: resolveAccess(remote),
    ...(server === undefined ? {} : { server: withoutSlash(server) }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyURL === undefined ? {} : { proxyUrl: withoutSlash(proxyURL) }),
    credential:
      credential?.type === 'LongLived'
        ? { type: 'LongLived' }
        : { type: 'Bound', lifetimeMs: goDurationMs(credential?.lifetime) ?? defaultLifetimeMs },
  };
}

function resolveAccess({ clusterName, kubeconfig, token }: Remote): RemoteAccess {
  if (token !== undefined) {
    return { by: 'token', secretName: token.secretName, server: withoutSlash(token.server) };
  }
  if (kubeconfig === undefined)
    throw new Error(`Remote ${clusterName} passed validation without a way into it`);
  return { by: 'kubeconfig', secretName: kubeconfig.secretName, key: kubeconfig.key ?? 'kubeconfig' };
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '');
}
