import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import type { RequestName } from '../pki/rotation-request.ts';
import { authorityOf } from './authority-of.ts';
import { rotationObstacles } from './rotation-obstacles.ts';

/** The value of annotation `meshoperator.dev/rotate`: the time, in whole seconds, makes it another request. */
export function requestText(name: RequestName, now: Date): string {
  return `${name}/${now.toISOString().slice(0, 19)}Z`;
}

/** Why this is not asked for now, as a sentence that says what to do instead; undefined when it may be. */
export function requestRefusal(
  name: RequestName,
  object: KubernetesObject,
  mesh: ResolvedMesh,
  now: Date,
): string | undefined {
  return rotationObstacles(object, mesh, now)[0] ?? unfitRequest(name, object, mesh, now);
}

function unfitRequest(
  name: RequestName,
  object: KubernetesObject,
  { authority }: ResolvedMesh,
  now: Date,
): string | undefined {
  const end = authorityOf(object).certificateAuthority?.root.current.notAfter ?? '';
  const hasEnded = Date.parse(end) <= now.getTime();
  if (name === 'Recovery') {
    return hasEnded
      ? undefined
      : `The root is valid until ${end}, and only one that has ended is recovered: ask with --root`;
  }
  // No proxy gets a certificate under it any more, so none could be seen where a phase wants it.
  if (hasEnded) return `The root has ended on ${end}, so no gate would open: ask with --recover`;
  // What was made would at once be replaced by what the Secret holds.
  if (authority.provider === 'PluggedIn' && name !== 'intermediate') {
    return `The root is that of Secret ${authority.secretName}: put the new material there, and the mesh is taken to it`;
  }
  return undefined;
}
