import { kindInfo } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

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
  await client.apply(crd, { fieldManager: 'test' }, never);
  await waitUntil(
    { what: 'the API server serves NetworkAttachmentDefinitions', limitMs: 60_000 },
    async () => {
      try {
        await client.list(kind, {}, never);
        return true;
      } catch {
        return false;
      }
    },
  );
}
