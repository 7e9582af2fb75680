import type { ObjectId } from '../../api/kubernetes-object.ts';
import type {
  AdoptedObject,
  DriftRecord,
  GatewayStatus,
  IgnoredObject,
  MemberStatus,
  RevisionStatus,
  SpecRecord,
  UpgradeStatus,
} from '../../api/mesh-operator-status.ts';
import type { Pause } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { WaveName } from '../../render/wave.ts';
import type { Authorization } from './decide-authorization.ts';
import type { MtlsDecision } from './decide-mtls.ts';
import type { RemovalReport } from './mesh-remover.ts';
import type { Unhealthy } from './object-health.ts';

/** What one pass found of one wave. */
export interface WaveReport {
  readonly name: WaveName;
  /** True when its objects were applied in this pass, or were found as they should be. */
  readonly isApplied: boolean;
  /** Objects that are applied and do not work yet. */
  readonly unhealthy: readonly Unhealthy[];
}

/** Everything that one pass learned; the status is a pure function of it (`determineStatus`). */
export interface PassReport {
  /** Absent when the spec could not be resolved, or was not looked at. */
  readonly resolved?: ResolvedMesh;
  readonly pause?: Pause;
  /** Whether the author may do what the spec asks for; absent when the pass did not come to that. */
  readonly authorization?: Authorization | 'NotAsked';
  /** Where the upgrade is, for a mesh that has one. */
  readonly upgrade?: UpgradeStatus;
  /** Its control planes, where upgrades are `RevisionBased`. */
  readonly revisions?: readonly RevisionStatus[];
  readonly isDeleting: boolean;
  /** In the order of installation. */
  readonly waves: readonly WaveReport[];
  readonly gateways: readonly GatewayStatus[];
  /** Namespaces of a tenant, and others that are wanted or say so. */
  readonly members: readonly MemberStatus[];
  /** What of mutual TLS may be in force; absent without a migration, and when the pass did not come to that. */
  readonly mtls?: MtlsDecision;
  /** Objects that exist or may exist because of this mesh. */
  readonly inventory: readonly ObjectId[];
  /** Objects no longer wanted that are not gone yet. */
  readonly leaving: readonly ObjectId[];
  /** How far the removal of the mesh is, where that was looked at. */
  readonly removal?: RemovalReport;
  /** What was done about changes of others, the last first. */
  readonly drift: readonly DriftRecord[];
  /** Fights over fields that are left to somebody else. */
  readonly fights: readonly DriftRecord[];
  readonly ignored: readonly IgnoredObject[];
  /** Specs in which the mesh has been Ready, the last first. */
  readonly history: readonly SpecRecord[];
  /** What is still as another installer has made it. */
  readonly adopted: readonly AdoptedObject[];
  /** Why istiod may not start, as the trust controller has it (`trustTrouble`). */
  readonly trustTrouble?: string | undefined;
  /** What ended the pass early. */
  readonly error?: unknown;
}
