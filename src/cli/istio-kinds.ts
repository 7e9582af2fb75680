import type { KindInfo } from '../api/kinds.ts';
import { type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { NotFoundError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import type { KubeClient, ListOptions } from '../kube/client.ts';
import { renderIstioCrds } from '../render/istio-crds.ts';

/** A kind of Istio, and the name of the CRD that brings it. */
export interface IstioKind extends KindInfo {
  readonly crd: string;
}

/** The kinds of Istio's CRDs, each in the version that is stored. */
export function istioKinds(): IstioKind[] {
  return renderIstioCrds().map(kindOfCrd);
}

/** Every object of a kind; none where the cluster does not serve it. */
export async function listAll(
  client: KubeClient,
  kind: KindInfo,
  signal: AbortSignal,
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'metadataOnly'> = {},
): Promise<KubernetesObject[]> {
  const items: KubernetesObject[] = [];
  let continueToken: string | undefined;
  do {
    const page = await client.list(kind, { ...options, limit: 500, continueToken }, signal);
    items.push(...page.items);
    continueToken = page.continueToken;
  } while (continueToken !== undefined);
  return items;
}

/** Every object of Istio's kinds that the cluster serves. */
export async function listIstioObjects(client: KubeClient, signal: AbortSignal): Promise<KubernetesObject[]> {
  const lists = istioKinds().map(async (kind) => {
    try {
      return await listAll(client, kind, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return [];
      throw error;
    }
  });
  return (await Promise.all(lists)).flat();
}

/** `namespace/name` of an object, for texts. */
export function nameText({ metadata }: KubernetesObject): string {
  const { namespace, name } = metadata;
  return namespace === undefined ? name : keyText({ namespace, name });
}

function kindOfCrd({ metadata, spec }: KubernetesObject): IstioKind {
  const { group, names, scope, versions } = recordOf(spec);
  const { kind, plural } = recordOf(names);
  const stored = (Array.isArray(versions) ? versions.filter(isRecord) : []).find(
    ({ storage }) => storage === true,
  );
  return {
    crd: metadata.name,
    apiVersion: `${group}/${stored?.name}`,
    kind: String(kind),
    plural: String(plural),
    namespaced: scope === 'Namespaced',
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
