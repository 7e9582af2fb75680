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
 * The istiod of another cluster under the name that proxies look for: a Service, and a slice with the IP addresses of each
 * family. A Service stands for one host name at most: the first, and only where there is no IP address. Nothing without
 * an address: somebody else has the Service then.
 */
export function renderRemoteIstiod(
  mesh: ResolvedMesh,
  context: RenderContext,
  addresses: readonly string[],
): KubernetesObject[] {
  const [externalName] = addresses;
  if (externalName === undefined) return [];
  const ipv6 = addresses.filter(isIPv6);
  const ipv4 = addresses.filter(isIPv4);
  const hasAddress = ipv6.length + ipv4.length > 0;
  const name = istiodName(mesh);
  const labels = { 'istio.io/rev': revisionLabel(mesh.revision) };
  return [
    renderObject('control-plane/30-service', {
      metadata: objectMetadata(mesh, context, { ...metadataOf(mesh, name), labels }),
      spec: { ports, ...(hasAddress ? {} : { type: 'ExternalName', externalName }) },
    }),
    ...renderSlice(mesh, context, { name, addressType: 'IPv4', addresses: ipv4 }),
    // Of another name, since the type of a slice never changes.
    ...renderSlice(mesh, context, { name: `${name}-ipv6`, addressType: 'IPv6', addresses: ipv6 }),
  ];
}

function renderSlice(
  mesh: ResolvedMesh,
  context: RenderContext,
  {
    name,
    addressType,
    addresses,
  }: { readonly name: string; readonly addressType: string; readonly addresses: readonly string[] },
): KubernetesObject[] {
  if (addresses.length === 0) return [];
  const labels = {
    'kubernetes.io/service-name': istiodName(mesh),
    // Whoever else makes slices leaves it alone.
    'endpointslice.kubernetes.io/managed-by': managedByValue,
  };
  return [
    renderObject('control-plane/32-endpoint-slice', {
      metadata: objectMetadata(mesh, context, { ...metadataOf(mesh, name), labels }),
      addressType,
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    }),
  ];
}

function metadataOf({ namespace }: ResolvedMesh, name: string) {
  return { name, namespace, component: 'istiod' };
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}

function isIPv4(address: string): boolean {
  return /^[0-9]+(\.[0-9]+){3}$/.test(address);
}
