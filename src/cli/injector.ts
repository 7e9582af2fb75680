import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import type { InjectorConfig } from '../config/injector-config.ts';
import { HttpEndpoints, parseBindAddress } from '../observability/http-endpoints.ts';
import { InjectionMetrics } from '../observability/injection-metrics.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import {
  type InjectorConfiguration,
  parseInjectorConfiguration,
} from '../servers/injector/injector-configuration.ts';
import { createInjectorServer } from '../servers/injector/injector-server.ts';
import {
  expiryProblem,
  parseServingCertificate,
  type ServingCertificate,
} from '../servers/serving-certificate.ts';
import { WatchedFiles } from '../servers/watched-files.ts';
import type { WebhookServer } from '../servers/webhook-server.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/**
 * `mesh-operator injector`: the sidecar webhook, until SIGTERM or SIGINT. Exit code 0 after an orderly stop. It never
 * asks an API server, so it answers while none can be reached.
 */
export async function injector(config: InjectorConfig, terminal: Terminal): Promise<ExitCode> {
  const log = createLogger(config.logLevel, terminal.stderr);
  const stopAsked = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve());
  });
  await runParts(createParts(config, log), stopAsked);
  return exitCodes.ok;
}

interface Parts {
  readonly log: Logger;
  readonly server: WebhookServer;
  /** The first one serves health, the second one metrics. */
  readonly endpoints: readonly HttpEndpoints[];
  readonly files: readonly Pick<WatchedFiles<unknown>, 'start' | 'stop'>[];
}

/** Builds the object graph of the injector; nothing is started. */
function createParts(config: InjectorConfig, log: Logger): Parts {
  const clock = systemClock;
  const metrics = new InjectionMetrics();
  metrics.collectProcessMetrics();
  const configuration = watchConfiguration(config, metrics, { clock, log });
  const server = createInjectorServer(
    { ...parseBindAddress(config.bindAddress), drainDelayMs: config.drainDelaySeconds * 1000 },
    { clock, log, metrics, configuration: () => configuration.current },
  );
  const certificate = watchCertificate(config, server, metrics, { clock, log });
  const health = new HttpEndpoints({
    bindAddress: config.healthBindAddress,
    readyChecks: {
      draining: server.checkDraining,
      certificate: () => certificateProblem(certificate, clock),
      configuration: () => (configuration.current === undefined ? configuration.problem : undefined),
    },
  });
  const metricsEndpoint = new HttpEndpoints({
    bindAddress: config.metricsBindAddress,
    metrics: () => metrics.text(),
  });
  return {
    log,
    server,
    endpoints: [health, metricsEndpoint],
    files: [certificate, configuration],
  };
}

interface WatchDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

function watchConfiguration(
  config: InjectorConfig,
  metrics: InjectionMetrics,
  deps: WatchDeps,
): WatchedFiles<InjectorConfiguration> {
  const what = 'configuration';
  return new WatchedFiles(
    {
      what,
      paths: [config.configurationFile],
      parse: ([text = '']) => parseInjectorConfiguration(text),
      onLoad: ({ version }) => {
        metrics.read(what, 'loaded');
        deps.log.info('Configuration in use', { version });
      },
      onRefuse: () => metrics.read(what, 'refused'),
    },
    deps,
  );
}

function watchCertificate(
  { certificateFolder }: InjectorConfig,
  server: WebhookServer,
  metrics: InjectionMetrics,
  deps: WatchDeps,
): WatchedFiles<ServingCertificate> {
  const what = 'certificate';
  return new WatchedFiles(
    {
      what,
      paths: [join(certificateFolder, 'tls.crt'), join(certificateFolder, 'tls.key')],
      parse: ([cert = '', key = '']) => parseServingCertificate(cert, key),
      onLoad: (certificate) => {
        server.useCertificate(certificate);
        metrics.read(what, 'loaded');
        metrics.certificateInUse(certificate.notAfter);
      },
      onRefuse: () => metrics.read(what, 'refused'),
    },
    deps,
  );
}

/** Without a certificate that an API server accepts, a replica is of no use. */
function certificateProblem(files: WatchedFiles<ServingCertificate>, clock: Clock): string | undefined {
  return files.current === undefined ? files.problem : expiryProblem(files.current, clock.now());
}

/** Starts everything, waits until a stop is asked for, and stops in the order that loses no request. */
async function runParts({ log, server, endpoints, files }: Parts, stopAsked: Promise<void>): Promise<void> {
  try {
    for (const endpoint of endpoints) {
      await endpoint.start();
      log.info('Endpoint listens', { port: endpoint.port });
    }
    for (const watched of files) await watched.start();
    await server.start();
    await stopAsked;
    await server.stop();
  } finally {
    for (const watched of files) watched.stop();
    await Promise.all(endpoints.map((endpoint) => endpoint.stop()));
  }
}
