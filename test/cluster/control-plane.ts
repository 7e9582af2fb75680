import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientName } from './certificates.ts';
import type { ClusterPlan, NodeKind } from './cluster-plan.ts';
import type { SupervisedProcess } from './supervised-process.ts';

/** What the servers of a control plane are told apart from their own flags. */
export interface ControlPlaneOptions {
  readonly nodes: NodeKind;
  readonly plan: ClusterPlan;
  readonly rundir: string;
  readonly audit: boolean;
  /** Absolute path of each program. */
  readonly programs: Readonly<Record<'etcd' | 'kube-apiserver', string>>;
}

/** Path of the API server's audit log in a run folder: one JSON object a line. */
export function auditLogFile(rundir: string): string {
  return join(rundir, 'audit.log');
}

/** Path of one client's kubeconfig in a run folder. */
export function kubeconfigFile(rundir: string, client: ClientName): string {
  return join(rundir, client === 'admin' ? 'kubeconfig' : `${client}.kubeconfig`);
}

/** The URL that people and tests use. */
export function apiServerUrl(plan: ClusterPlan): string {
  return `https://${plan.apiAddress}:${plan.ports.apiServer}`;
}

/** etcd, for one run only: it does not wait for the disk. */
export function etcd({ plan, rundir, nodes, programs }: ControlPlaneOptions): SupervisedProcess {
  const address = localAddress(nodes, plan);
  const client = `http://${address}:${plan.ports.etcdClient}`;
  const peer = `http://${address}:${plan.ports.etcdPeer}`;
  return {
    name: 'etcd',
    program: programs.etcd,
    args: [
      `--data-dir=${join(rundir, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ],
  };
}

/** Writes the audit policy: who asked for what, without bodies. */
export async function writeAuditPolicy(rundir: string): Promise<void> {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  };
  await writeFile(auditPolicyFile(rundir), JSON.stringify(policy));
}

/** The API server; on the host's loopback unless the cluster has namespaces of its own. */
export function apiServer(options: ControlPlaneOptions): SupervisedProcess {
  const { plan, rundir, nodes, programs } = options;
  const pki = (file: string) => join(rundir, 'pki', file);
  return {
    name: 'kube-apiserver',
    program: programs['kube-apiserver'],
    args: [
      `--etcd-servers=http://${localAddress(nodes, plan)}:${plan.ports.etcdClient}`,
      `--secure-port=${plan.ports.apiServer}`,
      ...(nodes === 'kubelet'
        ? ['--bind-address=0.0.0.0']
        : [`--bind-address=${plan.apiAddress}`, '--endpoint-reconciler-type=none']),
      `--advertise-address=${plan.nodeAddress}`,
      `--service-cluster-ip-range=${plan.serviceCidr}`,
      `--tls-cert-file=${pki('apiserver.crt')}`,
      `--tls-private-key-file=${pki('apiserver.key')}`,
      `--client-ca-file=${pki('ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-signing-key-file=${pki('sa.key')}`,
      `--service-account-key-file=${pki('sa.key')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
      `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
      `--kubelet-certificate-authority=${pki('ca.crt')}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--requestheader-client-ca-file=${pki('ca.crt')}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
      `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
      '--enable-aggregator-routing=true',
      '--profiling=false',
      ...(options.audit
        ? [
            `--audit-policy-file=${auditPolicyFile(rundir)}`,
            `--audit-log-path=${auditLogFile(rundir)}`,
            '--audit-log-maxsize=4096', // megabytes: tests read one file, so it must not be rotated
          ]
        : []),
    ],
  };
}

/** The controller manager, quick enough for thousands of objects. */
export function controllerManager(
  { nodes, plan, rundir }: ControlPlaneOptions,
  program: string,
): SupervisedProcess {
  const pki = (file: string) => join(rundir, 'pki', file);
  return {
    name: 'kube-controller-manager',
    program,
    args: [
      `--kubeconfig=${kubeconfigFile(rundir, 'controller-manager')}`,
      `--bind-address=${localAddress(nodes, plan)}`,
      `--secure-port=${plan.ports.controllerManager}`,
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      `--service-account-private-key-file=${pki('sa.key')}`,
      `--root-ca-file=${pki('ca.crt')}`,
      `--cluster-signing-cert-file=${pki('ca.crt')}`,
      `--cluster-signing-key-file=${pki('ca.key')}`,
      `--cluster-cidr=${plan.podCidr}`,
      ...(nodes === 'kubelet' ? ['--allocate-node-cidrs=true', '--node-cidr-mask-size=24'] : []),
    ],
  };
}

/** The scheduler. */
export function scheduler({ nodes, plan, rundir }: ControlPlaneOptions, program: string): SupervisedProcess {
  return {
    name: 'kube-scheduler',
    program,
    args: [
      `--kubeconfig=${kubeconfigFile(rundir, 'scheduler')}`,
      `--bind-address=${localAddress(nodes, plan)}`,
      `--secure-port=${plan.ports.scheduler}`,
      '--leader-elect=false',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  };
}

function localAddress(nodes: NodeKind, plan: ClusterPlan): string {
  return nodes === 'kubelet' ? '127.0.0.1' : plan.apiAddress;
}

function auditPolicyFile(rundir: string): string {
  return join(rundir, 'audit-policy.json');
}
