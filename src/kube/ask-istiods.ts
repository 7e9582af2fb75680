import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { messageOf, NotFoundError } from '../base/errors.ts';
import type { PodExec } from './pod-exec.ts';

/** Answers a GET of a path of istiod's own port, as `pilot-discovery request` in its container does. */
export type AskIstiod = (path: string) => Promise<string>;

/** One pod of istiod, and what was made of its answers, or why it gave none. */
export interface AskedIstiod<Answer> {
  readonly object: KubernetesObject;
  /** `namespace/name`. */
  readonly pod: string;
  readonly answer: Answer | { readonly problem: string };
}

const container = 'discovery';

/** Asks each pod of istiod, all at once, and makes of its answers what `read` does. Those that are gone are left out. */
export async function askIstiods<Answer>(
  pods: readonly KubernetesObject[],
  exec: Pick<PodExec, 'run'>,
  read: (ask: AskIstiod, object: KubernetesObject) => Promise<Answer>,
  signal: AbortSignal,
): Promise<AskedIstiod<Answer>[]> {
  const asked = await Promise.all(pods.map((object) => askIstiod(object, exec, read, signal)));
  return asked.filter((one) => one !== undefined);
}

async function askIstiod<Answer>(
  object: KubernetesObject,
  exec: Pick<PodExec, 'run'>,
  read: (ask: AskIstiod, object: KubernetesObject) => Promise<Answer>,
  signal: AbortSignal,
): Promise<AskedIstiod<Answer> | undefined> {
  const { namespace = '', name } = object.metadata;
  const pod = `${namespace}/${name}`;
  const target = { namespace, pod: name, container };
  const ask = (path: string) => exec.run(target, ['pilot-discovery', 'request', 'GET', path], signal);
  try {
    return { object, pod, answer: await read(ask, object) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotFoundError) return undefined;
    return { object, pod, answer: { problem: `cannot be asked: ${messageOf(error)}` } };
  }
}
