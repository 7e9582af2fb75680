import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { keyText } from '../../api/kubernetes-object.ts';
import type { RemoteAccess, ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import { TerminalError } from '../../base/errors.ts';
import { type RemoteIdentity, readKubeconfig } from '../../kube/remote-identity.ts';
import { readSecretText } from '../../kube/secret-data.ts';
import { kubeconfigOf, type Reader } from './remote-secret.ts';

/** A way into another cluster. */
export interface FoundAccess {
  readonly identity: RemoteIdentity;
  /** What it was read from. */
  readonly secret: KubernetesObject;
}

/**
 * Whom the operator is in another cluster, by the Secret that the spec names; `secret` is that as it is now.
 * Throws TerminalError that names the Secret and what to do, and quotes nothing of it.
 */
export function remoteAccess(
  { access, tlsServerName, proxyUrl }: ResolvedRemote,
  secretKey: ObjectKey,
  secret: KubernetesObject | undefined,
): FoundAccess {
  const source = `Secret ${keyText(secretKey)}`;
  if (secret === undefined) throw invalid(`${source} does not exist: create it, or name another one`);
  const identity =
    access.by === 'kubeconfig'
      ? byKubeconfig(secret, access.key, source)
      : byToken(secret, access.server, source);
  return {
    secret,
    identity: {
      ...identity,
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
    },
  };
}

function byKubeconfig(secret: KubernetesObject, key: string, source: string): RemoteIdentity {
  const text = readSecretText(secret, key);
  if (text === undefined)
    throw invalid(`${source} has no entry ${key}: put the kubeconfig there, or name its key`);
  return readKubeconfig(text, `${source}, entry ${key}`);
}

/** Entries as a Secret of type kubernetes.io/service-account-token has them. */
function byToken(secret: KubernetesObject, server: string, source: string): RemoteIdentity {
  const token = readSecretText(secret, 'token')?.trim();
  if (token === undefined || token === '') throw invalid(`${source} has no entry token`);
  const caPem = readSecretText(secret, 'ca.crt');
  return { server, ...(caPem === undefined ? {} : { caPem }), credential: { token } };
}

/** Entries of a Secret that `remoteAccess` reads back. */
export function accessEntries(
  access: RemoteAccess,
  clusterName: string,
  reader: Reader & { readonly token: string },
): Record<string, string> {
  if (access.by === 'kubeconfig') return { [access.key]: kubeconfigOf(clusterName, reader) };
  const { token, caPem } = reader;
  return { token, ...(caPem === undefined ? {} : { 'ca.crt': caPem }) };
}

function invalid(message: string): TerminalError {
  return new TerminalError(message, { reason: 'InvalidKubeconfig' });
}
