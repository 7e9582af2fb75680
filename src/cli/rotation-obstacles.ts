import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { rotateAnnotation } from '../api/labels.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { type Pause, pauseAt, pauseInForce } from '../api/pause.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { authorityOf } from './authority-of.ts';

/**
 * Why no rotation would begin now, as far as spec and status tell; sentences, empty when nothing is known to stand
 * against it. `mesh` is the object with its defaults filled in.
 */
export function rotationObstacles(object: KubernetesObject, mesh: ResolvedMesh, now: Date): string[] {
  const { enabled, provider, external, followed, paused } = mesh.authority;
  if (external !== undefined) {
    return [
      `The authority at ${external.address} issues the certificates of the mesh and rotates its roots; there is nothing that the operator could rotate`,
    ];
  }
  if (followed !== undefined) {
    return [
      'The mesh follows the istiod of another cluster, whose operator keeps the authority: ask for a rotation there',
    ];
  }
  if (!enabled) {
    return [
      provider === 'Istiod'
        ? 'Provider Istiod leaves the authority to istiod, and nothing is rotated: set spec.certificateAuthority.provider to SelfSigned to have it adopted'
        : 'The mesh has no control plane, and so no authority',
    ];
  }
  const { trustHealthy, certificateAuthority: authority } = authorityOf(object);
  if (trustHealthy?.reason === 'SharedAuthority') return [trustHealthy.message];
  const obstacles: string[] = [];
  const meshPause = pauseAt(object as unknown as MeshOperator, now);
  if (meshPause !== undefined) obstacles.push(pauseText('The mesh', 'spec.paused', meshPause));
  const pause = pauseInForce(paused, now);
  if (pause !== undefined) {
    obstacles.push(pauseText('The rotation', 'spec.certificateAuthority.rotation.paused', pause));
  }
  if (trustHealthy?.reason === 'AuthorityUnusable') obstacles.push(trustHealthy.message);
  if (authority === undefined) {
    const why = trustHealthy === undefined ? 'the operator has not seen the mesh yet' : trustHealthy.message;
    obstacles.push(`The mesh has no authority yet: ${why}`);
  } else if (authority.rotation !== undefined) {
    const { kind, reason } = authority.rotation;
    obstacles.push(
      `A rotation of the ${kind} (${reason}) is under way, in phase ${authority.phase}, and there are never two at once: see mesh-operator ca status`,
    );
  }
  return obstacles;
}

/** What else is wrong with the trust of a mesh that could begin a rotation; undefined when nothing is. */
export function trustTrouble(object: KubernetesObject): string | undefined {
  const { trustHealthy } = authorityOf(object);
  if (trustHealthy?.status !== 'False' || trustHealthy.reason === 'AuthorityUnusable') return undefined;
  const { reason, message } = trustHealthy;
  const isRequest = reason === 'UnknownRequest';
  return `${reason}: ${message}${isRequest ? `; a new request in ${rotateAnnotation} replaces it` : ''}`;
}

function pauseText(what: string, path: string, { reason, until }: Pause): string {
  const end = until === undefined ? '' : ` until ${until.toISOString()}`;
  return `${what} is paused${end} (${reason}): remove ${path}`;
}
