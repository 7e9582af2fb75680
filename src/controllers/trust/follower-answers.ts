import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { answer, type FollowedBundle, followerBlockers, openStatement } from '../../pki/follower.ts';
import type { Blocker } from '../../pki/gates.ts';
import { trustStatementText } from '../../pki/trust-statement.ts';
import { observeProxies } from './observe-proxies.ts';
import type { OwnStatements } from './own-statement.ts';

export interface FollowerAnswersDeps {
  readonly clock: Clock;
  readonly exec: PodExec;
  readonly statements: OwnStatements;
}

/** What one pass has found. */
export interface FollowerReport {
  /** Proxies that hold up the answer. */
  readonly blockers: readonly Blocker[];
  /** Look again after this long, in milliseconds. */
  readonly againInMs?: number;
}

/** What one process remembers of a version that is not answered yet; losing it costs questions. */
interface Memory {
  readonly version: string;
  readonly sinceMs: number;
  /** Uids of proxies that were seen where the bundle wants them. */
  readonly done: Set<string>;
}

const leastWaitMs = 500;
const longestWaitMs = 5 * 60_000;

/**
 * Answers the cluster with the istiod: each version of its bundle, once every proxy here was seen to have followed. What is
 * answered costs no request.
 */
export class FollowerAnswers {
  readonly #deps: FollowerAnswersDeps;
  /** By control-plane namespace. */
  readonly #memories = new Map<string, Memory>();

  constructor(deps: FollowerAnswersDeps) {
    this.#deps = deps;
  }

  /** One pass; `meshes` are the MeshOperators of the namespace, and every namespace has the roots of the bundle. */
  async keep(
    meshes: readonly KubernetesObject[],
    mesh: ResolvedMesh,
    bundle: FollowedBundle,
    proxies: readonly KubernetesObject[],
    signal: AbortSignal,
  ): Promise<FollowerReport> {
    const { clock, exec, statements } = this.#deps;
    const own = mesh.clusterId;
    const before = statements.read(mesh, clock.now());
    const answered = answer(own, bundle);
    if (before !== undefined && trustStatementText(before) === trustStatementText(answered)) {
      this.#memories.delete(mesh.namespace);
      return { blockers: [] };
    }
    const open = openStatement(own, before, bundle);
    await statements.say(meshes, open, signal);
    if (bundle.version === '') return { blockers: [] };
    const memory = this.#memoryOf(mesh, bundle.version);
    const asked = proxies.filter(({ metadata: { uid = '' } }) => !memory.done.has(uid));
    const seen = await observeProxies(asked, signersOf(bundle), exec, signal);
    const blockers = followerBlockers(bundle, open, seen);
    if (blockers.length === 0) {
      await statements.say(meshes, answered, signal);
      return { blockers };
    }
    const held = new Set(blockers.map(({ what }) => what));
    for (const { metadata } of asked) {
      if (!held.has(`pod ${metadata.namespace}/${metadata.name}`)) memory.done.add(metadata.uid ?? '');
    }
    const ageMs = clock.monotonicMs() - memory.sinceMs;
    return { blockers, againInMs: Math.min(longestWaitMs, Math.max(leastWaitMs, ageMs / 10)) };
  }

  /** Of a namespace whose last MeshOperator has gone. */
  forget(namespace: string): void {
    this.#memories.delete(namespace);
  }

  #memoryOf({ namespace }: ResolvedMesh, version: string): Memory {
    const known = this.#memories.get(namespace);
    if (known?.version === version) return known;
    const memory = { version, sinceMs: this.#deps.clock.monotonicMs(), done: new Set<string>() };
    this.#memories.set(namespace, memory);
    return memory;
  }
}

function signersOf({ signerPem }: FollowedBundle) {
  return signerPem === '' ? [] : [{ certPem: signerPem }];
}
