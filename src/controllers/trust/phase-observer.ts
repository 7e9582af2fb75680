import type { PodExec } from '../../kube/pod-exec.ts';
import type { TrustMetrics } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { isSoakDecisive } from '../../pki/decide-rotation.ts';
import { blockersBeforeProxies } from '../../pki/gates.ts';
import type { ObservedTrust } from '../../pki/observed-trust.ts';
import type { LoadedBundles } from './loaded-bundles.ts';
import { observeBundles } from './observe-bundles.ts';
import { observeProxies } from './observe-proxies.ts';
import { observeReplicas } from './observe-replicas.ts';
import type { PhaseMemories } from './phase-memories.ts';
import { proxiesOf, type TrustPass } from './trust-pass.ts';

export interface PhaseObserverDeps {
  readonly exec: PodExec;
  readonly metrics: TrustMetrics;
  readonly memories: PhaseMemories;
  readonly loaded: LoadedBundles;
}

/** Sees how far a cluster has followed what its authority is in. */
export class PhaseObserver {
  readonly #deps: PhaseObserverDeps;

  constructor(deps: PhaseObserverDeps) {
    this.#deps = deps;
  }

  /**
   * Proxies are asked only once every replica and every copy of the bundle is where it should be, each until it has been
   * seen where the phase wants it, and all of them once more when there was a soak and it is over.
   */
  async observe(
    pass: TrustPass,
    state: AuthorityState,
    openForMs: number | undefined,
  ): Promise<ObservedTrust> {
    const { exec, metrics, memories, loaded } = this.#deps;
    const { observed, context, mesh, policy, members, followers, now } = pass;
    const replicas = await observeReplicas(observed.replicas, exec, context.signal);
    const bundles = observeBundles(state, observed.rootConfigMaps, observed.webhooks);
    const seen = { replicas, bundles };
    metrics.failedQuestions(mesh, withProblem(replicas));
    if (blockersBeforeProxies(state, seen).length > 0) return seen;
    loaded.note(mesh.namespace, state);
    const memory = memories.of(mesh.namespace, state);
    const running = proxiesOf(pass).map((object) => ({
      object,
      uid: object.metadata.uid ?? '',
      pod: `${object.metadata.namespace}/${object.metadata.name}`,
    }));
    const isDecisive = isSoakDecisive({ state, policy, members, followers, now });
    const asked = memory.stillToAsk(running, isDecisive ? openForMs : undefined, policy.soakMs);
    const pods = asked.map(({ object }) => object);
    const proxies = await observeProxies(pods, signersOf(state), exec, context.signal);
    metrics.failedQuestions(mesh, withProblem(proxies));
    memory.noteAnswers(state, asked, proxies);
    return { ...seen, proxies };
  }
}

/** How many could not be asked. */
function withProblem(asked: readonly { readonly problem?: string }[]): number {
  return asked.filter(({ problem }) => problem !== undefined).length;
}

/** The intermediates that certificates of proxies may be of. */
function signersOf({ intermediates: { current, next, previous } }: AuthorityState) {
  return [current, next, previous].filter((slot) => slot !== undefined);
}
