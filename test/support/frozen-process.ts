import { onTestFinished } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { signal } from '../cluster/process-identity.ts';
import { processesOfPod } from './node-processes.ts';

/** A process that does nothing more until it is woken, which the end of the test does too. */
export interface FrozenProcess {
  wake(): void;
}

/** Freezes the one process of a pod whose command has these arguments in a row. */
export async function freeze(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  ...words: readonly string[]
): Promise<FrozenProcess> {
  const path = 'jsonpath={.metadata.uid}';
  const uid = await cluster.kubectl('get', 'pod', pod.name, '-n', pod.namespace, '-o', path);
  const [pid, ...others] = processesOfPod(cluster, uid, ...words);
  if (pid === undefined || others.length > 0) {
    throw new Error(`pod ${pod.namespace}/${pod.name} has not one process "${words.join(' ')}"`);
  }
  const wake = () => signal(pid, 'SIGCONT');
  onTestFinished(wake);
  signal(pid, 'SIGSTOP');
  return { wake };
}
