import type { ConditionUpdate } from '../../api/conditions.ts';
import type { MemberState, MemberStatus } from '../../api/mesh-operator-status.ts';
import { isMember } from './decide-members.ts';

export const tenancyConditionType = 'TenancyReady';

const maxNamed = 5;

/** Why a namespace is no member, as what follows its name; a state that is missing is nobody's mistake. */
const obstacles: Readonly<Partial<Record<MemberState, string>>> = {
  Missing: 'does not exist',
  NoConsent: 'does not carry the label meshoperator.dev/tenant of this tenant',
  OtherTenant: 'belongs to another tenant',
  OtherRevision: 'has another control plane in its label istio.io/rev, which is left as it is',
  InjectionLabel: 'has the label istio-injection, which counts before istio.io/rev: have it removed',
  SystemNamespace: "is Kubernetes' own",
  ControlPlane: 'has a MeshOperator of its own',
  Operator: 'is where the operator runs',
};

/** Whether every namespace that the tenant wants is a member. */
export function tenancyCondition(
  members: readonly MemberStatus[],
): Omit<ConditionUpdate, 'observedGeneration'> {
  const type = tenancyConditionType;
  const refused = members.filter(({ state }) => obstacles[state] !== undefined);
  if (refused.length > 0) {
    const named = refused
      .slice(0, maxNamed)
      .map(({ namespace, state }) => `namespace ${namespace} ${obstacles[state]}`);
    const more = refused.length > maxNamed ? `; and ${refused.length - maxNamed} more` : '';
    return { type, status: 'False', reason: 'MembersRefused', message: `${named.join('; ')}${more}` };
  }
  const moving = members.filter(({ state }) => state === 'Enrolling' || state === 'Leaving');
  if (moving.length > 0) {
    const named = moving.slice(0, maxNamed).map(({ namespace }) => namespace);
    return { type, status: 'False', reason: 'Progressing', message: `Under way: ${named.join(', ')}` };
  }
  const count = members.filter(isMember).length;
  const message = `${count} ${count === 1 ? 'namespace is a member' : 'namespaces are members'}`;
  return { type, status: 'True', reason: 'MembersEnrolled', message };
}
