import { randomBytes } from 'node:crypto';
import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { TransientError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { readSecretText } from '../../kube/secret-data.ts';
import { readerLabels, readerName } from '../../render/multicluster/reader.ts';
import type { CredentialSlot } from './credential-state.ts';
import { objectManager } from './field-managers.ts';

/** Looks at a Secret that Kubernetes puts a token into, and how long between them. */
const tokenAttempts = 10;
const tokenPollMs = 500;

/** Whose reader it is. */
type ReaderOf = Pick<ResolvedMesh, 'namespace' | 'clusterId'>;

/** Issues a token of the reader in another cluster, which stands on a Secret of its own there. */
export async function issueToken(
  client: KubeClient,
  mesh: ReaderOf,
  { credential }: Pick<ResolvedRemote, 'credential'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<CredentialSlot> {
  const issuedAt = clock.now().toISOString();
  const holder = await client.create(
    holderOf(mesh, credential.type),
    { fieldManager: objectManager },
    signal,
  );
  const { name, uid = '' } = holder.metadata;
  if (credential.type === 'LongLived') {
    return { holder: name, token: await tokenIn(client, holder, clock, signal), issuedAt };
  }
  const expirationSeconds = Math.round(credential.lifetimeMs / 1000);
  const boundTo = { apiVersion: 'v1', kind: 'Secret', name, uid };
  const { token, expiresAt } = await client.requestToken(
    readerId(mesh),
    { expirationSeconds, boundTo },
    signal,
  );
  return { holder: name, token, issuedAt, expiresAt: expiresAt.toISOString() };
}

/** Takes a token back: without its holder no API server accepts it. */
export async function withdrawToken(
  client: KubeClient,
  { namespace }: Pick<ResolvedMesh, 'namespace'>,
  { holder }: CredentialSlot,
  signal: AbortSignal,
): Promise<void> {
  await client.delete({ apiVersion: 'v1', kind: 'Secret', namespace, name: holder }, {}, signal);
}

/** Takes all tokens of the reader back but those that stand on the named Secrets. */
export async function withdrawOtherTokens(
  client: KubeClient,
  mesh: ReaderOf,
  kept: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<void> {
  const [[label, value] = []] = Object.entries(readerLabels(mesh));
  const { items } = await client.list(
    kindInfo('v1', 'Secret'),
    { namespace: mesh.namespace, labelSelector: `${label}=${value}` },
    signal,
  );
  for (const holder of items) {
    if (!kept.includes(holder.metadata.name)) await client.delete(idOf(holder), {}, signal);
  }
}

/** The token that Kubernetes puts into a Secret of type service-account-token, a moment after it is made. */
async function tokenIn(
  client: KubeClient,
  holder: KubernetesObject,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  for (let attempt = 0; attempt < tokenAttempts; attempt += 1) {
    const token = readSecretText(await client.get(idOf(holder), signal), 'token');
    if (token !== undefined) return token;
    await sleep(clock, tokenPollMs, signal);
  }
  throw new TransientError(`has put no token into Secret ${holder.metadata.name} yet`, {
    reason: 'TokenPending',
  });
}

function readerId(mesh: ReaderOf): ObjectId {
  return { apiVersion: 'v1', kind: 'ServiceAccount', namespace: mesh.namespace, name: readerName(mesh) };
}

function holderOf(mesh: ReaderOf, type: ResolvedRemote['credential']['type']): KubernetesObject {
  const name = `${readerName(mesh)}-${randomBytes(4).toString('hex')}`;
  const metadata = { name, namespace: mesh.namespace, labels: readerLabels(mesh) };
  if (type === 'Bound') return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata,
      annotations: { 'kubernetes.io/service-account.name': readerName(mesh) },
    },
    type: 'kubernetes.io/service-account-token',
  };
}
