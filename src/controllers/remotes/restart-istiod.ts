import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { remoteRestartAnnotation } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { objectManager } from './field-managers.ts';

const deploymentKind = kindInfo('apps/v1', 'Deployment');

/**
 * Has the Deployments of some pods of istiod make new ones, one after the other as they do for any change: each is ready
 * once it has read the other clusters. `since` is RFC 3339; what was restarted since then is left alone. `pods` are of one
 * namespace.
 */
export async function restartDeployments(
  client: KubeClient,
  pods: readonly KubernetesObject[],
  since: string,
  signal: AbortSignal,
): Promise<void> {
  const [
    {
      metadata: { namespace = '' },
    } = { metadata: {} },
  ] = pods;
  const { items } = await client.list(deploymentKind, { namespace, labelSelector: 'app=istiod' }, signal);
  for (const deployment of items) {
    const { selector, restartedAt } = partsOf(deployment);
    if (restartedAt >= since || !pods.some(({ metadata }) => isSelected(metadata.labels ?? {}, selector))) {
      continue;
    }
    const merge = {
      spec: { template: { metadata: { annotations: { [remoteRestartAnnotation]: since } } } },
    };
    await client.patch(idOf(deployment), { type: 'merge', merge }, { fieldManager: objectManager }, signal);
  }
}

interface DeploymentSpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
}

/** What its selector matches, and when it was last restarted because of another cluster. */
function partsOf({ spec }: KubernetesObject) {
  const { selector, template } = (isRecord(spec) ? spec : {}) as DeploymentSpec;
  return {
    selector: selector?.matchLabels ?? {},
    restartedAt: template?.metadata?.annotations?.[remoteRestartAnnotation] ?? '',
  };
}

function isSelected(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
