import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterPlan } from './cluster-plan.ts';
import { run } from './toolchain/run-command.ts';

/** Who a client certificate says its holder is. */
export interface Identity {
  readonly commonName: string;
  /** The group, in Kubernetes' words. */
  readonly organization?: string;
}

/** Client identities of a cluster; built-in roles know each of them. */
export const clientIdentities = {
  admin: { commonName: 'admin', organization: 'system:masters' },
  'apiserver-kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
  'front-proxy-client': { commonName: 'front-proxy-client' },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  kubelet: { commonName: 'system:node:node1', organization: 'system:nodes' },
  'cluster-daemon': { commonName: 'cluster-daemon', organization: 'system:masters' },
  kwok: { commonName: 'kwok', organization: 'system:masters' },
} as const satisfies Record<string, Identity>;

/** The name of one of the cluster's clients. */
export type ClientName = keyof typeof clientIdentities;

/** The only real node of a cluster. */
export const nodeName = 'node1';

/** Writes a fresh CA, every leaf `<name>.crt` and `<name>.key`, and the key of service account tokens to `folder`. */
export async function issueCertificates(folder: string, plan: ClusterPlan): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeServiceAccountKey(folder);
  await makeCertificate(folder, 'ca', { commonName: `mesh-operator cluster ${plan.index}` }, [
    'basicConstraints = critical,CA:TRUE',
    'keyUsage = critical,keyCertSign,cRLSign,digitalSignature',
  ]);
  const serving: readonly (readonly [string, Identity, readonly string[]])[] = [
    ['apiserver', { commonName: 'kube-apiserver' }, apiServerNames(plan)],
    ['kubelet-serving', { commonName: nodeName }, kubeletNames(plan)],
  ];
  await Promise.all([
    ...serving.map(([name, identity, names]) =>
      makeCertificate(folder, name, identity, [
        ...leafExtensions('serverAuth'),
        `subjectAltName = ${names.join(',')}`,
      ]),
    ),
    ...Object.entries(clientIdentities).map(([name, identity]) =>
      issueClientCertificate(folder, name, identity),
    ),
  ]);
}

/** Writes a certificate of one more client, `<name>.crt` and `<name>.key`, to the folder that the CA is in. */
export async function issueClientCertificate(
  folder: string,
  name: string,
  identity: Identity,
): Promise<void> {
  await makeCertificate(folder, name, identity, leafExtensions('clientAuth'));
}

/** Of the real node, and of simulated ones, which answer beside the API server. */
function kubeletNames(plan: ClusterPlan): string[] {
  return [`DNS:${nodeName}`, ...new Set([plan.nodeAddress, plan.apiAddress].map((ip) => `IP:${ip}`))];
}

function apiServerNames(plan: ClusterPlan): string[] {
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const addresses = new Set(['127.0.0.1', plan.apiAddress, plan.nodeAddress, plan.firstServiceAddress]);
  return [
    ...[...service, 'localhost'].map((name) => `DNS:${name}`),
    ...[...addresses].map((ip) => `IP:${ip}`),
  ];
}

function leafExtensions(usage: 'serverAuth' | 'clientAuth'): string[] {
  return [
    'basicConstraints = critical,CA:FALSE',
    'keyUsage = critical,digitalSignature',
    `extendedKeyUsage = ${usage}`,
    'authorityKeyIdentifier = keyid',
  ];
}

async function makeCertificate(
  folder: string,
  name: string,
  identity: Identity,
  extensions: readonly string[],
): Promise<void> {
  const config = join(folder, `${name}.cnf`);
  const subject = [
    ...(identity.organization === undefined ? [] : [`O = ${identity.organization}`]),
    `CN = ${identity.commonName}`,
  ];
  await writeFile(
    config,
    [
      ...['[req]', 'distinguished_name = subject', 'prompt = no', 'x509_extensions = extensions'],
      ...['[subject]', ...subject],
      ...['[extensions]', 'subjectKeyIdentifier = hash', ...extensions, ''],
    ].join('\n'),
  );
  await run('openssl', [
    ...['req', '-x509', '-config', config, '-days', '365', '-nodes'],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
    ...(name === 'ca' ? [] : ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key')]),
  ]);
}

async function writeServiceAccountKey(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
}
