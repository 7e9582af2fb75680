import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedByValue } from '../../api/labels.ts';
import { type JsonObject, type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { istiodName } from './names.ts';

const ports: readonly JsonObject[] = [
  { name: 'tcp-istiod', port: 15012, protocol: 'TCP', targetPort: 15012 },
  { name: 'tcp-webhook', port: 443, protocol: 'TCP', targetPort: 15017 },
];

/**
 * The istiod of another cluster under the name that proxies look for: a Service, and for an IP address the slice with that.
 * Nothing without an address: somebody else has the Service then.
 */
export function renderRemoteIstiod(
  mesh: ResolvedMesh,
  context: RenderContext,
  address: string,
): KubernetesObject[] {
  if (address === '') return [];
  const isIPv6 = address.includes(':');
  const isAddress = isIPv6 || /^[0-9]+(\.[0-9]+){3}$/.test(address);
  const name = istiodName(mesh);
  const metadata = { name, namespace: mesh.namespace, component: 'istiod' };
  const labels = { 'istio.io/rev': revisionLabel(mesh.revision) };
  const slice = {
    'kubernetes.io/service-name': name,
    // Whoever else makes slices leaves it alone.
    'endpointslice.kubernetes.io/managed-by': managedByValue,
  };
  return [
    renderObject('control-plane/30-service', {
      metadata: objectMetadata(mesh, context, { ...metadata, labels }),
      spec: { ports, ...(isAddress ? {} : { type: 'ExternalName', externalName: address }) },
    }),
    ...(isAddress
      ? [
          renderObject('control-plane/32-endpoint-slice', {
            metadata: objectMetadata(mesh, context, { ...metadata, labels: slice }),
            addressType: isIPv6 ? 'IPv6' : 'IPv4',
            address,
          }),
        ]
      : []),
  ];
}
