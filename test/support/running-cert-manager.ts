import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dump } from 'js-yaml';
import { factsOf } from '../../src/pki/certificate-facts.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { waitUntil } from '../cluster/wait-until.ts';

/** Controllers of the real cert-manager: those that sign, and the one that approves whatever is asked for. */
export const certManagerControllers = {
  signers: ['issuers', 'clusterissuers', 'certificaterequests-issuer-ca'],
  approver: ['certificaterequests-approver'],
} as const;

const plurals = ['certificaterequests', 'issuers', 'clusterissuers'];
/** Where ClusterIssuers have their Secrets. */
export const certManagerNamespace = 'cert-manager';

/** Installs the CRDs that the pinned module of cert-manager publishes, and returns when they are served. */
export async function installCertManagerCrds(cluster: Cluster): Promise<void> {
  const program = await ensureTool('cert-manager');
  await cluster.apply(await readFile(join(dirname(program), 'crds.yaml'), 'utf8'));
  await waitUntil({ what: 'cert-manager.io/v1 is served' }, async () => {
    const served = JSON.parse(await cluster.kubectl('get', '--raw', '/apis/cert-manager.io/v1')) as {
      readonly resources: readonly { readonly name: string }[];
    };
    return plurals.every((plural) => served.resources.some(({ name }) => name === plural));
  });
}

/** Removes them with all that was made of them. */
export async function removeCertManagerCrds(cluster: Cluster): Promise<void> {
  const crds = plurals.map((plural) => `${plural}.cert-manager.io`);
  await cluster.kubectl('delete', 'crd', ...crds, '--ignore-not-found', '--wait=false');
}

/** Some controllers of cert-manager as a child process, which the kernel ends with the tests. */
export class RunningCertManager {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #log = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = `${this.#log}${text}`.slice(-10_000);
    });
    this.#ended = new Promise((done) => child.once('close', () => done()));
  }

  /** Starts them with all rights in the cluster, and returns at once. */
  static async start(cluster: Cluster, controllers: readonly string[]): Promise<RunningCertManager> {
    const program = await ensureTool('cert-manager');
    const flags = [`--kubeconfig=${cluster.kubeconfigPath}`, `--controllers=${controllers.join(',')}`];
    const command = ['--pdeathsig', 'KILL', '--', program, ...flags];
    return new RunningCertManager(spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  /** The last that it said, for the message of a failure. */
  tail(): string {
    return this.#log.slice(-2_000);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** What a CA issuer of cert-manager signs with: its Secret. */
export interface IssuerKeyPair {
  readonly certPem: string;
  readonly keyPem: string;
  /** Absent: what signs is taken for the root. */
  readonly rootPem?: string;
}

/** A CA issuer; without a namespace a ClusterIssuer. */
export interface IssuerName {
  readonly namespace?: string;
  readonly name: string;
}

/** Makes a CA issuer sign with this, and returns when cert-manager has seen that. */
export async function applyIssuer(
  cluster: Cluster,
  issuerName: IssuerName,
  { certPem, keyPem, rootPem }: IssuerKeyPair,
): Promise<void> {
  const { namespace, name } = issuerName;
  // Another Secret each time: so it shows in the issuer's status which one has been read.
  const secretName = `${name}-${factsOf(certPem).fingerprint.slice(0, 8)}${rootPem === undefined ? '' : '-root'}`;
  const secret = {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls' },
    metadata: { name: secretName, namespace: namespace ?? certManagerNamespace },
    stringData: {
      'tls.crt': certPem,
      'tls.key': keyPem,
      ...(rootPem === undefined ? {} : { 'ca.crt': rootPem }),
    },
  };
  const issuer = {
    ...{ apiVersion: 'cert-manager.io/v1', kind: issuerKind(issuerName) },
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { ca: { secretName } },
  };
  await cluster.apply([secret, issuer].map((object) => dump(object)).join('---\n'));
  await untilIssuerReady(cluster, issuerName);
}

/** Returns when cert-manager can sign with what the issuer names now. */
export async function untilIssuerReady(cluster: Cluster, issuerName: IssuerName): Promise<void> {
  const { namespace, name } = issuerName;
  const where = namespace === undefined ? [] : ['--namespace', namespace];
  const asked = ['get', issuerKind(issuerName), name, ...where, '--output', 'json'];
  await waitUntil({ what: `${issuerKind(issuerName)} ${name} can sign` }, async () => {
    const { metadata, status } = JSON.parse(await cluster.kubectl(...asked)) as IssuerObject;
    return status?.conditions?.some(
      ({ type, status: is, observedGeneration }) =>
        type === 'Ready' && is === 'True' && observedGeneration === metadata.generation,
    );
  });
}

function issuerKind({ namespace }: IssuerName): 'Issuer' | 'ClusterIssuer' {
  return namespace === undefined ? 'ClusterIssuer' : 'Issuer';
}

interface IssuerObject {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
    }[];
  };
}
