import type { JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import { assertPod } from './assert-pod.ts';
import { parseJsonAnnotation } from './bounded-document.ts';
import {
  annotationOf,
  type Container,
  findContainer,
  findProxy,
  labelOf,
  type Pod,
  proxyContainerName,
} from './pod.ts';
import {
  appContainersOf,
  readPreviousInjection,
  readUserFragments,
  type UserFragments,
} from './previous-injection.ts';
import { canonicalLabel } from './template-view.ts';

const probersName = 'ISTIO_KUBE_APP_PROBERS';
const scrapingName = 'ISTIO_PROMETHEUS_ANNOTATIONS';

/** Annotations that injection alone writes. */
const ownAnnotations: readonly string[] = [names.status, names.overrides, names.revision];

/** Annotations that injection copies out for the CNI plugin, with the values they have when nobody asks for others. */
const cniAnnotations: Readonly<Record<string, string>> = {
  [names.interceptionMode]: 'REDIRECT',
  [names.includeInboundPorts]: '*',
  [names.excludeInboundPorts]: '15020',
  [names.includeOutboundIPRanges]: '*',
};

/**
 * The pod without what an injection put in: containers, volumes, pull secrets, labels and annotations; probes and
 * metrics annotations are those of the application again. A pod that was not injected is returned as it is.
 * What an author wrote that looks exactly as injection would have written it goes, too.
 */
export function uninjectPod(pod: Pod): Pod {
  assertPod(pod);
  const previous = readPreviousInjection(pod);
  if (previous === undefined) return pod;
  const users = inTheirPlaces(readUserFragments(pod));
  const proxy = findProxy(pod);
  const probers = documentIn(proxy, probersName);
  const restore = (
    list: readonly Container[],
    injected: readonly string[],
    fragments: readonly Container[],
  ) =>
    list.flatMap((container) => {
      const fragment = findContainer(fragments, container.name);
      if (fragment !== undefined) return [asWritten(fragment)];
      return injected.includes(container.name) ? [] : [withProbes(container, probers)];
    });
  const { initContainers, volumes, imagePullSecrets, containers, ...spec } = pod.spec;
  return {
    ...pod,
    metadata: withoutOwnMetadata(pod, documentIn(proxy, scrapingName)),
    spec: {
      ...spec,
      containers: withMissing(restore(containers, previous.containers, users.containers), users.containers),
      ...unlessEmpty(
        'initContainers',
        restore(initContainers ?? [], previous.initContainers, users.initContainers),
      ),
      ...unlessEmpty('volumes', withoutNamed(volumes, previous.volumes)),
      ...unlessEmpty('imagePullSecrets', withoutNamed(imagePullSecrets, previous.imagePullSecrets)),
    },
  };
}

/** A proxy that its author wrote as an ordinary container is one again, also after it ran as a native sidecar. */
function inTheirPlaces({ containers, initContainers }: UserFragments): UserFragments {
  const isMoved = ({ name, restartPolicy }: Container) =>
    name === proxyContainerName && restartPolicy !== 'Always';
  return {
    containers: [...containers, ...initContainers.filter(isMoved)],
    initContainers: initContainers.filter((container) => !isMoved(container)),
  };
}

function withMissing(containers: readonly Container[], fragments: readonly Container[]): Container[] {
  const missing = fragments.filter(({ name }) => findContainer(containers, name) === undefined);
  return [...containers, ...missing.map(asWritten)];
}

/** The author's word again; without an image of their own they asked for the injector's. */
function asWritten(fragment: Container): Container {
  return fragment.image === undefined ? { ...fragment, image: 'auto' } : fragment;
}

function withoutNamed(list: readonly JsonObject[] | undefined, removed: readonly string[]): JsonObject[] {
  return (list ?? []).filter(({ name }) => !removed.includes(String(name)));
}

function unlessEmpty(key: string, list: readonly unknown[]): Record<string, unknown> {
  return list.length === 0 ? {} : { [key]: list };
}

/** The document that injection put into the proxy's environment; empty when there is none. */
function documentIn(proxy: Container | undefined, name: string): Record<string, unknown> {
  const text = proxy?.env?.find((entry) => entry.name === name)?.value;
  return text === undefined ? {} : (parseJsonAnnotation(name, text) as Record<string, unknown>);
}

function withProbes(container: Container, probers: Record<string, unknown>): Container {
  const restored = structuredClone(container);
  const original = (path: string) => (Object.hasOwn(probers, path) ? probers[path] : undefined);
  for (const [field, last] of [
    ['readinessProbe', 'readyz'],
    ['livenessProbe', 'livez'],
    ['startupProbe', 'startupz'],
  ] as const) {
    const probe = restored[field];
    const prober = original(`/app-health/${container.name}/${last}`);
    if (isRecord(probe) && isRecord(prober)) restored[field] = withAction(probe, prober);
  }
  for (const [field, last] of [
    ['preStop', 'prestopz'],
    ['postStart', 'poststartz'],
  ] as const) {
    const hook = restored.lifecycle?.[field];
    const prober = original(`/app-lifecycle/${container.name}/${last}`);
    if (restored.lifecycle !== undefined && isRecord(hook) && isRecord(prober)) {
      restored.lifecycle[field] = withAction(hook, prober);
    }
  }
  return restored;
}

function withAction(probe: JsonObject, prober: Record<string, unknown>): JsonObject {
  const { httpGet: _httpGet, ...rest } = probe;
  const { timeoutSeconds: _timeout, ...action } = prober;
  return { ...rest, ...(action as JsonObject) };
}

function withoutOwnMetadata(pod: Pod, scraping: Record<string, unknown>): Pod['metadata'] {
  const { labels, annotations, ...metadata } = pod.metadata;
  return {
    ...metadata,
    ...mapUnlessEmpty(
      'labels',
      without(labels, (name) => isOwnLabel(pod, name)),
    ),
    ...mapUnlessEmpty('annotations', {
      ...without(annotations, (name) => isOwnAnnotation(pod, name)),
      ...scrapingAnnotations(scraping),
    }),
  };
}

function mapUnlessEmpty(key: string, map: Record<string, string>): Record<string, unknown> {
  return Object.keys(map).length === 0 ? {} : { [key]: map };
}

function without(
  map: Readonly<Record<string, string>> | undefined,
  isRemoved: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([name]) => !isRemoved(name)));
}

/** True for a label with exactly the value that injection gives when the author says nothing. */
function isOwnLabel(pod: Pod, name: string): boolean {
  const value = labelOf(pod, name);
  switch (name) {
    case names.tlsMode:
      return value === 'istio';
    case names.tunnel:
      return value === 'http';
    case names.canonicalName:
      return [
        labelOf(pod, 'app.kubernetes.io/name'),
        labelOf(pod, 'app'),
        environmentOf(pod, 'ISTIO_META_WORKLOAD_NAME'),
      ].some((text) => text !== undefined && canonicalLabel(text) === value);
    case names.canonicalRevision:
      return value === (labelOf(pod, 'app.kubernetes.io/version') || labelOf(pod, 'version') || 'latest');
    default:
      return false;
  }
}

function environmentOf(pod: Pod, variable: string): string | undefined {
  return findProxy(pod)?.env?.find(({ name }) => name === variable)?.value;
}

function isOwnAnnotation(pod: Pod, name: string): boolean {
  const value = annotationOf(pod, name);
  if (name === names.defaultContainer || name === names.defaultLogsContainer) {
    return value === appContainersOf(pod)[0]?.name;
  }
  const isCni = findContainer(pod.spec.initContainers, 'istio-validation') !== undefined;
  if (isCni && Object.hasOwn(cniAnnotations, name)) return value === cniAnnotations[name];
  if (name === names.securePort) return value === environmentOf(pod, 'ENVOY_SECURE_MERGED_METRICS_PORT');
  return ownAnnotations.includes(name) || isMergedScraping(pod, name);
}

/** Where Prometheus was sent to scrape the proxy together with the application. */
function isMergedScraping(pod: Pod, name: string): boolean {
  return (
    ['prometheus.io/port', 'prometheus.io/path', 'prometheus.io/scrape'].includes(name) &&
    annotationOf(pod, 'prometheus.io/path') === '/stats/prometheus'
  );
}

function scrapingAnnotations(scraping: Record<string, unknown>): Record<string, string> {
  const { targets } = scraping;
  const single = ['scrape', 'path', 'port'].flatMap((key) => {
    const value = scraping[key];
    const isTarget = Array.isArray(targets) && key !== 'scrape';
    return typeof value === 'string' && value !== '' && !isTarget
      ? [[`prometheus.io/${key}`, value] as const]
      : [];
  });
  const several = Array.isArray(targets)
    ? [['prometheus.istio.io/scrape-targets', targets.map(targetText).join(',')] as const]
    : [];
  return Object.fromEntries([...single, ...several]);
}

function targetText(target: unknown): string {
  return isRecord(target) ? `${String(target.port)}:${String(target.path)}` : '';
}
