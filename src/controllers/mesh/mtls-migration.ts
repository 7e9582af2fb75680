import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus, MtlsStatus } from '../../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedMigration } from '../../api/resolved-security.ts';
import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import { names } from '../../injection/annotation-names.ts';
import type { Pod } from '../../injection/pod.ts';
import { inferWorkload } from '../../injection/workload-owner.ts';
import { queryPrometheus } from '../../observability/prometheus-query.ts';
import { ObjectMemory } from '../../runtime/object-memory.ts';
import { decideMtls, type MtlsDecision, mtlsInput, type ObservedPeers } from './decide-mtls.ts';
import {
  type KnownCallers,
  type PlaintextQuestion,
  plaintextQuery,
  readCallers,
} from './plaintext-callers.ts';

export interface MtlsMigrationDeps {
  readonly clock: Clock;
  /** Every pod of a namespace, as a cache knows it. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

/** What was decided, and when to ask again. */
export interface MtlsStep {
  readonly decision: MtlsDecision;
  /** True when something comes into force by this step, or begins to wait. */
  readonly isMoving: boolean;
  /** Milliseconds; undefined when nothing waits. */
  readonly againInMs: number | undefined;
}

/** An answer, and to what. */
interface Answer {
  readonly question: string;
  readonly atMs: number;
  readonly known: KnownCallers;
}

/** Who calls in plaintext is asked again after a tenth of the window, within these bounds. */
const leastIntervalMs = 5_000;
const mostIntervalMs = 60_000;

/**
 * Lets mutual TLS alone come into force where nobody calls in plaintext (`decideMtls`). A Prometheus is asked while
 * something waits, at an interval whatever wakes passes in between; what it has answered is all that is remembered, so who comes
 * after a crash asks once more.
 */
export class MtlsMigration {
  readonly #deps: MtlsMigrationDeps;
  readonly #answers = new ObjectMemory<{ last?: Answer }>(() => ({}));

  constructor(deps: MtlsMigrationDeps) {
    this.#deps = deps;
  }

  /** The next step of a mesh; undefined for one without a migration. Throws for an abort alone. */
  async step(
    mesh: KubernetesObject,
    resolved: ResolvedMesh,
    observed: ObservedPeers,
    signal: AbortSignal,
  ): Promise<MtlsStep | undefined> {
    const input = mtlsInput(resolved, observed, {
      before: (mesh.status as MeshOperatorStatus | undefined)?.mtls,
      podsOf: (namespace, workload) => this.#podsOf(namespace, workload),
      now: this.#deps.clock.now(),
    });
    if (input === undefined) return undefined;
    const { migration } = input;
    const isMoving = ({ status }: MtlsDecision) => progressText(status) !== progressText(input.before);
    const first = decideMtls(input);
    if (first.ask === undefined) {
      return { decision: first, isMoving: isMoving(first), againInMs: undefined };
    }
    const { atMs, known } = await this.#answer(
      mesh,
      first.ask,
      first.status.waiting ?? [],
      migration,
      signal,
    );
    const decision = decideMtls({ ...input, known });
    const leftMs = Math.max(0, intervalMs(migration) - (this.#deps.clock.monotonicMs() - atMs));
    return {
      ...{ decision, isMoving: isMoving(decision) },
      againInMs: decision.status.waiting === undefined ? undefined : leftMs,
    };
  }

  /** Forgets a mesh that is gone. */
  forget(key: ObjectKey): void {
    this.#answers.forget(key);
  }

  async #answer(
    mesh: KubernetesObject,
    asked: PlaintextQuestion,
    waiting: readonly string[],
    migration: ResolvedMigration,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { clock } = this.#deps;
    const memory = this.#answers.of(mesh);
    const question = stableJson({ ...asked, waiting, prometheus: migration.prometheus });
    const { last } = memory;
    if (last?.question === question && clock.monotonicMs() - last.atMs < intervalMs(migration)) return last;
    const known = await askForCallers(migration.prometheus, asked, signal);
    memory.last = { question, known, atMs: clock.monotonicMs() };
    return memory.last;
  }

  #podsOf(namespace: string, workload: string): Readonly<Record<string, string>>[] {
    return this.#deps
      .podsIn(namespace)
      .filter((pod) => workloadName(pod) === workload)
      .map(({ metadata }) => metadata.labels ?? {});
  }
}

function progressText({ inForce, waiting }: Partial<MtlsStatus> = {}): string {
  return stableJson({ inForce, waiting });
}

function intervalMs({ windowMs }: ResolvedMigration): number {
  return Math.min(mostIntervalMs, Math.max(leastIntervalMs, windowMs / 10));
}

/** The name by which a proxy counts (`ISTIO_META_WORKLOAD_NAME`). */
function workloadName(pod: KubernetesObject): string {
  return pod.metadata.labels?.[names.workloadName] || inferWorkload(pod as unknown as Pod).name;
}

async function askForCallers(
  address: string,
  question: PlaintextQuestion,
  signal: AbortSignal,
): Promise<KnownCallers> {
  const answer = await queryPrometheus(address, plaintextQuery(question), signal);
  if ('unknown' in answer) return { unknown: `${address} cannot be asked: ${answer.unknown}` };
  const known = readCallers(answer.samples);
  return 'unknown' in known ? { unknown: `${address} ${known.unknown}` } : known;
}
