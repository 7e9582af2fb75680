import type { Condition } from '../api/mesh-operator-status.ts';

/** What a person can do, by the reason of a condition; for others the message says it. A test compares with the conditions. */
export const adviceByReason: Readonly<Record<string, string>> = {
  InvalidSpec:
    'correct the fields that the message names; "mesh-operator validate -f FILE" checks before you apply',
  AuthorNotAllowed:
    'grant the rights that the message names to whoever wrote the spec, or have somebody apply it who has them',
  AuthorUnknown: 'apply the MeshOperator once more, while the webhook of the operator is reached',
  RevisionConflict:
    'take out of this mesh what the message names, or give it another name there, or delete the MeshOperator that has it',
  OwnedByOther: 'give the gateway another name or namespace, or delete the MeshOperator that has it',
  ObjectExists: 'delete the object, or give the mesh or gateway another name',
  FieldConflict:
    'find out who changes the field ("manager" in status.drift) and stop it, or annotate the object with meshoperator.dev/ignore',
  ImmutableField: 'delete the object, and the operator makes it anew',
  UpgradePaused: 'look at what the step waited for, correct it or the spec: a changed spec is tried anew',
  UpgradeRolledBack:
    'look at what the step waited for, correct it or set spec.version: a changed spec is tried anew',
  Forbidden: "upgrade the operator's chart, whose roles belong to its version",
  Invalid:
    'correct the fields of the spec that lead to this object; "mesh-operator diff -f FILE" tells before you apply',
  RemovalBlocked:
    'have the owner of its finalizers let go of the object, or take them off; allow the deletion where a webhook or a policy refuses it',
  ProgressDeadlineExceeded: 'look at the pods of the workload: "kubectl describe pod", and its logs',
  NamespaceMissing: 'create the namespace, or change the spec',
  AddressPending:
    'wait for the load balancer, or set k8s.service.type of the gateway to ClusterIP or NodePort where there is none',
  NoReplica: "look at the injector's pods; until one is ready, pods start without a sidecar",
  Unreachable:
    'see that the API server reaches port 443 of the Service of the injector: network policies, firewalls',
  Blocked: 'look at what the rotation waits for: "mesh-operator ca status"',
  Expired: 'ask for "mesh-operator ca rotate NAME --recover"',
  MaterialRefused: 'check the Secret with "mesh-operator ca lint"',
  MaterialNeeded: 'put new material into the Secret that the message names',
  PlaintextCallers:
    'give the callers that are named a sidecar, or let spec.security.mtls name what they may call in plaintext; migration.onPlaintext: Ignore cuts them off',
  CallersUnknown:
    'see that the operator reaches the Prometheus of spec.security.mtls.migration and that it scrapes the proxies; migration.onPlaintext: Ignore asks nobody',
  BarePods:
    'restart the pods that are named: "kubectl rollout restart", or let spec.sidecarInjector evict them',
  OutdatedProxies: 'restart their workloads, or let spec.upgrade.restart do so in waves',
};

/** What to do about conditions that are not as they should be: each advice once, with what it is about. */
export function adviceFor(conditions: readonly Condition[]): string[] {
  const found = conditions
    .filter(({ type, status }) => (type === 'Stalled' ? status === 'True' : status === 'False'))
    .flatMap(({ reason }) => {
      const advice = adviceByReason[reason];
      return advice === undefined ? [] : [`${reason}: ${advice}`];
    });
  return [...new Set(found)];
}
