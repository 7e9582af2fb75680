import { z } from 'zod';

const conditionSchema = z.strictObject({
  type: z.string().max(316).describe('Subject of the statement.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().min(1).max(1024).describe('One word that says why.'),
  message: z.string().max(32768).describe('A sentence for a person.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .meta({ format: 'int64' })
    .describe('Spec generation it speaks of.'),
  lastTransitionTime: z
    .string()
    .meta({ format: 'date-time' })
    .describe('When `status` last changed, in whole seconds.'),
});

const objectIdSchema = z.strictObject({
  apiVersion: z.string().describe('API version it was applied with.'),
  kind: z.string().describe('Its kind.'),
  namespace: z.string().optional().describe('Its namespace; absent for cluster-scoped kinds.'),
  name: z.string().describe('Its name.'),
});

const gatewayStatusSchema = z.strictObject({
  name: z.string().describe('Name of the gateway.'),
  namespace: z.string().describe('Its namespace.'),
  addresses: z.array(z.string()).describe('IP addresses or host names under which it is reached.'),
});

const revisionStatusSchema = z.strictObject({
  name: z.string().describe('Name of the revision; `default` for the one without a name.'),
  version: z.string().describe('Istio version it runs.'),
});

const revisionUseSchema = z.strictObject({
  name: z.string().describe('Name of the revision; `default` for the one without a name.'),
  pods: z.int().min(0).describe('How many pods have a proxy that follows it, gateways included.'),
  namespaces: z
    .array(z.string())
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Where they are: the first hundred namespaces.'),
});

const dataPlaneStatusSchema = z.strictObject({
  barePods: z.int().min(0).describe('Pods that should have a sidecar and have none.'),
  outdatedPods: z.int().min(0).describe('Pods whose sidecar is older than the control plane.'),
  revisions: z
    .array(revisionUseSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe('Which revisions the proxies follow. Counts are up to a minute old.'),
  examples: z
    .array(z.string())
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Namespace and name of up to ten pods without the sidecar that they should have.'),
});

const authorityCertificateSchema = z.strictObject({
  serial: z.string().describe('Serial number, hexadecimal.'),
  fingerprint: z.string().describe('SHA-256 of the certificate, hexadecimal.'),
  notAfter: z.string().meta({ format: 'date-time' }).describe('When it ends.'),
});

const authoritySlotsSchema = z.strictObject({
  current: authorityCertificateSchema.describe('What is in use.'),
  next: authorityCertificateSchema.optional().describe('What takes its place, while that is under way.'),
  previous: authorityCertificateSchema
    .optional()
    .describe('What it took the place of, until that is dropped.'),
});

const rotationFields = {
  kind: z
    .enum(['root', 'intermediate'])
    .describe('What is replaced: the root with its intermediate, or only the latter.'),
  reason: z
    .enum(['Schedule', 'Threshold', 'Requested', 'KeyCompromise', 'Replaced', 'Recovery'])
    .describe('Why.'),
  startedAt: z.string().meta({ format: 'date-time' }).describe('When it began.'),
};

const dueSchema = z.strictObject({
  at: z.string().meta({ format: 'date-time' }).describe('When it is due.'),
  reason: z.enum(['Schedule', 'Threshold']).describe('Why it is then.'),
});

const trustMemberSchema = z.strictObject({
  clusterName: z.string().describe('Its name.'),
  trustsRoot: z
    .boolean()
    .describe('Whether everybody in it was seen to trust the root that certificates here are issued by.'),
  isTrusted: z.boolean().describe('Whether everybody here was seen to trust its roots.'),
  absentSince: z.string().meta({ format: 'date-time' }).optional().describe('Since when it cannot be asked.'),
  message: z.string().optional().describe('Why nothing new is known of it.'),
});

const trustFollowerSchema = trustMemberSchema.omit({ isTrusted: true });

const certificateAuthorityStatusSchema = z.strictObject({
  phase: z
    .enum(['Stable', 'Trusting', 'Signing', 'Distrusting'])
    .describe(
      '`Stable`, or where a rotation is: everybody learns the next root; certificates are issued by the next intermediate; the previous root is dropped.',
    ),
  root: authoritySlotsSchema.describe('Roots that the mesh trusts.'),
  intermediate: authoritySlotsSchema.describe('Certificates that istiod signs with.'),
  rotation: z
    .strictObject({
      ...rotationFields,
      phaseSince: z.string().meta({ format: 'date-time' }).describe('When the phase began.'),
    })
    .optional()
    .describe('The rotation that is under way.'),
  waitingFor: z
    .array(z.string())
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe(
      'What keeps the phase from ending, or roots of other clusters from being exchanged: up to ten of them.',
    ),
  members: z
    .array(trustMemberSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['clusterName'] })
    .describe('The other clusters that roots are exchanged with.'),
  followers: z
    .array(trustFollowerSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['clusterName'] })
    .describe('The other clusters whose proxies follow the istiod of this one.'),
  proxies: z
    .strictObject({
      total: z.int().min(0).describe('Proxies that run.'),
      done: z.int().min(0).describe('Those that were seen to be where the phase wants them.'),
    })
    .optional()
    .describe('How far the phase has come.'),
  lastRotation: z
    .strictObject({
      ...rotationFields,
      finishedAt: z.string().meta({ format: 'date-time' }).describe('When it ended.'),
      seconds: z
        .number()
        .describe('How long it took; after a compromise this is how long the old key could still be used.'),
    })
    .optional()
    .describe('The rotation that ended last.'),
  nextRotation: z
    .strictObject({
      root: dueSchema.optional().describe('Of the root.'),
      intermediate: dueSchema.optional().describe('Of the intermediate.'),
    })
    .optional()
    .describe('When the next rotations are due.'),
});

const trustBundleStatusSchema = z.strictObject({
  configMap: z.string().describe('Namespace and name of the ConfigMap that they are in.'),
  roots: z
    .array(authorityCertificateSchema)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The roots, in their order.'),
});

const retiredRevisionSchema = z.strictObject({
  revision: z.string().describe('Its name.'),
  unusedSince: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('Since when no proxy follows it. Absent while one does.'),
});

/** Where an upgrade is. */
export const upgradePhases = [
  ...(['Complete', 'Installing', 'Moving', 'MovingGateways', 'Finishing'] as const),
  ...(['Paused', 'RollingBack', 'RolledBack'] as const),
] as const;

const upgradeStatusSchema = z.strictObject({
  phase: z
    .enum(upgradePhases)
    .describe(
      '`Complete`, or where the upgrade is: the new control plane is installed, namespaces move to it wave by wave, gateways do, the tags do; or it has failed, and is held or goes back.',
    ),
  since: z.string().meta({ format: 'date-time' }).describe('When the phase, or its wave, began.'),
  active: z.string().optional().describe('Revision that the tags mean, but for namespaces that have moved.'),
  target: z.string().optional().describe('Revision that the spec asks for.'),
  gateways: z.string().optional().describe('Revision that gateways follow.'),
  wave: z.int().min(0).optional().describe('The wave that moves, counted from 1.'),
  waves: z.int().min(0).optional().describe('How many there are.'),
  wellSince: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('Since when every proxy of the wave is well.'),
  moved: z
    .array(z.string())
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Namespaces in which the tags mean the target.'),
  failure: z.string().optional().describe('What the last step waited for in vain.'),
  failedGeneration: z
    .int()
    .min(0)
    .optional()
    .meta({ format: 'int64' })
    .describe('Generation of the spec whose upgrade failed; another one is tried anew.'),
  waitingFor: z
    .array(z.string())
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('What the phase waits for: up to ten of them.'),
  retired: z
    .array(retiredRevisionSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['revision'] })
    .describe('Revisions that go once nothing has used them for the grace period.'),
});

const driftRecordSchema = z.strictObject({
  object: z.string().describe('Kind, namespace and name of the object.'),
  path: z.string().describe('The field; empty for the whole object.'),
  manager: z.string().optional().describe('Field manager that changed it, where the API server knows.'),
  action: z
    .enum(['SetBack', 'Recreated', 'LeftAlone'])
    .describe(
      'What was done: the field was set back, the object made again, or the field left to the other one.',
    ),
  times: z.int().min(1).describe('How often in a row, with less than ten minutes between.'),
  lastAt: z.string().meta({ format: 'date-time' }).describe('When last.'),
});

const specRecordSchema = z.strictObject({
  name: z.string().describe('The ControllerRevision that keeps it.'),
  generation: z.int().min(0).meta({ format: 'int64' }).describe('Generation that had it last.'),
  version: z.string().describe('Istio version that it asked for.'),
  readyAt: z.string().meta({ format: 'date-time' }).describe('When the mesh became Ready in it.'),
});

const ignoredObjectSchema = z.strictObject({
  object: z.string().describe('Kind, namespace and name of the object.'),
  reason: z.string().describe('Why, as annotation `meshoperator.dev/ignore` says.'),
  until: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When it ends by itself (`meshoperator.dev/ignore-until`).'),
});

const adoptedObjectSchema = z.strictObject({
  object: z.string().describe('Kind, namespace and name of the object.'),
  keeps: z
    .enum(['PodTemplate', 'Object'])
    .describe(
      '`PodTemplate`: a Deployment whose pods are as its former installer has them, until a change of the spec makes them anew, or its annotation `meshoperator.dev/kept-template` is removed. `Object`: what only such pods use; it goes with the last of them.',
    ),
});

/** What a namespace is to a tenant. */
export const memberStates = [
  ...(['Enrolled', 'Enrolling', 'Leaving', 'Missing', 'NoConsent', 'OtherTenant'] as const),
  ...(['NotSelected', 'OtherRevision', 'InjectionLabel', 'SystemNamespace', 'ControlPlane'] as const),
  ...(['Operator'] as const),
] as const;

const memberSchema = z.strictObject({
  namespace: z.string().describe('Its name.'),
  state: z
    .enum(memberStates)
    .describe('`Enrolled`, or on the way there or back; anything else says why it is no member.'),
  since: z.string().meta({ format: 'date-time' }).describe('Since when.'),
});

const mtlsStatusSchema = z.strictObject({
  inForce: z
    .array(z.string())
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe(
      'Where mutual TLS alone is taken, of the places that the spec names: `*` for the whole mesh, a namespace, and with its labels a workload, and its port.',
    ),
  waiting: z
    .array(z.string())
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Where the spec asks for that, and plaintext is taken still.'),
  waitsSince: z.string().meta({ format: 'date-time' }).optional().describe('Since when something waits.'),
  callers: z
    .array(
      z.strictObject({
        from: z
          .string()
          .optional()
          .describe('Namespace and name of the workload that calls; absent where it has no proxy.'),
        to: z.string().describe('Namespace and name of the workload that is called.'),
        count: z.int().min(1).describe('Requests and connections in the window, as Prometheus estimates it.'),
      }),
    )
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Who calls in plaintext where something waits: the twenty busiest.'),
});

/** Where another cluster stands. */
export const remoteStates = ['Ready', 'Progressing', 'Degraded', 'Unreachable', 'Refused'] as const;

const remoteStatusSchema = z.strictObject({
  clusterName: z.string().describe('Its name.'),
  state: z
    .enum(remoteStates)
    .describe(
      '`Ready`: istiod reads it. `Progressing`: on the way there. `Degraded`: istiod reads it, and something is wrong. `Unreachable`: its API server does not answer; what istiod has of it stays. `Refused`: it cannot be part of the mesh as it is.',
    ),
  since: z.string().meta({ format: 'date-time' }).describe('Since when it is in this state.'),
  reason: z.string().describe('One word on why.'),
  message: z.string().describe('A sentence on why, and what to do.'),
  kubernetesVersion: z.string().optional().describe('Version of its API server.'),
  credential: z
    .strictObject({
      issuedAt: z.string().meta({ format: 'date-time' }).describe('When it was issued.'),
      expiresAt: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('When it ends. Absent: it has no end.'),
      renewAt: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('When it is replaced. Absent: when somebody asks.'),
    })
    .optional()
    .describe('What istiod reads it with.'),
});

/** One word on the whole mesh, for a printer column. */
export const meshStates = ['Ready', 'Reconciling', 'Stalled', 'Paused', 'Deleting'] as const;

/** What is true of a mesh. Written by the operator alone. */
export const meshOperatorStatusSchema = z.strictObject({
  observedGeneration: z
    .int()
    .min(-1)
    .optional()
    .meta({ format: 'int64' })
    .describe('Spec generation that the rest of the status speaks of; -1 before the operator has seen one.'),
  state: z.enum(meshStates).optional().describe('One word on the whole mesh.'),
  version: z.string().optional().describe('Istio patch version that the spec resolves to.'),
  revision: z
    .string()
    .optional()
    .describe('Revision of the control plane; `default` for the one without a name.'),
  conditions: z
    .array(conditionSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('Statements on the mesh; see the table of conditions.'),
  inventory: z
    .array(objectIdSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Every object that was created for this mesh, kept to remove what is no longer wanted.'),
  drift: z
    .array(driftRecordSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('What others have changed of the mesh, and what was done about it: the last twenty.'),
  ignored: z
    .array(ignoredObjectSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Objects that are left as they are, since their annotation says so.'),
  history: z
    .array(specRecordSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe(
      'Specs in which the mesh has been Ready, the last first: `mesh-operator rollback` returns to one.',
    ),
  adopted: z
    .array(adoptedObjectSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('What is still as another installer has made it, so that no pod is made anew.'),
  members: z
    .array(memberSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Namespaces of the tenant, and up to fifty that are wanted or say so and are no members.'),
  mtls: mtlsStatusSchema
    .optional()
    .describe('How far mutual TLS has come. Absent without `spec.security.mtls.migration`.'),
  gateways: z
    .array(gatewayStatusSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['namespace', 'name'] })
    .describe('Gateways and how they are reached.'),
  revisions: z
    .array(revisionStatusSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe('Revisions that are installed.'),
  dataPlane: dataPlaneStatusSchema
    .optional()
    .describe('Pods that a person should know of. Absent when the mesh has no injector.'),
  upgrade: upgradeStatusSchema
    .optional()
    .describe('How far another version has come. Absent where `spec.upgrade` asks for nothing.'),
  remotes: z
    .array(remoteStatusSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['clusterName'] })
    .describe('The other clusters of the mesh.'),
  certificateAuthority: certificateAuthorityStatusSchema
    .optional()
    .describe('Who signs the certificates of the mesh. Absent when istiod does so by itself.'),
  trustBundle: trustBundleStatusSchema
    .optional()
    .describe(
      'Roots of an authority that somebody else keeps and rotates. Absent when the mesh has none such.',
    ),
});

export type MeshOperatorStatus = z.infer<typeof meshOperatorStatusSchema>;
export type MeshState = (typeof meshStates)[number];
export type Condition = z.infer<typeof conditionSchema>;
export type GatewayStatus = z.infer<typeof gatewayStatusSchema>;
export type RevisionUse = z.infer<typeof revisionUseSchema>;
export type DataPlaneStatus = z.infer<typeof dataPlaneStatusSchema>;
export type TrustMemberStatus = z.infer<typeof trustMemberSchema>;
export type TrustFollowerStatus = z.infer<typeof trustFollowerSchema>;
export type CertificateAuthorityStatus = z.infer<typeof certificateAuthorityStatusSchema>;
export type TrustBundleStatus = z.infer<typeof trustBundleStatusSchema>;
export type UpgradeStatus = z.infer<typeof upgradeStatusSchema>;
export type UpgradePhase = (typeof upgradePhases)[number];
export type DriftRecord = z.infer<typeof driftRecordSchema>;
export type SpecRecord = z.infer<typeof specRecordSchema>;
export type IgnoredObject = z.infer<typeof ignoredObjectSchema>;
export type AdoptedObject = z.infer<typeof adoptedObjectSchema>;
export type MtlsStatus = z.infer<typeof mtlsStatusSchema>;
export type MemberStatus = z.infer<typeof memberSchema>;
export type MemberState = (typeof memberStates)[number];
export type RemoteStatus = z.infer<typeof remoteStatusSchema>;
export type RemoteState = (typeof remoteStates)[number];
export type RevisionStatus = z.infer<typeof revisionStatusSchema>;
