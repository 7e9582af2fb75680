import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { messageOf, NotFoundError } from '../../base/errors.ts';
import { proxyContainerName } from '../../injection/pod.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { readEnvoySecrets, type Signer } from '../../pki/envoy-secrets.ts';
import type { ObservedProxy } from '../../pki/observed-trust.ts';

const secretsCommand = ['pilot-agent', 'request', 'GET', 'config_dump?resource=dynamic_active_secrets'];
/** Each runs a process on a node and holds a connection. */
const atOnce = 16;

/** What each proxy says of its secrets; `signers` are those that its certificate may be of. Those that are gone are left out. */
export async function observeProxies(
  pods: readonly KubernetesObject[],
  signers: readonly Signer[],
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedProxy[]> {
  const waiting = [...pods];
  const found: ObservedProxy[] = [];
  const work = async () => {
    for (let pod = waiting.pop(); pod !== undefined; pod = waiting.pop()) {
      const proxy = await observeProxy(pod, signers, exec, signal);
      if (proxy !== undefined) found.push(proxy);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, pods.length) }, work));
  return found.sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

async function observeProxy(
  { metadata: { namespace = '', name } }: KubernetesObject,
  signers: readonly Signer[],
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedProxy | undefined> {
  const pod = `${namespace}/${name}`;
  try {
    const target = { namespace, pod: name, container: proxyContainerName };
    const secrets = readEnvoySecrets(await exec.run(target, secretsCommand, signal), signers);
    return secrets === undefined ? undefined : { pod, ...secrets };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotFoundError) return undefined;
    return { pod, roots: new Set(), problem: `cannot be asked: ${messageOf(error)}` };
  }
}
