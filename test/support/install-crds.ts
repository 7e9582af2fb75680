import type { KindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
}

/** Applies CRDs, and returns when the API server serves their kinds. */
export async function installCrds(
  client: KubeClient,
  crds: readonly KubernetesObject[],
  fieldManager = 'test',
): Promise<void> {
  await Promise.all(crds.map((crd) => client.apply(crd, { fieldManager, force: true }, never)));
  for (const crd of crds) {
    await waitUntil({ what: `the API server serves ${crd.metadata.name}` }, () =>
      client.list(kindOf(crd), { limit: 1 }, never).then(
        () => true,
        () => false,
      ),
    );
  }
}

function kindOf({ spec }: KubernetesObject): KindInfo {
  const { group, scope, names, versions } = spec as unknown as CrdSpec;
  const stored = versions.find(({ storage }) => storage);
  return {
    apiVersion: `${group}/${stored?.name}`,
    kind: names.kind,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  };
}
