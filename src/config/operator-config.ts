import { hostname } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import {
  type LogLevel,
  parseAddress,
  parseBoolean,
  parseCount,
  parseDnsLabel,
  parseDurationMs,
} from './parse-setting.ts';
import { processSettings } from './process-settings.ts';
import { type Environment, type FlagValues, readSetting, type Setting } from './setting.ts';

/** Everything `mesh-operator run` can be told. */
export interface OperatorConfig {
  /** Namespace of the operator itself: of its Lease. Absent: that of the kubeconfig's context or of the pod. */
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly leaderElection: boolean;
  readonly leaseName: string;
  /** Names this replica in the Lease. */
  readonly identity: string;
  /** The operator's own image: sidecar injectors run it, too. */
  readonly image: string;
  /** Meshes reconciled at once. */
  readonly workers: number;
  /** Requests to the API server under way at once. */
  readonly maxInFlight: number;
  /** Serve the webhooks of MeshOperators, and act only for authors who may do what they ask for. */
  readonly admission: boolean;
  /** `host:port` of these webhooks. */
  readonly admissionBindAddress: string;
  /** The name by which API servers call them. Absent: that of the chart's Service. */
  readonly admissionHost: string | undefined;
  /** How long nothing may go at the removal of a mesh before the mesh goes without what holds it. */
  readonly removalDeadlineMs: number;
  /** `host:port` of `/healthz` and `/readyz`. */
  readonly healthBindAddress: string;
  /** `host:port` of `/metrics`. */
  readonly metricsBindAddress: string;
  readonly logLevel: LogLevel;
}

/** The image of this version, as the chart's defaults name it. */
export const defaultOperatorImage = `ghcr.io/mesh-operator/mesh-operator:${packageJson.version}`;

/** Name of the Lease by which one of several operators leads. */
export const defaultLeaseName = 'mesh-operator';

/** How long a removal may stand still. */
export const defaultRemovalDeadline = '10m';

/** The settings of `mesh-operator run` by their place in OperatorConfig: for the command line, its help and its docs. */
export const operatorSettings: { readonly [K in keyof OperatorConfig]: Setting<OperatorConfig[K]> } = {
  namespace: {
    flag: 'namespace',
    env: 'MESH_OPERATOR_NAMESPACE',
    value: 'name',
    description: "Namespace of the operator and its Lease (default: the pod's or the kubeconfig context's)",
    parse: (text) => text,
  },
  kubeconfig: {
    flag: 'kubeconfig',
    env: 'MESH_OPERATOR_KUBECONFIG',
    value: 'path',
    description:
      'Kubeconfig to use (default: KUBECONFIG, ~/.kube/config, then the service account of the pod)',
    parse: (text) => text,
  },
  context: {
    flag: 'context',
    env: 'MESH_OPERATOR_CONTEXT',
    value: 'name',
    description: 'Context of the kubeconfig (default: its current one)',
    parse: (text) => text,
  },
  leaderElection: {
    flag: 'leader-election',
    env: 'MESH_OPERATOR_LEADER_ELECTION',
    value: 'true|false',
    description: 'Let one replica of several work, by a Lease; without it this process works at once',
    default: 'true',
    parse: parseBoolean,
  },
  leaseName: {
    flag: 'lease-name',
    env: 'MESH_OPERATOR_LEASE_NAME',
    value: 'name',
    description: 'Name of the Lease',
    default: defaultLeaseName,
    parse: parseDnsLabel,
  },
  identity: {
    flag: 'identity',
    env: 'POD_NAME',
    value: 'name',
    description: 'Name of this replica in the Lease (default: host name and process id)',
    parse: (text) => text ?? `${hostname()}-${process.pid}`,
  },
  image: {
    flag: 'image',
    env: 'MESH_OPERATOR_IMAGE',
    value: 'reference',
    description: "The operator's own image, which sidecar injectors run",
    default: defaultOperatorImage,
    parse: parseImage,
  },
  workers: {
    flag: 'workers',
    env: 'MESH_OPERATOR_WORKERS',
    value: 'n',
    description: 'Meshes reconciled at once',
    default: '32',
    parse: (text) => parseCount(text, 1, 256),
  },
  maxInFlight: {
    flag: 'max-in-flight',
    env: 'MESH_OPERATOR_MAX_IN_FLIGHT',
    value: 'n',
    description: 'Requests to the API server under way at once',
    default: '128',
    parse: (text) => parseCount(text, 1, 1024),
  },
  admission: {
    flag: 'admission',
    env: 'MESH_OPERATOR_ADMISSION',
    value: 'true|false',
    description:
      'Serve the webhooks of MeshOperators, and do only what the author of a spec may do; without it the operator does what any MeshOperator asks for',
    default: 'false',
    parse: parseBoolean,
  },
  admissionBindAddress: {
    flag: 'admission-bind-address',
    env: 'MESH_OPERATOR_ADMISSION_BIND_ADDRESS',
    value: 'host:port',
    description: 'Address of these webhooks',
    // As that of the injector: firewalls between API server and nodes already let it through.
    default: ':15017',
    parse: parseAddress,
  },
  admissionHost: {
    flag: 'admission-host',
    env: 'MESH_OPERATOR_ADMISSION_HOST',
    value: 'name',
    description:
      'Name by which API servers call these webhooks (default: mesh-operator-admission.NAMESPACE.svc)',
    parse: (text) => text,
  },
  removalDeadlineMs: {
    flag: 'removal-deadline',
    env: 'MESH_OPERATOR_REMOVAL_DEADLINE',
    value: 'duration',
    description:
      'How long nothing may go at the removal of a mesh before the mesh goes without what holds it; an Event names what is left',
    default: defaultRemovalDeadline,
    parse: parseDurationMs,
  },
  ...processSettings,
};

/** The configuration from flags, then environment, then defaults. Throws TerminalError on a bad value. */
export function readOperatorConfig(flags: FlagValues, env: Environment = process.env): OperatorConfig {
  const read = <T>(setting: Setting<T>): T => readSetting(setting, flags, env);
  const settings = operatorSettings;
  return {
    namespace: read(settings.namespace),
    kubeconfig: read(settings.kubeconfig),
    context: read(settings.context),
    leaderElection: read(settings.leaderElection),
    leaseName: read(settings.leaseName),
    identity: read(settings.identity),
    image: read(settings.image),
    workers: read(settings.workers),
    maxInFlight: read(settings.maxInFlight),
    admission: read(settings.admission),
    admissionBindAddress: read(settings.admissionBindAddress),
    admissionHost: read(settings.admissionHost),
    removalDeadlineMs: read(settings.removalDeadlineMs),
    healthBindAddress: read(settings.healthBindAddress),
    metricsBindAddress: read(settings.metricsBindAddress),
    logLevel: read(settings.logLevel),
  };
}

function parseImage(text = ''): string {
  if (text === '' || /\s/.test(text)) throw new Error(`${JSON.stringify(text)} is no reference of an image`);
  return text;
}
