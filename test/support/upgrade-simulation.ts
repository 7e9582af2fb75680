import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { UpgradeStatus } from '../../src/api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { decideUpgrade } from '../../src/controllers/data-plane/upgrade/decide-upgrade.ts';
import type {
  ObservedNamespace,
  ObservedProxy,
  ObservedUpgrade,
} from '../../src/controllers/data-plane/upgrade/observed-upgrade.ts';
import {
  hasNamespace,
  isNoNamespace,
  namespacesOf,
  scopeOf,
} from '../../src/render/revisions/namespace-set.ts';
import { planRevisions } from '../../src/render/revisions/plan-revisions.ts';
import { versionRevision } from '../../src/render/revisions/revision-spec.ts';
import { pick, type RandomNumbers } from './random.ts';

interface SimulatedPlane {
  scope: { namespaces?: string[]; exceptNamespaces?: string[] };
  /** What its webhooks select. */
  inForce: { namespaces?: string[]; exceptNamespaces?: string[] };
  isSettled: boolean;
}

interface SimulatedPod {
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly revision: string;
  isReady: boolean;
}

export interface SimulationOptions {
  readonly random: RandomNumbers;
  readonly mesh: (patch: string) => ResolvedMesh;
  readonly namespaces: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Versions whose proxies never get ready. */
  readonly bad: readonly string[];
  /** Versions whose control plane never gets ready. */
  readonly sick: readonly string[];
}

/**
 * A mesh with its control planes, namespaces and pods, in which whatever happens happens in any order: each controller
 * acts late, on what it sees then, pods start whenever they like, and what a process knows may be lost. Throws when a pod
 * starts without a webhook, or a workload has no ready pod left.
 */
export class UpgradeSimulation {
  readonly #options: SimulationOptions;
  readonly #planes = new Map<string, SimulatedPlane>();
  #pods: SimulatedPod[] = [];
  #patch: string;
  #generation = 1;
  #state: UpgradeStatus | undefined;
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  #gateway: string;
  /** By workload: the last restart that was ordered, and the pods that it replaces. */
  readonly #restarts = new Map<string, { readonly version: string; readonly old: ReadonlySet<string> }>();
  #count = 0;

  constructor(options: SimulationOptions, patch: string) {
    this.#options = options;
    this.#patch = patch;
    this.#gateway = this.#wanted;
    this.decide();
    this.render();
    for (const revision of this.#planes.keys()) this.settle(revision);
    for (const { name } of options.namespaces) {
      this.startPod(name, `${name}-a`);
      this.startPod(name, `${name}-b`);
    }
    for (const pod of this.#pods) pod.isReady = true;
  }

  get state(): UpgradeStatus | undefined {
    return this.#state;
  }

  get revisions(): string[] {
    return [...this.#planes.keys()].sort();
  }

  /** The revisions that pods follow. */
  get followed(): string[] {
    return [...new Set(this.#pods.map(({ revision }) => revision))].sort();
  }

  get gateway(): string {
    return this.#gateway;
  }

  get #mesh(): ResolvedMesh {
    return this.#options.mesh(this.#patch);
  }

  get #wanted(): string {
    return versionRevision(this.#mesh);
  }

  ask(patch: string): void {
    if (patch === this.#patch) return;
    this.#patch = patch;
    this.#generation += 1;
  }

  /** Something happens. */
  step(): void {
    const { random, namespaces } = this.#options;
    const action = pick(random, [
      'decide',
      'decide',
      'render',
      'settle',
      'unsettle',
      'pod',
      'pod',
      'pod',
      'ready',
      'gateway',
      'time',
      'scale',
    ]);
    const actions: Record<string, () => void> = {
      decide: () => this.decide(),
      render: () => this.render(),
      settle: () => this.settle(pick(random, this.revisions)),
      unsettle: () => this.#unsettle(pick(random, this.revisions)),
      pod: () => this.replacePod(),
      ready: () => this.ready(),
      gateway: () => this.moveGateway(),
      time: () => {
        this.#nowMs += Math.floor(random() * 120_000);
      },
      scale: () => this.#scale(pick(random, namespaces).name),
    };
    actions[action]?.();
  }

  /** Everybody gets a turn. */
  round(): void {
    this.decide();
    this.render();
    for (const revision of this.revisions) this.settle(revision);
    for (let count = 0; count < 8; count += 1) this.replacePod();
    this.ready();
    this.moveGateway();
    this.#nowMs += 5 * 60_000;
  }

  decide(): void {
    const decision = decideUpgrade({
      mesh: this.#mesh,
      generation: this.#generation,
      before: this.#state,
      observed: this.#observe(),
      now: new Date(this.#nowMs),
    });
    this.#state = decision.state;
    const isBack = decision.state?.phase === 'RollingBack';
    const towards = (isBack ? decision.state?.active : decision.state?.target) ?? '';
    for (const { name } of decision.restart) this.#restart(name, `${towards}/${decision.state?.since}`);
  }

  /** As the mesh controller does. */
  render(): void {
    const revisions = new Map(
      [...this.#planes].map(([revision, plane]) => [revision, { spec: {}, ...holdingOf(plane) }]),
    );
    const plan = planRevisions(this.#mesh, { upgrade: this.#state, revisions });
    for (const revision of plan.revisions) {
      const holding = plan.holdings.get(revision);
      const scope = (
        holding === undefined ? { namespaces: [] } : scopeOf(holding)
      ) as SimulatedPlane['scope'];
      const plane = this.#planes.get(revision);
      if (plane === undefined) {
        if (revision === plan.wanted)
          this.#planes.set(revision, { scope, inForce: { namespaces: [] }, isSettled: false });
      } else if (JSON.stringify(plane.scope) !== JSON.stringify(scope)) {
        plane.scope = scope;
        plane.isSettled = false;
      }
    }
    for (const revision of this.#planes.keys()) {
      if (plan.revisions.includes(revision)) continue;
      if (this.#pods.some((pod) => pod.revision === revision))
        throw new Error(`${revision} goes, and pods follow it`);
      if (this.#gateway === revision) throw new Error(`${revision} goes, and gateways follow it`);
      this.#planes.delete(revision);
    }
  }

  settle(revision: string): void {
    const plane = this.#planes.get(revision);
    if (plane === undefined) return;
    plane.inForce = plane.scope;
    plane.isSettled = !this.#options.sick.some((patch) => revision === patch.replaceAll('.', '-'));
  }

  startPod(namespace: string, workload: string): void {
    const chosen = [...this.#planes].filter(([, { inForce }]) =>
      hasNamespace(namespacesOf(inForce), namespace),
    );
    if (chosen.length === 0) throw new Error(`A pod of ${namespace} starts without a webhook`);
    const [revision] = pick(this.#options.random, chosen);
    this.#count += 1;
    this.#pods.push({ name: `pod-${this.#count}`, namespace, workload, revision, isReady: false });
  }

  /** A rolling update takes a step: one more pod, or one less, when another is ready. */
  replacePod(): void {
    if (this.#restarts.size === 0) return;
    const [workload, restart] = pick(this.#options.random, [...this.#restarts]);
    const pods = this.#pods.filter((pod) => pod.workload === workload);
    const old = pods.filter(({ name }) => restart.old.has(name));
    const fresh = pods.filter(({ name }) => !restart.old.has(name));
    if (old.length === 0) return;
    const unready = old.find(({ isReady }) => !isReady);
    // One more than before at most; which revision a new pod gets is the webhooks' business.
    if (fresh.length === 0 && pods.length < 2) this.startPod(pods[0]?.namespace ?? '', workload);
    else if (unready !== undefined) this.#pods = this.#pods.filter((pod) => pod !== unready);
    else if (pods.filter(({ isReady }) => isReady).length > 1)
      this.#pods = this.#pods.filter((pod) => pod !== old[0]);
    this.#check();
  }

  ready(): void {
    const isBad = (revision: string) =>
      this.#options.bad.some((patch) => revision === patch.replaceAll('.', '-'));
    for (const pod of this.#pods) pod.isReady ||= !isBad(pod.revision);
  }

  moveGateway(): void {
    const { gateways } = this.#state ?? {};
    if (gateways !== undefined && this.#planes.has(gateways)) this.#gateway = gateways;
  }

  /** The same version restarts a workload once: its pod template does not change any more. */
  #restart(workload: string, version: string): void {
    if (this.#restarts.get(workload)?.version === version) return;
    const pods = this.#pods.filter((pod) => pod.workload === workload);
    this.#restarts.set(workload, { version, old: new Set(pods.map(({ name }) => name)) });
  }

  #unsettle(revision: string): void {
    const plane = this.#planes.get(revision);
    if (plane !== undefined && this.#options.random() < 0.2) plane.isSettled = false;
  }

  /** One pod more, and one less, as a ReplicaSet does it: what is not ready goes first, and a ready one stays. */
  #scale(namespace: string): void {
    const workload = `${namespace}-a`;
    this.startPod(namespace, workload);
    const pods = this.#pods.filter((pod) => pod.workload === workload);
    const isSpare = pods.filter(({ isReady }) => isReady).length > 1;
    const extra = pods.find(({ isReady }) => !isReady || isSpare);
    this.#pods = this.#pods.filter((pod) => pod !== extra);
  }

  #observe(): ObservedUpgrade {
    const proxies = (namespace: string): ObservedProxy[] =>
      this.#pods
        .filter((pod) => pod.namespace === namespace)
        .map((pod) => ({
          pod: recordOf(pod),
          revision: pod.revision,
          isOutdated: false,
          isReady: pod.isReady,
        }));
    const gateway = {
      name: 'gateway',
      namespace: 'istio-system',
      workload: 'gateway',
      revision: this.#gateway,
      isReady: true,
    };
    return {
      revisions: new Map([...this.#planes].map(([revision, plane]) => [revision, holdingOf(plane)])),
      isMeshReady: true,
      namespaces: this.#options.namespaces.map(
        ({ name, labels }): ObservedNamespace => ({ name, labels, proxies: proxies(name) }),
      ),
      gateways: [{ pod: recordOf(gateway), revision: this.#gateway, isOutdated: false, isReady: true }],
      following: (revision) => this.#pods.filter((pod) => pod.revision === revision).length,
    };
  }

  #check(): void {
    for (const workload of new Set(this.#pods.map((pod) => pod.workload))) {
      if (!this.#pods.some((pod) => pod.workload === workload && pod.isReady)) {
        throw new Error(`${workload} has no ready pod left`);
      }
    }
  }
}

function holdingOf({ scope, inForce, isSettled }: SimulatedPlane) {
  const hasTagWebhooks = !isNoNamespace(namespacesOf(inForce));
  return { scope, isSettled, hasTagWebhooks };
}

function recordOf({ name, namespace, workload }: Omit<SimulatedPod, 'isReady'>): KubernetesObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: `${workload}-1`,
    uid: workload,
    controller: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace, generateName: `${workload}-1-` },
      labels: { 'pod-template-hash': '1' },
      ownerReferences: [owner],
    },
  };
}
