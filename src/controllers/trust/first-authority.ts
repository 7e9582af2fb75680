import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { TerminalError } from '../../base/errors.ts';
import { secretTexts } from '../../kube/secret-data.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { readGivenMaterial } from '../../pki/given-material.ts';
import { type NewMaterial, orderedFrom } from '../../pki/rotation-steps.ts';
import { newIntermediate, newRoot } from './new-material.ts';
import type { ObservedMeshes } from './observed-meshes.ts';
import type { PluggedMaterial } from './plugged-material.ts';

/** The authority that a namespace begins with, and what to tell a person about it. */
export interface FirstAuthority {
  readonly state: AuthorityState;
  readonly reason: 'AuthorityAdopted' | 'AuthorityCreated';
  readonly message: string;
}

/**
 * What istiod signs with already stays in use: Secret `cacerts`, else what the user has plugged in, else what an istiod
 * has made for itself; a new root and intermediate only where there is nothing. Throws TerminalError with reason
 * `MaterialRefused` when what is there cannot be used.
 */
export async function firstAuthority(
  observed: ObservedMeshes,
  mesh: ResolvedMesh,
  plugged: PluggedMaterial | undefined,
  now: Date,
): Promise<FirstAuthority> {
  const { cacerts, istioCaSecret } = observed;
  if (cacerts !== undefined) return adopted(cacerts);
  if (plugged !== undefined) {
    const { root } = plugged;
    const intermediate = plugged.intermediate ?? (await newIntermediate(root, mesh, now));
    return {
      state: stable({ root, intermediate }),
      reason: 'AuthorityAdopted',
      message: `The authority is that of Secret ${mesh.namespace}/${mesh.authority.secretName}`,
    };
  }
  if (istioCaSecret !== undefined) return adopted(istioCaSecret);
  const root = await newRoot(mesh, now);
  return {
    state: stable({ root, intermediate: await newIntermediate(root, mesh, now) }),
    reason: 'AuthorityCreated',
    message: 'A root and an intermediate are made for the mesh',
  };
}

/** Whether an istiod signs with something already. */
export function signsAlready({ cacerts, istioCaSecret }: ObservedMeshes): boolean {
  return cacerts !== undefined || istioCaSecret !== undefined;
}

/** The authority that a namespace begins with when nothing is there and an issuer has signed its intermediate. */
export function firstOrdered(material: Required<NewMaterial>, issuer: string): FirstAuthority {
  return {
    state: { ...stable(material), ordered: orderedFrom(issuer, material) },
    reason: 'AuthorityCreated',
    message: `${issuer} has signed an intermediate for the mesh; the root is that of the issuer`,
  };
}

function adopted(secret: KubernetesObject): FirstAuthority {
  const { namespace, name } = secret.metadata;
  const material = readGivenMaterial(secretTexts(secret), { rootSigns: true });
  if (material.problem !== undefined || material.intermediate === undefined) {
    throw new TerminalError(
      `Secret ${namespace}/${name} cannot be adopted: ${material.problem ?? 'it holds no certificate to sign with'}. Repair it, or delete it to begin with a new authority`,
      { reason: 'MaterialRefused' },
    );
  }
  const { root, intermediate } = material;
  return {
    state: stable({ root, intermediate }),
    reason: 'AuthorityAdopted',
    message: `The authority of Secret ${namespace}/${name} stays in use`,
  };
}

function stable({
  root,
  intermediate,
}: {
  readonly root: AuthorityState['roots']['current'];
  readonly intermediate: AuthorityState['intermediates']['current'];
}): AuthorityState {
  return { phase: 'Stable', roots: { current: root }, intermediates: { current: intermediate } };
}
