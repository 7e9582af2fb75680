import path from 'node:path';
import type { SupervisedProcess } from '../supervised-process.ts';

/** What makes NetworkPolicies hold; it must run in the network namespace of the node. */
export function networkPolicyEnforcer(kubeconfig: string): SupervisedProcess {
  return {
    name: 'network-policy',
    program: process.execPath,
    args: [path.join(import.meta.dirname, 'main.ts'), '--kubeconfig', kubeconfig],
  };
}
