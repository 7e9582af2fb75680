import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClusterPlan } from './cluster-plan.ts';
import { kubeconfigFile } from './control-plane.ts';
import type { SupervisedProcess } from './supervised-process.ts';

/** KWOK, which plays the kubelet of every node there is. `program` lies beside its stages.yaml. */
export function kwok(plan: ClusterPlan, rundir: string, program: string): SupervisedProcess {
  return {
    name: 'kwok',
    program,
    args: [...usualArgs(plan, rundir, program), `--node-ip=${plan.nodeAddress}`],
  };
}

/**
 * KWOK that the API server reaches as the kubelet of every node: a command in a pod runs the program of that name in
 * `execFolder`, on this machine, whatever pod it is.
 */
export async function kwokWithExec(
  plan: ClusterPlan,
  rundir: string,
  program: string,
): Promise<SupervisedProcess> {
  const folder = execFolder(rundir);
  const config = join(rundir, 'kwok-exec.yaml');
  const everywhere = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterExec',
    metadata: { name: 'everywhere' },
    spec: { execs: [{ local: { workDir: folder } }] },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(config, JSON.stringify(everywhere));
  const pki = (file: string) => join(rundir, 'pki', file);
  return {
    name: 'kwok',
    program,
    // It looks for programs in its own PATH, not in one that a ClusterExec gives (KWOK `pkg/utils/exec`).
    prepare: `export PATH=${folder}:$PATH`,
    args: [
      ...usualArgs(plan, rundir, program),
      `--config=${config}`,
      `--node-ip=${plan.apiAddress}`,
      `--node-port=${plan.ports.kwok}`,
      `--tls-cert-file=${pki('kubelet-serving.crt')}`,
      `--tls-private-key-file=${pki('kubelet-serving.key')}`,
    ],
  };
}

/** Where the programs are that commands in simulated pods run. */
export function execFolder(rundir: string): string {
  return join(rundir, 'exec');
}

/** A node that holds thousands of simulated pods. */
export function fakeNode(name: string): Record<string, unknown> {
  const room = { cpu: '1000', memory: '1Ti', pods: '5000' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    status: { allocatable: room, capacity: room },
  };
}

function usualArgs(plan: ClusterPlan, rundir: string, program: string): string[] {
  return [
    `--config=${join(dirname(program), 'stages.yaml')}`,
    `--kubeconfig=${kubeconfigFile(rundir, 'kwok')}`,
    '--manage-all-nodes=true',
    '--cidr=10.128.0.0/9',
    '--node-lease-duration-seconds=40',
    `--server-address=${plan.apiAddress}:${plan.ports.kwok}`,
  ];
}
