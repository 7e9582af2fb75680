import path from 'node:path';
import type { SupervisedProcess } from '../supervised-process.ts';

/** What gives Services of type LoadBalancer an address of the range (a /24); it needs no privilege. */
export function loadBalancerAddressGiver(kubeconfig: string, range: string): SupervisedProcess {
  return {
    name: 'load-balancer',
    program: process.execPath,
    args: [path.join(import.meta.dirname, 'main.ts'), '--kubeconfig', kubeconfig, '--range', range],
  };
}
