import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { injectorSelfTestLabel } from '../../api/labels.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { messageOf } from '../../base/errors.ts';
import { names } from '../../injection/annotation-names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { injectorName } from '../../render/injector/names.ts';
import { selfTestEntryName } from '../../render/injector/webhooks.ts';
import { webhookManager } from './field-managers.ts';

/** What a self-test has shown. */
export type SelfTestResult =
  | { readonly kind: 'reached' }
  | { readonly kind: 'unreached'; readonly message: string };

/** What the API server says of a pod that got past the webhook, and is refused by what comes after webhooks. */
const refusedAfterwards = [
  `admission webhook "${selfTestEntryName}" denied the request`,
  'violates PodSecurity',
  'exceeded quota',
  'failed quota',
];

/**
 * Asks the API server to create a pod that the self-test's webhook selects, as a dry run, and tells from the answer
 * whether the injector was asked. Nothing is created. Throws what says nothing of the injector: an API server that
 * does not answer, or that refuses the pod before it asks webhooks.
 */
export async function runSelfTest(
  client: KubeClient,
  mesh: ResolvedMesh,
  signal: AbortSignal,
): Promise<SelfTestResult> {
  try {
    const options = { fieldManager: webhookManager, dryRun: true };
    return judgePod(await client.create(selfTestPod(mesh), options, signal));
  } catch (error) {
    const result = judgeRefusal(messageOf(error));
    if (result === undefined) throw error;
    return result;
  }
}

/** What a pod shows that the API server would have created. */
export function judgePod(pod: KubernetesObject): SelfTestResult {
  return pod.metadata.annotations?.[names.status] === undefined
    ? { kind: 'unreached', message: 'The API server does not ask the injector yet' }
    : { kind: 'reached' };
}

/** What the API server's refusal shows; undefined when it says nothing of the injector. */
export function judgeRefusal(message: string): SelfTestResult | undefined {
  if (refusedAfterwards.some((text) => message.includes(text))) return { kind: 'reached' };
  const start = message.indexOf(`failed calling webhook "${selfTestEntryName}"`);
  if (start < 0) return undefined;
  return { kind: 'unreached', message: `The API server says: ${message.slice(start)}` };
}

/** Complete and restricted, so that pod security has nothing to say of what is ours. */
function selfTestPod(mesh: ResolvedMesh): KubernetesObject {
  const name = injectorName(mesh);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-self-test`,
      namespace: mesh.namespace,
      labels: { [injectorSelfTestLabel]: revisionLabel(mesh.revision) },
      annotations: { [names.inject]: 'true' },
    },
    spec: {
      serviceAccountName: name,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'self-test',
          image: 'self-test',
          resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
