import { dirname, join } from 'node:path';
import type { ClusterPlan } from './cluster-plan.ts';
import { kubeconfigFile } from './control-plane.ts';
import type { SupervisedProcess } from './supervised-process.ts';

/** KWOK, which plays the kubelet of every node there is. `program` lies beside its stages.yaml. */
export function kwok(plan: ClusterPlan, rundir: string, program: string): SupervisedProcess {
  return {
    name: 'kwok',
    program,
    args: [
      `--config=${join(dirname(program), 'stages.yaml')}`,
      `--kubeconfig=${kubeconfigFile(rundir, 'kwok')}`,
      '--manage-all-nodes=true',
      '--cidr=10.128.0.0/9',
      `--node-ip=${plan.nodeAddress}`,
      '--node-lease-duration-seconds=40',
      `--server-address=${plan.apiAddress}:${plan.ports.kwok}`,
    ],
  };
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
