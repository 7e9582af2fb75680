import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import type { InjectorConfig } from '../config/injector-config.ts';
import { openConnection } from '../kube/api-connection.ts';
import { KubeClient } from '../kube/client.ts';
import { HttpEndpoints, parseBindAddress } from '../observability/http-endpoints.ts';
import { InjectionMetrics } from '../observability/injection-metrics.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { parseInjectorConfiguration } from '../servers/injector/injector-configuration.ts';
import { InjectorServer } from '../servers/injector/injector-server.ts';
import { createNamespaceInformer, namespaceLabelsOf } from '../servers/injector/namespace-cache.ts';
import {
  expiryProblem,
  parseServingCertificate,
  type ServingCertificate,
} from '../servers/serving-certificate.ts';
import { WatchedFiles, type WatchedFilesOptions } from '../servers/watched-files.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** `mesh-operator injector`: the sidecar webhook, until SIGTERM or SIGINT. Exit code 0 after an orderly stop. */
export async function injector(config: InjectorConfig, terminal: Terminal): Promise<ExitCode> {
  const log = createLogger(config.logLevel, terminal.stderr);
  const clock = systemClock;
  const metrics = new InjectionMetrics();
  metrics.collectProcessMetrics();
  const client = new KubeClient({ connection: openConnection(config, clock), clock });
  const namespaces = createNamespaceInformer({ client, clock, log, random: Math.random });
  const watching = <T>(options: Omit<WatchedFilesOptions<T>, 'onRefuse'>) =>
    new WatchedFiles<T>(
      { ...options, onRefuse: () => metrics.read(options.what, 'refused') },
      { clock, log },
    );
  const configuration = watching({
    what: 'configuration',
    paths: [config.configurationFile],
    parse: ([text = '']) => parseInjectorConfiguration(text),
    onLoad: ({ version }) => {
      metrics.read('configuration', 'loaded');
      log.info('Configuration in use', { version });
    },
  });
  const server = new InjectorServer(
    { ...parseBindAddress(config.bindAddress), drainDelayMs: config.drainDelaySeconds * 1000 },
    {
      clock,
      log,
      metrics,
      configuration: () => configuration.current,
      namespaceLabels: namespaceLabelsOf(namespaces),
    },
  );
  const certificate = watching({
    what: 'certificate',
    paths: [join(config.certificateFolder, 'tls.crt'), join(config.certificateFolder, 'tls.key')],
    parse: ([cert = '', key = '']) => parseServingCertificate(cert, key),
    onLoad: (loaded) => {
      server.useCertificate(loaded);
      metrics.read('certificate', 'loaded');
      metrics.certificateInUse(loaded.notAfter);
    },
  });
  const health = new HttpEndpoints({
    bindAddress: config.healthBindAddress,
    readyChecks: {
      draining: server.checkDraining,
      certificate: () => certificateProblem(certificate, clock),
      configuration: () => (configuration.current === undefined ? configuration.problem : undefined),
      namespaces: () => (namespaces.hasSynced ? undefined : 'waiting for the first list'),
    },
  });
  const metricsEndpoint = new HttpEndpoints({
    bindAddress: config.metricsBindAddress,
    metrics: () => metrics.text(),
  });
  await runParts(
    { log, server, endpoints: [health, metricsEndpoint], files: [certificate, configuration] },
    (signal) => namespaces.run(signal),
  );
  return exitCodes.ok;
}

interface Parts {
  readonly log: Logger;
  readonly server: InjectorServer;
  readonly endpoints: readonly HttpEndpoints[];
  readonly files: readonly Pick<WatchedFiles<unknown>, 'start' | 'stop'>[];
}

/** Starts everything, waits for a signal to stop, and stops in the order that loses no request. */
async function runParts(
  parts: Parts,
  watchNamespaces: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve());
  });
  const watching = new AbortController();
  try {
    for (const endpoint of parts.endpoints) {
      await endpoint.start();
      parts.log.info('Endpoint listens', { port: endpoint.port });
    }
    for (const files of parts.files) await files.start();
    await parts.server.start();
    const watched = watchNamespaces(watching.signal);
    await asked;
    await parts.server.stop();
    watching.abort(new Error('the injector stops'));
    await watched;
  } finally {
    watching.abort();
    for (const files of parts.files) files.stop();
    await Promise.all(parts.endpoints.map((endpoint) => endpoint.stop()));
  }
}

/** Without a certificate that an API server accepts, a replica is of no use. */
function certificateProblem(files: WatchedFiles<ServingCertificate>, clock: Clock): string | undefined {
  return files.current === undefined ? files.problem : expiryProblem(files.current, clock.now());
}
