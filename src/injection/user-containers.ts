import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import {
  type Container,
  findContainer,
  findProxy,
  initContainerName,
  type Pod,
  proxyContainerName,
  validationContainerName,
} from './pod.ts';
import type { PodFragment } from './pod-template-engine.ts';
import type { PreviousInjection, UserFragments } from './previous-injection.ts';
import { strategicMerge } from './strategic-merge.ts';

/** The image by which a container says that it takes the injector's. */
const autoImage = 'auto';

interface UserContainersOptions {
  /** The pod as it was handed in. */
  readonly original: Pod;
  readonly previous: PreviousInjection | undefined;
  /** What an earlier injection kept. */
  readonly kept: UserFragments;
  /** Names of the containers that templates contributed. */
  readonly injected: { readonly containers: readonly string[]; readonly initContainers: readonly string[] };
  readonly isTproxy: boolean;
}

/**
 * Lets the author of a pod have the last word about containers of the injector: what they wrote for one of them is
 * merged over it once more, and kept in annotation `proxy.istio.io/overrides` for the next injection. Changes the pod.
 */
export function applyUserContainers(pod: Pod, options: UserContainersOptions): void {
  const fragments = findFragments(options);
  pod.spec.containers = withFragments(pod.spec.containers, fragments.containers);
  if (fragments.initContainers.length > 0) {
    pod.spec.initContainers = withFragments(pod.spec.initContainers ?? [], fragments.initContainers);
  }
  if (options.previous === undefined && fragments.containers.length + fragments.initContainers.length > 0) {
    pod.metadata.annotations = {
      ...pod.metadata.annotations,
      [names.overrides]: JSON.stringify(
        Object.fromEntries(Object.entries(fragments).filter(([, list]) => list.length > 0)),
      ),
    };
  }
  const proxy = [...fragments.containers, ...fragments.initContainers].find(
    ({ name }) => name === proxyContainerName,
  );
  if (isRecord(proxy?.securityContext)) alignUsers(pod, proxy.securityContext, options.isTproxy);
}

function withFragments(containers: readonly Container[], fragments: readonly Container[]): Container[] {
  return containers.map((container) => {
    const fragment = findContainer(fragments, container.name);
    return fragment === undefined ? container : (strategicMerge(container, fragment) as Container);
  });
}

function findFragments({ original, previous, kept, injected }: UserContainersOptions): UserFragments {
  const keptOf = (name: string) =>
    findContainer(kept.containers, name) ?? findContainer(kept.initContainers, name);
  // In whichever list: a proxy may have been native then and not be now.
  const wasInjected = (name: string) =>
    previous !== undefined && [...previous.containers, ...previous.initContainers].includes(name);
  const writtenOf = (name: string) =>
    wasInjected(name)
      ? undefined
      : (findContainer(original.spec.containers, name) ?? findContainer(original.spec.initContainers, name));
  const fragmentsOf = (list: 'containers' | 'initContainers') =>
    injected[list].flatMap((name) => {
      const fragment = keptOf(name) ?? writtenOf(name);
      if (fragment === undefined) return [];
      const theirs = withoutAutoImage(fragment);
      return [list === 'containers' ? withoutRestartPolicy(theirs) : theirs];
    });
  return { containers: fragmentsOf('containers'), initContainers: fragmentsOf('initContainers') };
}

function withoutAutoImage(fragment: Container): Container {
  const { image, ...rest } = fragment;
  return image === undefined || image === '' || image === autoImage ? rest : fragment;
}

/** Traffic of the proxy is told apart by its user, so the other containers must know the one that its author chose. */
function alignUsers(pod: Pod, securityContext: JsonObject, isTproxy: boolean): void {
  const { runAsUser, runAsGroup } = securityContext;
  if (runAsUser === undefined && runAsGroup === undefined) return;
  if (isTproxy && runAsUser !== undefined) setSecurityField(findProxy(pod), 'runAsUser', 0);
  const { initContainers } = pod.spec;
  const traffic =
    findContainer(initContainers, initContainerName) ??
    findContainer(initContainers, validationContainerName);
  if (traffic === undefined) return;
  if (!isTproxy && traffic.name === validationContainerName) {
    if (runAsUser !== undefined) setSecurityField(traffic, 'runAsUser', runAsUser);
    if (runAsGroup !== undefined) setSecurityField(traffic, 'runAsGroup', runAsGroup);
  }
  // Rules must not exempt root.
  if (typeof runAsUser !== 'number' || runAsUser === 0) return;
  const flag = traffic.args?.indexOf('-u') ?? -1;
  if (flag !== -1) traffic.args = traffic.args?.with(flag + 1, String(runAsUser)) ?? [];
}

function setSecurityField(container: Container | undefined, field: string, value: Json): void {
  if (container !== undefined) container.securityContext = { ...container.securityContext, [field]: value };
}

/**
 * The pod with the proxy that its author wrote in the list where it will run: among the init containers as a native
 * sidecar, otherwise among the containers. Of one that an earlier injection left in the other list only that stays
 * which it found out about the application.
 */
export function withProxyIn(
  pod: Pod,
  list: 'containers' | 'initContainers',
  previous: PreviousInjection | undefined,
): Pod {
  const other = list === 'containers' ? 'initContainers' : 'containers';
  const proxy = findContainer(pod.spec[other], proxyContainerName);
  if (proxy === undefined) return pod;
  const wasInjected = previous?.[other].includes(proxyContainerName) === true;
  const placed = wasInjected ? withFindings(proxy) : proxy;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      [other]: (pod.spec[other] ?? []).filter(({ name }) => name !== proxyContainerName),
      [list]: [...(pod.spec[list] ?? []), list === 'containers' ? withoutRestartPolicy(placed) : placed],
    },
  };
}

/** What an injection finds out about the application and overwrites there: probes and metrics annotations. */
const findings: readonly string[] = ['ISTIO_KUBE_APP_PROBERS', 'ISTIO_PROMETHEUS_ANNOTATIONS'];

function withFindings({ name, env }: Container): Container {
  return { name, env: (env ?? []).filter((entry) => findings.includes(entry.name)) };
}

/** Only init containers have a policy of their own. */
function withoutRestartPolicy({ restartPolicy: _policy, ...container }: Container): Container {
  return container;
}

/** The same fragment with the proxy among the init containers: for templates that know of no native sidecars. */
export function withProxyInInit(fragment: PodFragment): PodFragment {
  const { containers, initContainers } = fragment.spec ?? {};
  if (!Array.isArray(containers)) return fragment;
  const proxies = containers.filter(
    (container) => isRecord(container) && container.name === proxyContainerName,
  );
  if (proxies.length === 0) return fragment;
  return {
    ...fragment,
    spec: {
      ...fragment.spec,
      containers: containers.filter((container) => !proxies.includes(container)),
      initContainers: [...(Array.isArray(initContainers) ? initContainers : []), ...proxies],
    },
  };
}
