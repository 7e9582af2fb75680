import { claimedBundle } from '../../api/claims.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { waveNames } from '../../render/wave.ts';
import { enrolmentLabels } from './decide-members.ts';
import type { MemberNamespaces } from './member-namespaces.ts';
import type { MeshPass } from './mesh-pass.ts';
import type { ObservedWorld } from './observed-world.ts';

export interface TenantMembersDeps {
  readonly world: ObservedWorld;
  readonly namespaces: MemberNamespaces;
}

/** Takes namespaces into a tenant and lets them go, each step at the place of a pass where it harms nobody. */
export class TenantMembers {
  readonly #deps: TenantMembersDeps;

  constructor(deps: TenantMembersDeps) {
    this.#deps = deps;
  }

  /** Namespaces that are members no longer: their pods are followed no more before their rights and limits go. */
  async withdrawLeaving(pass: MeshPass, resolved: ResolvedMesh): Promise<void> {
    const { world, namespaces } = this.#deps;
    const { tenancy } = resolved;
    if (tenancy === undefined) return;
    for (const { object, state } of world.candidatesOf(resolved)) {
      if (state !== 'Leaving' || object === undefined || isWithdrawn(resolved, object)) continue;
      pass.log.info('Withdrawing member', { namespace: object.metadata.name });
      await namespaces.withdraw(object, tenancy.tenant, pass.signal);
    }
  }

  /** Once members have what they need, above all the right of istiod to write there: it asks once. */
  async enrol(pass: MeshPass, resolved: ResolvedMesh): Promise<void> {
    const { world, namespaces } = this.#deps;
    const { tenancy } = resolved;
    if (tenancy === undefined) return;
    const before = waveNames.slice(0, waveNames.indexOf('members') + 1);
    if (pass.waves.some(({ name, isApplied }) => before.includes(name) && !isApplied)) return;
    for (const { object, state } of world.candidatesOf(resolved)) {
      if (state !== 'Enrolling' || object === undefined) continue;
      pass.log.info('Enrolling member', { namespace: object.metadata.name });
      await namespaces.enrol(object, enrolmentLabels(resolved, tenancy), pass.signal);
    }
  }

  /** What is left of members that are none any more, when all that was made there is gone. */
  async release(pass: MeshPass, resolved: ResolvedMesh): Promise<void> {
    const { world, namespaces } = this.#deps;
    const kept = new Set(pass.leaving.map(({ namespace }) => namespace));
    for (const { object, state } of world.candidatesOf(resolved)) {
      if (state !== 'Leaving' || object === undefined || kept.has(object.metadata.name)) continue;
      await namespaces.release(object, claimedBundle(pass.mesh), pass.signal);
    }
  }
}

/** True where nothing is left to withdraw: somebody else's label of the same value stays. */
function isWithdrawn({ revision }: ResolvedMesh, { metadata }: KubernetesObject): boolean {
  return metadata.labels?.['istio.io/rev'] !== revision;
}
