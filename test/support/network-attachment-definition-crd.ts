import { kindInfo } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { installCrds } from './install-crds.ts';

const kind = kindInfo('k8s.cni.cncf.io/v1', 'NetworkAttachmentDefinition');

/** The kind that Multus brings along, as far as the API server must know it. */
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'network-attachment-definitions.k8s.cni.cncf.io' },
  spec: {
    group: 'k8s.cni.cncf.io',
    scope: 'Namespaced',
    names: {
      kind: kind.kind,
      plural: kind.plural,
      singular: 'network-attachment-definition',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { config: { type: 'string' } } } },
          },
        },
      },
    ],
  },
};

/** Has the API server serve NetworkAttachmentDefinitions, as where Multus is installed. */
export async function installNetworkAttachmentDefinitions(client: KubeClient): Promise<void> {
  await installCrds(client, [crd]);
}
