import { type LogLevel, parseAddress, parseCount } from './parse-setting.ts';
import { processSettings } from './process-settings.ts';
import { type Environment, type FlagValues, readSetting, type Setting } from './setting.ts';

/** Everything `mesh-operator injector` can be told. */
export interface InjectorConfig {
  /** `host:port` of the webhook. */
  readonly bindAddress: string;
  /** Folder with `tls.crt` and `tls.key`, as a Secret of type kubernetes.io/tls is mounted. */
  readonly certificateFolder: string;
  /** The injector's configuration document: JSON. */
  readonly configurationFile: string;
  /** How long it still answers after SIGTERM, when it is no longer ready. */
  readonly drainDelaySeconds: number;
  /** `host:port` of `/healthz` and `/readyz`. */
  readonly healthBindAddress: string;
  /** `host:port` of `/metrics`. */
  readonly metricsBindAddress: string;
  readonly logLevel: LogLevel;
}

/** The settings of `mesh-operator injector` by their place in InjectorConfig. */
export const injectorSettings: { readonly [K in keyof InjectorConfig]: Setting<InjectorConfig[K]> } = {
  bindAddress: {
    flag: 'bind-address',
    env: 'MESH_OPERATOR_BIND_ADDRESS',
    value: 'host:port',
    description: 'Address of the webhook',
    // The port of istiod's own webhooks: firewalls between API server and nodes already let it through.
    default: ':15017',
    parse: parseAddress,
  },
  certificateFolder: {
    flag: 'certificate-folder',
    env: 'MESH_OPERATOR_CERTIFICATE_FOLDER',
    value: 'path',
    description: 'Folder with tls.crt and tls.key; read again when they change',
    default: '/etc/mesh-operator/tls',
    parse: parsePath,
  },
  configurationFile: {
    flag: 'configuration-file',
    env: 'MESH_OPERATOR_CONFIGURATION_FILE',
    value: 'path',
    description: 'The mesh to inject for, as JSON; read again when it changes',
    default: '/etc/mesh-operator/injector/config.json',
    parse: parsePath,
  },
  drainDelaySeconds: {
    flag: 'drain-delay-seconds',
    env: 'MESH_OPERATOR_DRAIN_DELAY_SECONDS',
    value: 'n',
    description: 'How long it still answers after SIGTERM, until nobody is sent to it any more',
    default: '5',
    parse: (text) => parseCount(text, 0, 300),
  },
  ...processSettings,
};

/** The configuration from flags, then environment, then defaults. Throws TerminalError on a bad value. */
export function readInjectorConfig(flags: FlagValues, env: Environment = process.env): InjectorConfig {
  const read = <T>(setting: Setting<T>): T => readSetting(setting, flags, env);
  const settings = injectorSettings;
  return {
    bindAddress: read(settings.bindAddress),
    certificateFolder: read(settings.certificateFolder),
    configurationFile: read(settings.configurationFile),
    drainDelaySeconds: read(settings.drainDelaySeconds),
    healthBindAddress: read(settings.healthBindAddress),
    metricsBindAddress: read(settings.metricsBindAddress),
    logLevel: read(settings.logLevel),
  };
}

function parsePath(text = ''): string {
  if (text.trim() === '') throw new Error('a path is needed');
  return text;
}
