import { brotliDecompressSync } from 'node:zlib';
import packed from '../../generated/gateway-api-crds.json' with { type: 'json' };
import type { GatewayApiChannel } from '../api/gateway-api.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { managedByLabel, managedByValue } from '../api/labels.ts';

/**
 * The CRDs of the Gateway API, of the version that the newest Istio is built with. They belong to the cluster, and as a
 * rule to somebody else: whoever makes missing ones must neither change nor remove any.
 */
export function renderGatewayApiCrds(channel: GatewayApiChannel): readonly KubernetesObject[] {
  const text = brotliDecompressSync(Buffer.from(packed[channel], 'base64')).toString();
  return (JSON.parse(text) as KubernetesObject[]).map(({ apiVersion, kind, metadata, spec }) => ({
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      labels: { ...metadata.labels, [managedByLabel]: managedByValue },
      annotations: metadata.annotations ?? {},
    },
    spec,
  }));
}
