import { dump } from 'js-yaml';
import { idOf, idText, type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { operatorAccessLabel } from '../api/labels.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { configClusterOf, type RemoteAccess } from '../api/resolved-multi-cluster.ts';
import { type Clock, commandClock } from '../base/clock.ts';
import { parseDurationMs } from '../config/parse-setting.ts';
import { accessEntries } from '../controllers/remotes/remote-access.ts';
import type { KubeClient } from '../kube/client.ts';
import { secretData } from '../kube/secret-data.ts';
import { isOnlyLocal, type ServerPlace, serverPlace } from '../kube/server-place.ts';
import { operatorAccessName, renderOperatorAccess } from '../render/multicluster/operator-access.ts';
import { clusterClient } from './cluster.ts';
import { type OtherCluster, type OtherClusterOptions, openOtherCluster } from './other-cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { accessSecretLabels, type RemoteMesh, readRemoteMesh, usualAccessSecret } from './remote-mesh.ts';
import { applierWarnings } from './spec-appliers.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator remote-secret create MESH CLUSTER`. */
export interface RemoteSecretCreateOptions extends OtherClusterOptions {
  readonly namespace: string;
  /** Address of the other API server for the operator; absent: that of the kubeconfig. */
  readonly server?: string | undefined;
  /** Of the token, as a Go duration. */
  readonly lifetime: string;
  /** Also name the cluster in the spec. */
  readonly add?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** Other than `text`: the Secret is printed, not written; in a dry run, what the other cluster would get. */
  readonly output: OutputFormat;
}

const fieldManager = 'mesh-operator-cli';

/** Least that Kubernetes issues (TokenRequest). */
const leastLifetimeMs = 600_000;

/**
 * `mesh-operator remote-secret create MESH CLUSTER`: makes whom the operator of this cluster is in another one, with the
 * rights that it uses there, and the Secret here that lets it in. What is there is brought up to date. Prints no secret
 * but by `output`. Exit code 1 when it is refused, which changes nothing in either cluster.
 */
export async function remoteSecretCreate(
  name: string,
  clusterName: string,
  options: RemoteSecretCreateOptions,
  terminal: Terminal,
  clock: Clock = commandClock,
): Promise<ExitCode> {
  const lifetimeMs = lifetimeOf(options);
  const client = clusterClient(options, clock);
  const other = openOtherCluster(options, clock);
  const { signal } = new AbortController();
  const found = await readRemoteMesh(client, { namespace: options.namespace, name }, signal);
  const { object, mesh } = found;
  const place = placeFor(found, clusterName, serverPlace(other.connection), options.server);
  const access = accessOf(found, clusterName);
  const refusal =
    (await refusalOf(client, other, found, clusterName, signal)) ??
    (options.output === 'text' ? await takenSecret(client, access, mesh, signal) : undefined);
  if (refusal !== undefined) {
    terminal.stderr.write(`Nothing was done. ${refusal}\n`);
    return exitCodes.failed;
  }
  for (const warning of placeWarnings(found, clusterName, place)) terminal.stderr.write(`${warning}\n`);
  const objects = renderOperatorAccess(mesh, configClusterOf(mesh) === clusterName);
  if (options.dryRun === true) {
    if (options.output === 'text') {
      for (const one of objects) terminal.stdout.write(`In ${clusterName}: ${idText(idOf(one))}\n`);
      terminal.stdout.write(`Here: Secret ${mesh.namespace}/${access.secretName}\n`);
      writeEntry(found, clusterName, access, terminal);
    } else {
      writeDocument({ apiVersion: 'v1', kind: 'List', items: objects }, options.output, terminal);
    }
    return exitCodes.ok;
  }
  for (const one of objects) await other.client.apply(one, { fieldManager, force: true }, signal);
  terminal.stderr.write(
    `In ${clusterName}: ServiceAccount ${mesh.namespace}/${operatorAccessName(mesh)}, with the rights that the operator uses there\n`,
  );
  const account = {
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', namespace: mesh.namespace },
    name: operatorAccessName(mesh),
  };
  const expirationSeconds = Math.round(lifetimeMs / 1000);
  const { token, expiresAt } = await other.client.requestToken(account, { expirationSeconds }, signal);
  const secret: KubernetesObject = {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
    metadata: {
      ...{ name: access.secretName, namespace: mesh.namespace },
      labels: accessSecretLabels(mesh.clusterId, clusterName),
    },
    data: secretData(accessEntries(access, clusterName, { ...place, token })),
  };
  if (options.output !== 'text') {
    writeDocument(secret, options.output, terminal);
    return exitCodes.ok;
  }
  await client.apply(secret, { fieldManager, force: true }, signal);
  terminal.stderr.write(
    `Here: ${idText(idOf(secret))}, with a token until ${expiresAt.toISOString()}; the operator renews it when half of its time is over\n`,
  );
  if (options.add !== true) {
    writeEntry(found, clusterName, access, terminal);
    return exitCodes.ok;
  }
  if (remoteOf(found, clusterName) === undefined) {
    for (const warning of applierWarnings(object)) terminal.stderr.write(`${warning}\n`);
    await addEntry(client, found, entryOf(clusterName, access), signal);
    terminal.stderr.write(`${keyText(keyOf(object))} names ${clusterName} now\n`);
  }
  return exitCodes.ok;
}

function lifetimeOf({ lifetime, add, dryRun, output }: RemoteSecretCreateOptions): number {
  if (add === true && (dryRun === true || output !== 'text')) {
    throw new UsageError('Give --add, or one of --dry-run and --output, not both');
  }
  const lifetimeMs = parseDurationMs(lifetime);
  if (lifetimeMs < leastLifetimeMs) throw new UsageError('--lifetime must be at least 10m');
  return lifetimeMs;
}

function remoteOf({ multiCluster }: RemoteMesh, clusterName: string) {
  return multiCluster.remotes.find((remote) => remote.clusterName === clusterName);
}

/** The Secret that the spec names, or the usual one. */
function accessOf(found: RemoteMesh, clusterName: string): RemoteAccess {
  const usual = { by: 'kubeconfig', secretName: usualAccessSecret(clusterName), key: 'kubeconfig' } as const;
  return remoteOf(found, clusterName)?.access ?? usual;
}

/** Where the operator finds the other API server. */
function placeFor(
  found: RemoteMesh,
  clusterName: string,
  known: ServerPlace,
  server: string | undefined,
): ServerPlace {
  const access = remoteOf(found, clusterName)?.access;
  const given = server ?? (access?.by === 'token' ? access.server : undefined);
  return given === undefined ? known : { ...known, server: given.replace(/\/+$/, '') };
}

/** What keeps the operator and istiod from finding the other API server, and what to do. */
function placeWarnings(found: RemoteMesh, clusterName: string, { server, proxyUrl }: ServerPlace): string[] {
  const remote = remoteOf(found, clusterName);
  const proxy = remote?.proxyUrl ?? proxyUrl;
  if (!isOnlyLocal({ server, ...(proxy === undefined ? {} : { proxyUrl: proxy }) })) return [];
  const where =
    remote?.access.by === 'token' ? 'token.server in the spec, or with --server' : 'with --server';
  return [
    `Warning: ${server} is an address of each machine for itself: pods of the operator and of istiod do not reach ${clusterName} by it. Give one that they reach ${where}, and its name in the certificate as tlsServerName in the spec if that is another`,
  ];
}

/** Why nothing is made, as a sentence that says what to do instead. */
async function refusalOf(
  client: KubeClient,
  other: OtherCluster,
  { mesh }: RemoteMesh,
  clusterName: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
  const [here, there] = await Promise.all([
    client.get(kubeSystem, signal),
    other.client.get(kubeSystem, signal),
  ]);
  if (clusterName === mesh.clusterId || here.metadata.uid === there.metadata.uid) {
    return `${clusterName === mesh.clusterId ? clusterName : other.connection.baseUrl} is this cluster itself: name another one, with --remote-context or --remote-kubeconfig`;
  }
  const home = { apiVersion: 'v1', kind: 'Namespace', name: mesh.namespace };
  if ((await other.client.find(home, signal)) === undefined) {
    return `${clusterName} has no namespace ${mesh.namespace}, which the mesh has in every cluster: create it there`;
  }
  return undefined;
}

async function takenSecret(
  client: KubeClient,
  { secretName }: RemoteAccess,
  mesh: ResolvedMesh,
  signal: AbortSignal,
): Promise<string | undefined> {
  const id = { apiVersion: 'v1', kind: 'Secret', namespace: mesh.namespace, name: secretName };
  const secret = await client.find(id, signal);
  if (secret === undefined || secret.metadata.labels?.[operatorAccessLabel] !== undefined) return undefined;
  return `${idText(id)} is somebody else's: delete it, or let the spec name another one`;
}

function entryOf(clusterName: string, { secretName }: RemoteAccess): object {
  return { clusterName, kubeconfig: { secretName } };
}

/** Says what the spec needs, where that is not there. */
function writeEntry(
  found: RemoteMesh,
  clusterName: string,
  access: RemoteAccess,
  { stdout, stderr }: Terminal,
): void {
  const mesh = `MeshOperator ${keyText(keyOf(found.object))}`;
  if (remoteOf(found, clusterName) !== undefined) {
    stderr.write(`${mesh} names ${clusterName} already\n`);
    return;
  }
  stderr.write(`Put this into spec.multiCluster.remotes of ${mesh}, or call again with --add:\n`);
  stdout.write(dump([entryOf(clusterName, access)]));
}

/** Throws when the spec was changed meanwhile. */
async function addEntry(
  client: KubeClient,
  { object, multiCluster }: RemoteMesh,
  entry: object,
  signal: AbortSignal,
): Promise<void> {
  const path = '/spec/multiCluster/remotes';
  const addition =
    multiCluster.remotes.length === 0 ? { path, value: [entry] } : { path: `${path}/-`, value: entry };
  const operations = [
    { op: 'test', path: '/metadata/generation', value: object.metadata.generation },
    { op: 'add', ...addition },
  ] as const;
  await client.patch(idOf(object), { type: 'json', operations: [...operations] }, { fieldManager }, signal);
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject) {
  return { namespace, name };
}
