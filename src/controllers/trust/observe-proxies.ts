import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { proxyContainerName } from '../../injection/pod.ts';
import { type Asker, askPods } from '../../kube/ask-pods.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { readEnvoySecrets, type Signer } from '../../pki/envoy-secrets.ts';
import type { ObservedProxy } from '../../pki/observed-trust.ts';

/** Istio `pilot/cmd/pilot-agent/app/request.go`. */
const askerOfProxy: Asker = { container: proxyContainerName, program: 'pilot-agent' };
const secretsPath = 'config_dump?resource=dynamic_active_secrets';

/** What each proxy says of its secrets; `signers` are those that its certificate may be of. Those that are gone are left out. */
export async function observeProxies(
  pods: readonly KubernetesObject[],
  signers: readonly Signer[],
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedProxy[]> {
  const asked = await askPods(
    pods,
    askerOfProxy,
    exec,
    async (ask) => readEnvoySecrets(await ask(secretsPath), signers),
    signal,
  );
  return asked.flatMap(({ pod, answer }) =>
    answer === undefined ? [] : [{ pod, roots: new Set<string>(), ...answer }],
  );
}
