import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedAllowance } from '../../api/resolved-tenancy.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';

/**
 * What lets proxies of members know the hosts outside that their tenant allows: a ServiceEntry for each in the namespace of the
 * control plane, which nobody but members sees. Nothing for a mesh without tenancy.
 */
export function renderTenantEgress(
  mesh: ResolvedMesh,
  context: RenderContext,
  members: readonly string[],
): KubernetesObject[] {
  return (mesh.tenancy?.egress ?? []).map((allowance) =>
    renderObject('security/40-service-entry', {
      metadata: objectMetadata(mesh, context, {
        ...{ name: allowance.host, namespace: mesh.namespace },
        component: 'tenancy',
      }),
      host: allowance.host,
      ...placeOf(allowance),
      ports: allowance.ports.map(({ port, protocol }) => ({
        ...{ number: port, protocol },
        name: `${protocol.toLowerCase()}-${port}`,
      })),
      exportTo: ['.', ...members],
    }),
  );
}

/** What has a name in what is sent goes where DNS has that name, whatever address the caller took; other TCP goes by address alone. */
function placeOf({ ports, cidrs }: ResolvedAllowance) {
  return ports.some(({ protocol }) => protocol === 'TCP')
    ? { resolution: 'NONE', addresses: cidrs }
    : { resolution: 'DNS', addresses: [] };
}
