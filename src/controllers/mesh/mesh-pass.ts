import { authorizationOf } from '../../api/authorization.ts';
import type { KubernetesObject, ObjectId, ObjectKey } from '../../api/kubernetes-object.ts';
import type {
  AdoptedObject,
  Condition,
  DriftRecord,
  GatewayStatus,
  MemberStatus,
  MeshOperatorStatus,
  RevisionStatus,
  SpecRecord,
  UpgradeStatus,
} from '../../api/mesh-operator-status.ts';
import { type Pause, pauseEndsInMs } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ReconcileContext } from '../../runtime/reconciler.ts';
import type { Adoption } from './adoption.ts';
import { type DriftLedger, leftForMs } from './drift-ledger.ts';
import type { RemovalReport } from './mesh-remover.ts';
import type { MtlsStep } from './mtls-migration.ts';
import type { ObservedWorld } from './observed-world.ts';
import type { PassReport, WaveReport } from './pass-report.ts';

/** What one pass has learned so far. */
export class MeshPass {
  mesh: KubernetesObject;
  readonly key: ObjectKey;
  readonly signal: AbortSignal;
  readonly log: ReconcileContext['log'];
  readonly isDeleting: boolean;
  /** In this generation, before the pass. */
  readonly wasComplete: boolean;
  readonly conditionsBefore: readonly Condition[];
  pause: PassReport['pause'];
  authorization: PassReport['authorization'];
  resolved: ResolvedMesh | undefined;
  mtls: MtlsStep | undefined;
  waves: WaveReport[] = [];
  readonly upgrade: UpgradeStatus | undefined;
  revisions: readonly RevisionStatus[] | undefined;
  gateways: readonly GatewayStatus[];
  /** Before the pass. */
  readonly members: readonly MemberStatus[];
  inventory: readonly ObjectId[];
  leaving: readonly ObjectId[] = [];
  removal: RemovalReport | undefined;
  drift: DriftLedger;
  history: readonly SpecRecord[];
  /** Fights over fields that were left to the other one. */
  readonly fights: DriftRecord[] = [];
  readonly ignored: (Pause & { readonly object: string })[] = [];
  adoption: Adoption | undefined;
  adopted: readonly AdoptedObject[];
  error: unknown;
  /** The finalizer is gone: nothing may be written any more. */
  isReleased = false;

  constructor(mesh: KubernetesObject, context: ReconcileContext) {
    const status = (mesh.status ?? {}) as MeshOperatorStatus;
    this.mesh = mesh;
    this.key = { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
    this.signal = context.signal;
    this.log = context.log;
    this.isDeleting = mesh.metadata.deletionTimestamp !== undefined;
    this.wasComplete =
      status.observedGeneration === mesh.metadata.generation && authorizationOf(mesh)?.status !== 'False';
    this.conditionsBefore = status.conditions ?? [];
    this.upgrade = status.upgrade;
    this.gateways = status.gateways ?? [];
    this.members = status.members ?? [];
    this.drift = status.drift ?? [];
    this.history = status.history ?? [];
    this.adopted = status.adopted ?? [];
    // The schema's optional fields may be undefined, those of an ObjectId may not; JSON has no undefined.
    this.inventory = (status.inventory ?? []) as ObjectId[];
  }

  replaceMesh(mesh: KubernetesObject, world: ObservedWorld): void {
    if (mesh === this.mesh) return;
    this.mesh = mesh;
    world.observeWrite(mesh);
  }

  adopt(adoption: Adoption): void {
    this.adoption = adoption;
    this.adopted = adoption.kept;
  }

  /** True once every wave was applied. */
  get isApplied(): boolean {
    return this.waves.every((wave) => wave.isApplied);
  }

  /** When something that holds now ends by itself. */
  endsInMs(now: Date): (number | undefined)[] {
    return [
      this.pause === undefined ? undefined : pauseEndsInMs(this.pause, now),
      ...this.fights.map((fight) => Math.max(0, leftForMs(fight, now))),
      ...this.ignored.map((ignored) => pauseEndsInMs(ignored, now)),
      this.mtls?.againInMs,
    ];
  }

  report(): Omit<PassReport, 'members'> {
    return {
      drift: this.drift,
      history: this.history,
      fights: this.fights,
      ignored: this.ignored.map(({ object, reason, until }) => ({
        ...{ object, reason },
        ...(until === undefined ? {} : { until: until.toISOString() }),
      })),
      adopted: this.adopted,
      isDeleting: this.isDeleting,
      waves: this.waves,
      gateways: this.gateways,
      inventory: this.inventory,
      leaving: this.leaving,
      ...(this.removal === undefined ? {} : { removal: this.removal }),
      ...(this.resolved === undefined ? {} : { resolved: this.resolved }),
      ...(this.mtls === undefined ? {} : { mtls: this.mtls.decision }),
      ...(this.pause === undefined ? {} : { pause: this.pause }),
      ...(this.authorization === undefined ? {} : { authorization: this.authorization }),
      ...(this.upgrade === undefined ? {} : { upgrade: this.upgrade }),
      ...(this.revisions === undefined ? {} : { revisions: this.revisions }),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }
}
