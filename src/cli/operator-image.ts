import { kindInfo } from '../api/kinds.ts';
import { isRecord } from '../base/stable-json.ts';
import { defaultOperatorImage } from '../config/operator-config.ts';
import type { KubeClient } from '../kube/client.ts';

/** Labels that the chart gives the operator's Deployment. */
export const operatorSelector = 'app.kubernetes.io/name=mesh-operator,app.kubernetes.io/component=operator';

/** The image that the operator of a cluster runs, as its Deployment says; that of this version where there is none. */
export async function operatorImageOf(client: KubeClient, signal: AbortSignal): Promise<string> {
  const options = { labelSelector: operatorSelector };
  const { items } = await client.list(kindInfo('apps/v1', 'Deployment'), options, signal);
  const template = isRecord(items[0]?.spec) ? items[0].spec.template : undefined;
  const pod = isRecord(template) && isRecord(template.spec) ? template.spec : {};
  const containers = Array.isArray(pod.containers) ? pod.containers.filter(isRecord) : [];
  const image = containers.find(({ name }) => name === 'operator')?.image;
  return typeof image === 'string' ? image : defaultOperatorImage;
}
