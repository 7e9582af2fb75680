import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { messageOf, NotFoundError } from '../base/errors.ts';
import type { PodExec } from './pod-exec.ts';

/** Answers a GET of a path of what listens on a pod's loopback. */
export type AskPod = (path: string) => Promise<string>;

/** One pod, and what was made of its answers, or why it gave none. */
export interface AskedPod<Answer> {
  readonly object: KubernetesObject;
  /** `namespace/name`. */
  readonly pod: string;
  readonly answer: Answer | { readonly problem: string };
}

/** Who asks in a pod: a program of Istio's images, which can be told to `request GET` a path, and its container. */
export interface Asker {
  readonly container: string;
  readonly program: string;
}

/** Of pods of istiod (Istio `pilot/cmd/pilot-discovery/app/request.go`). */
export const askerOfIstiod: Asker = { container: 'discovery', program: 'pilot-discovery' };

/** Each question runs a process on a node and holds a connection. */
const atOnce = 16;

/**
 * Asks in each pod, sixteen pods at once, and makes of its answers what `read` does: in the order of their
 * names. Those that are gone are left out.
 */
export async function askPods<Answer>(
  pods: readonly KubernetesObject[],
  { container, program }: Asker,
  exec: Pick<PodExec, 'run'>,
  read: (ask: AskPod, object: KubernetesObject) => Promise<Answer>,
  signal: AbortSignal,
): Promise<AskedPod<Answer>[]> {
  const waiting = [...pods];
  const found: AskedPod<Answer>[] = [];

  const ask = async (object: KubernetesObject) => {
    const { namespace = '', name } = object.metadata;
    const pod = `${namespace}/${name}`;
    const target = { namespace, pod: name, container };
    const get = (path: string) => exec.run(target, [program, 'request', 'GET', path], signal);
    try {
      found.push({ object, pod, answer: await read(get, object) });
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof NotFoundError) return;
      found.push({ object, pod, answer: { problem: `cannot be asked: ${messageOf(error)}` } });
    }
  };
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await ask(next);
  };

  await Promise.all(Array.from({ length: Math.min(atOnce, pods.length) }, work));
  return found.sort((a, b) => (a.pod < b.pod ? -1 : 1));
}
