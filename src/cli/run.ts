import { isAuthorized } from '../api/authorization.ts';
import { kindInfo } from '../api/kinds.ts';
import { systemClock } from '../base/clock.ts';
import { TerminalError } from '../base/errors.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { createAdmissionController } from '../controllers/admission/admission-controller.ts';
import {
  createOwnWebhooksController,
  type OwnWebhooks,
  type OwnWebhooksDeps,
} from '../controllers/admission/own-webhooks-controller.ts';
import {
  createDataPlaneController,
  type DataPlaneController,
} from '../controllers/data-plane/data-plane-controller.ts';
import { createNamespaceInformer } from '../controllers/data-plane/observed-pods.ts';
import { createMeshController } from '../controllers/mesh/mesh-controller.ts';
import {
  createRemotesController,
  type RemotesController,
} from '../controllers/remotes/remotes-controller.ts';
import { createTrustController, type TrustController } from '../controllers/trust/trust-controller.ts';
import { type ApiConnection, openConnection } from '../kube/api-connection.ts';
import { KubeClient } from '../kube/client.ts';
import { ClusterVersion } from '../kube/cluster-version.ts';
import { EventRecorder } from '../kube/event-recorder.ts';
import { missingRights } from '../kube/missing-rights.ts';
import { PodExec } from '../kube/pod-exec.ts';
import { HttpEndpoints, parseBindAddress } from '../observability/http-endpoints.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { Metrics } from '../observability/metrics.ts';
import { objectKeyOf } from '../runtime/informer-events.ts';
import { LeaderElection } from '../runtime/leader-election.ts';
import { Manager } from '../runtime/manager.ts';
import { OperatorProcess } from '../runtime/operator-process.ts';
import { createAdmissionServer } from '../servers/admission/admission-server.ts';
import { MeshNeighbours, type MeshNeighboursDeps } from '../servers/admission/mesh-neighbours.ts';
import type { WebhookServer } from '../servers/webhook-server.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

const operatorName = 'mesh-operator';

/** `mesh-operator run`: the controllers, until SIGTERM or SIGINT. Exit code 0 after an orderly stop. */
export async function run(config: OperatorConfig, terminal: Terminal): Promise<ExitCode> {
  const log = createLogger(config.logLevel, terminal.stderr);
  const operator = createOperator(config, log);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => operator.stop());
  await operator.run();
  return exitCodes.ok;
}

interface OwnWebhooksParts extends Omit<OwnWebhooksDeps, 'metrics'> {
  readonly metrics: Metrics;
}

/** Builds the object graph of the operator; nothing is started. */
function createOperator(config: OperatorConfig, log: Logger): OperatorProcess {
  const clock = systemClock;
  const random = Math.random;
  const metrics = new Metrics();
  metrics.collectProcessMetrics();
  const connection = openConnection(config, clock);
  const client = new KubeClient({
    connection,
    clock,
    maxInFlight: config.maxInFlight,
    onRequest: metrics.recordRequest,
  });
  const events = new EventRecorder({
    client,
    clock,
    component: operatorName,
    instance: config.identity,
    onFailure: (error) => log.warn('Event not written', { error }),
  });
  const webhooks = config.admission
    ? createOwnWebhooks(config, connection, { client, clock, random, log, metrics })
    : undefined;
  const mayAct = webhooks === undefined ? () => true : isAuthorized;
  const namespaces = createNamespaceInformer({ client, clock, log, random });
  const mesh = createMeshController(
    {
      ...{ workers: config.workers, operatorImage: config.image, authorKey: webhooks?.authorKey },
      removalDeadlineMs: config.removalDeadlineMs,
      operatorNamespace: ownNamespace(config, connection),
    },
    {
      ...{ client, clock, random, log, events, namespaces, metrics: metrics.controller('mesh') },
      podsIn: (namespace) => dataPlane.podsIn(namespace),
    },
  );
  const dataPlane: DataPlaneController = createDataPlaneController({
    ...{ client, clock, random, log, events, mayAct, podMetrics: metrics },
    ...{ metrics: metrics.controller('data-plane'), upgradeMetrics: metrics.controller('upgrade') },
    ...{ meshes: mesh.meshes, meshesOf: mesh.meshesOf, namespaces },
  });
  const admission = createAdmissionController({
    ...{ client, clock, random, log, events, mayAct, injectorMetrics: metrics },
    metrics: metrics.controller('admission'),
    shared: {
      meshes: mesh.meshes,
      pods: dataPlane.pods,
      deployments: mesh.ownedOf(kindInfo('apps/v1', 'Deployment')),
      configMaps: mesh.ownedOf(kindInfo('v1', 'ConfigMap')),
      webhooks: mesh.ownedOf(kindInfo('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration')),
    },
  });
  const trust: TrustController = createTrustController({
    ...{ client, clock, random, log, events, mayAct, trustMetrics: metrics.trust },
    exec: new PodExec({ connection, clock }),
    namespace: ownNamespace(config, connection),
    metrics: metrics.controller('trust'),
    heard: (mesh) => remotes.heard(mesh),
    onLoaded: (namespace) => remotes.tellFollowersOf(namespace),
    ...{ podsFollowing: dataPlane.podsFollowing, podsIn: dataPlane.podsIn },
    shared: {
      meshes: mesh.meshes,
      ...{ pods: dataPlane.pods, namespaces, primaries: mesh.primaries },
      webhooks: mesh.ownedOf(kindInfo('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration')),
    },
  });
  const remotes: RemotesController = createRemotesController({
    ...{ client, clock, random, log, events, mayAct },
    exec: new PodExec({ connection, clock }),
    namespace: ownNamespace(config, connection),
    metricsOf: (name) => metrics.controller(name),
    ...{ meshes: mesh.meshes, meshesClaiming: mesh.meshesOf, podsIn: dataPlane.podsIn },
    shared: {
      ...{ services: mesh.ownedOf(kindInfo('v1', 'Service')), cacerts: trust.cacerts },
      pods: dataPlane.pods,
    },
    loadedVersion: trust.loadedVersion,
    onHeard: (key) => trust.controller.enqueue(key),
  });
  const others = [admission.controller, ...dataPlane.controllers, trust.controller];
  mesh.meshes.addHandler(({ old, current }) => {
    if (current === undefined || old === undefined || mayAct(old) === mayAct(current)) return;
    for (const controller of others) controller.enqueue(objectKeyOf(current));
  });
  const server =
    webhooks === undefined
      ? undefined
      : createWebhookServer(config, connection, webhooks, { meshes: mesh.meshes, namespaces }, metrics, log);
  const manager: Manager = new Manager(
    {},
    {
      clock,
      log,
      informers: [
        ...[
          namespaces,
          ...mesh.informers,
          ...admission.informers,
          ...dataPlane.informers,
          ...trust.informers,
          ...remotes.informers,
        ],
        ...(webhooks?.informers ?? []),
      ],
      controllers: [
        mesh.controller,
        ...others,
        ...remotes.controllers,
        ...(webhooks === undefined ? [] : [webhooks.controller]),
      ],
      servers: server === undefined ? [] : [server],
      ...(config.leaderElection ? { leaderElection: createElection(config, connection, metrics, log) } : {}),
      endpoints: [
        new HttpEndpoints({ bindAddress: config.metricsBindAddress, metrics: () => metrics.text() }),
        new HttpEndpoints({
          bindAddress: config.healthBindAddress,
          readyChecks: {
            caches: () => manager.checkCaches(),
            ...(server === undefined ? {} : { draining: server.checkDraining }),
            ...(webhooks === undefined ? {} : { admission: webhooks.problem }),
          },
        }),
      ],
    },
  );
  return new OperatorProcess({ manager, log });
}

/** How long the webhooks answer on after SIGTERM, until nobody is sent to them any more. */
const drainDelayMs = 5_000;
/** Within the ten seconds that an API server waits for a webhook. */
const reviewTimeoutMs = 8_000;

function createOwnWebhooks(
  config: OperatorConfig,
  connection: ApiConnection,
  { metrics, ...deps }: OwnWebhooksParts,
): OwnWebhooks {
  const namespace = ownNamespace(config, connection);
  const host = config.admissionHost ?? `mesh-operator-admission.${namespace}.svc`;
  return createOwnWebhooksController(
    { namespace, host },
    { ...deps, metrics: metrics.controller('own-webhooks') },
  );
}

/** With a client of its own: whoever applies a MeshOperator must not wait behind a hundred applies. */
function createWebhookServer(
  config: OperatorConfig,
  connection: ApiConnection,
  webhooks: OwnWebhooks,
  shared: Pick<MeshNeighboursDeps, 'meshes' | 'namespaces'>,
  metrics: Metrics,
  log: Logger,
): WebhookServer {
  const clock = systemClock;
  const client = new KubeClient({
    ...{ connection, clock, requestTimeoutMs: reviewTimeoutMs, onRequest: metrics.recordRequest },
  });
  const clusterVersion = new ClusterVersion({ client, clock });
  const never = new AbortController().signal;
  const operatorNamespace = ownNamespace(config, connection);
  const neighbours = new MeshNeighbours({ ...shared, client, operatorNamespace });
  const server = createAdmissionServer(
    { ...parseBindAddress(config.admissionBindAddress), drainDelayMs },
    {
      ...{ clock, log, authorKey: webhooks.authorKey },
      onReview: (webhook, result) => metrics.recordReview(webhook, result),
      context: async () => ({
        render: { operatorImage: config.image, kubernetesMinor: await clusterVersion.minor(never) },
        missingRights: (user, rights) => missingRights(client, user, rights, never),
        neighbours: (mesh) => neighbours.of(mesh, never),
      }),
    },
  );
  webhooks.onCertificate((certificate) => {
    server.useCertificate(certificate);
    metrics.recordWebhookCertificate(certificate.notAfter);
  });
  return server;
}

/** With a client of its own: a renewal must not wait behind a hundred applies. */
function createElection(
  config: OperatorConfig,
  connection: ApiConnection,
  metrics: Metrics,
  log: Logger,
): LeaderElection {
  const namespace = ownNamespace(config, connection);
  return new LeaderElection(
    { lease: { namespace, name: config.leaseName }, identity: config.identity },
    {
      client: new KubeClient({ connection, clock: systemClock, onRequest: metrics.recordRequest }),
      clock: systemClock,
      log,
      random: Math.random,
      onChange: (isLeading) => metrics.recordLeading(config.leaseName, isLeading),
    },
  );
}

/** Where the operator runs, and the Lease and the authorities of meshes are. */
function ownNamespace(config: OperatorConfig, connection: ApiConnection): string {
  const namespace = config.namespace ?? connection.namespace;
  if (namespace !== undefined) return namespace;
  throw new TerminalError("The operator's own namespace is not known: give --namespace", {
    reason: 'InvalidConfiguration',
  });
}
