import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import { openRequest } from '../../pki/rotation-request.ts';
import type { Beginning, NewMaterial } from '../../pki/rotation-steps.ts';
import { newIntermediate } from './new-material.ts';
import type { PluggedMaterial } from './plugged-material.ts';

/** What a rotation must bring so that the authority is what the user has plugged in; undefined when it is, or while one is under way. */
export async function replacementOf(
  { phase, roots, intermediates }: AuthorityState,
  { root, intermediate }: PluggedMaterial,
  mesh: ResolvedMesh,
  now: Date,
): Promise<NewMaterial | undefined> {
  if (phase !== 'Stable') return undefined;
  const isSame = (a: { readonly certPem: string }, b: { readonly certPem: string }) =>
    factsOf(a.certPem).fingerprint === factsOf(b.certPem).fingerprint;
  const hasRoot = isSame(root, roots.current);
  if (intermediate === undefined) {
    return hasRoot
      ? undefined
      : { root, intermediate: await newIntermediate(root, mesh, now, intermediates.current) };
  }
  if (hasRoot) return isSame(intermediate, intermediates.current) ? undefined : { intermediate };
  return { root, intermediate };
}

/** Whoever has asked for a rotation and brings other material has the answer with it, as fast as it was asked for. */
export function replacedFor(request: string | undefined, state: AuthorityState): Beginning {
  const asked = openRequest(state, request);
  if (request === undefined || asked === undefined || asked === 'Recovery') return { reason: 'Replaced' };
  return { reason: asked === 'KeyCompromise' ? asked : 'Replaced', answers: request };
}
