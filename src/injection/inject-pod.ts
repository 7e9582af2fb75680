import { revisionLabel } from '../api/resolved-mesh.ts';
import { names } from './annotation-names.ts';
import { assertPod } from './assert-pod.ts';
import { orderContainers } from './container-order.ts';
import { decideInjection, type InjectionDecision } from './decide-injection.ts';
import { gatherFacts, type InjectionFacts } from './injection-facts.ts';
import type { InjectionInput } from './injection-input.ts';
import { diffJson, type PatchOperation } from './json-patch.ts';
import {
  findContainer,
  findProxy,
  initContainerName,
  type Pod,
  proxyContainerName,
  validationContainerName,
} from './pod.ts';
import { type PodFragment, renderFragment } from './pod-template-engine.ts';
import {
  type PreviousInjection,
  readPreviousInjection,
  readUserFragments,
  withoutPreviousInjection,
} from './previous-injection.ts';
import { rewriteProbes } from './probe-rewrite.ts';
import { announceSecurePort, mergePrometheus } from './prometheus-merge.ts';
import { strategicMerge } from './strategic-merge.ts';
import { holdsApplication, templateView } from './template-view.ts';
import { applyUserContainers, withProxyIn, withProxyInInit } from './user-containers.ts';
import { validateAnnotations } from './validate-annotations.ts';

/** The pod with its sidecar, and the JSON patch (RFC 6902) that leads there. Both share parts with the input. */
export interface InjectedPod {
  readonly pod: Pod;
  readonly patch: readonly PatchOperation[];
}

/** Decision and, for an injected pod, its result. */
export type InjectionOutcome =
  | Extract<InjectionDecision, { kind: 'skip' }>
  | (Extract<InjectionDecision, { kind: 'inject' }> & InjectedPod);

/**
 * Decides about a pod and injects it. Pure: the input stays as it is, and equal input gives equal output.
 * Throws PodRejectedError when the pod asks for something that cannot be, and TerminalError with reason
 * `InvalidTemplate` when a custom template of the mesh cannot be rendered.
 */
export function injectPod(input: InjectionInput): InjectionOutcome {
  assertPod(input.pod);
  const decision = decideInjection(input);
  return decision.kind === 'skip' ? decision : { ...decision, ...renderAsserted(input, decision.templates) };
}

/** The pod with the given templates applied, whatever its labels say. Throws as `injectPod`. */
export function renderInjected(input: InjectionInput, templates: readonly string[]): InjectedPod {
  assertPod(input.pod);
  return renderAsserted(input, templates);
}

function renderAsserted(input: InjectionInput, templates: readonly string[]): InjectedPod {
  validateAnnotations(input.pod);
  const previous = readPreviousInjection(input.pod);
  const kept = readUserFragments(input.pod);
  const facts = gatherFacts(input, withoutPreviousInjection(input.pod, previous, kept));
  const { merged, contributed } = mergeTemplates(input.pod, facts, templates, previous);
  const pod = editableCopy(merged);
  removeOutdated(pod, previous, contributed);

  applyUserContainers(pod, {
    original: input.pod,
    previous,
    kept,
    injected: {
      containers: namesIn(contributed, 'containers'),
      initContainers: namesIn(contributed, 'initContainers'),
    },
    isTproxy: facts.interceptionMode === 'TPROXY',
  });
  setCallEnvironment(pod, facts);
  mergePrometheus(pod, facts);
  announceSecurePort(pod, facts);
  rewriteProbes(pod, facts);
  writeMetadata(pod, contributed, facts);
  orderContainers(pod, { isProxyFirst: holdsApplication(facts) });
  return { pod, patch: diffJson(input.pod, pod) };
}

/** A copy whose metadata, spec and containers may get other fields; what is in these fields is shared. */
function editableCopy(pod: Pod): Pod {
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    metadata: { ...pod.metadata },
    spec: {
      ...pod.spec,
      containers: containers.map((container) => ({ ...container })),
      ...(Array.isArray(initContainers)
        ? { initContainers: initContainers.map((container) => ({ ...container })) }
        : {}),
    },
  };
}

/** What all templates together contributed. */
interface Contribution {
  readonly spec: Readonly<Record<string, unknown>>;
}

function mergeTemplates(
  original: Pod,
  facts: InjectionFacts,
  templates: readonly string[],
  previous: PreviousInjection | undefined,
): { merged: Pod; contributed: Contribution } {
  let merged = original;
  let contributed: PodFragment = {};
  for (const template of templates) {
    const rendered = renderFragment(template, facts.mesh.injection.templates, templateView(facts, template));
    const isNative = hasProxy(contributed, 'initContainers') || hasProxy(rendered, 'initContainers');
    const fragment = isNative ? withProxyInInit(rendered) : rendered;
    if (isNative) merged = withProxyIn(merged, 'initContainers', previous);
    else if (hasProxy(rendered, 'containers')) merged = withProxyIn(merged, 'containers', previous);
    contributed = contributed.spec === undefined ? fragment : strategicMerge(contributed, fragment);
    merged = strategicMerge(merged, fragment) as Pod;
  }
  return { merged, contributed: { spec: contributed.spec ?? {} } };
}

/** Containers that only an injector puts into pods. */
const injectorContainers: readonly string[] = [
  proxyContainerName,
  initContainerName,
  validationContainerName,
  'grpc-bootstrap-init',
];

/**
 * Takes away what an earlier injection put in and this one does not: a proxy that is no longer native, for one. Other
 * containers stay even if the status annotation names them: anybody can write one.
 */
function removeOutdated(pod: Pod, previous: PreviousInjection | undefined, contributed: Contribution): void {
  for (const list of ['containers', 'initContainers'] as const) {
    const outdated = injectorContainers.filter(
      (name) => previous?.[list].includes(name) === true && !namesIn(contributed, list).includes(name),
    );
    if (outdated.length === 0) continue;
    pod.spec[list] = (pod.spec[list] ?? []).filter(({ name }) => !outdated.includes(name));
  }
}

function hasProxy({ spec }: PodFragment, list: 'containers' | 'initContainers'): boolean {
  const containers = spec?.[list];
  return Array.isArray(containers) && findContainer(containers, proxyContainerName) !== undefined;
}

/** Cluster, network and whatever the caller asked for win over templates and over the pod's author. */
function setCallEnvironment(pod: Pod, { callEnvironment }: InjectionFacts): void {
  const proxy = findProxy(pod);
  if (proxy === undefined || callEnvironment.length === 0) return;
  const wanted = new Map(callEnvironment);
  const env = (proxy.env ?? []).map((entry) => {
    const value = wanted.get(entry.name);
    wanted.delete(entry.name);
    return value === undefined ? entry : { name: entry.name, value };
  });
  proxy.env = [...env, ...[...wanted].map(([name, value]) => ({ name, value }))];
}

function writeMetadata(pod: Pod, contributed: Contribution, { mesh, network }: InjectionFacts): void {
  if (network !== '') pod.metadata.labels = { ...pod.metadata.labels, [names.network]: network };
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [names.status]: JSON.stringify({
      initContainers: listed(contributed, 'initContainers'),
      containers: listed(contributed, 'containers'),
      volumes: listed(contributed, 'volumes'),
      imagePullSecrets: listed(contributed, 'imagePullSecrets'),
      revision: revisionLabel(mesh.revision),
    }),
    ...mesh.injection.injectedAnnotations,
  };
}

function listed(contributed: Contribution, list: string): string[] | null {
  const found = namesIn(contributed, list);
  return found.length === 0 ? null : found;
}

function namesIn({ spec }: Contribution, list: string): string[] {
  const items = spec[list];
  return Array.isArray(items) ? items.map((item: { name?: unknown }) => String(item.name)) : [];
}
