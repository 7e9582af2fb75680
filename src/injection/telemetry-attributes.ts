import { isRecord } from '../base/stable-json.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf, labelOf } from './pod.ts';

const prefix = 'resource.opentelemetry.io/';

/**
 * The value of OTEL_RESOURCE_ATTRIBUTES by OpenTelemetry's conventions for Kubernetes; empty unless a provider of the
 * mesh asks for them.
 */
export function telemetryAttributes(facts: InjectionFacts): string {
  if (!followsConventions(facts)) return '';
  const { pod, namespace } = facts;
  const attributes = {
    'service.namespace': annotationOf(pod, `${prefix}service.namespace`) || namespace,
    'service.version':
      annotationOf(pod, `${prefix}service.version`) ||
      labelOf(pod, 'app.kubernetes.io/version') ||
      onlyImageVersion(facts),
    'service.instance.id': annotationOf(pod, `${prefix}service.instance.id`) || instanceId(facts),
  };
  return Object.entries(attributes)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}=${text}`)
    .join(',');
}

function followsConventions({ mesh }: InjectionFacts): boolean {
  const { extensionProviders } = mesh.meshConfig;
  return (
    Array.isArray(extensionProviders) &&
    extensionProviders.some(
      (provider) =>
        isRecord(provider) &&
        isRecord(provider.opentelemetry) &&
        provider.opentelemetry.serviceAttributeEnrichment === 'OTEL_SEMANTIC_CONVENTIONS',
    )
  );
}

/** Kubernetes fills in the pod's name when it starts the container. */
function instanceId({ pod, namespace }: InjectionFacts): string {
  const [first] = pod.spec.containers;
  return first === undefined ? '' : `${namespace}.$(POD_NAME).${first.name}`;
}

/** Tag and digest of the image, when only one container could be meant. */
function onlyImageVersion({ pod }: InjectionFacts): string {
  const [only, ...others] = pod.spec.containers;
  if (only?.image === undefined || others.length > 0) return '';
  const [reference = '', digest] = only.image.split('@');
  const lastPart = reference.slice(reference.lastIndexOf('/') + 1);
  const tag = lastPart.includes(':') ? lastPart.slice(lastPart.indexOf(':') + 1) : undefined;
  return [tag, digest].filter((part) => part !== undefined && part !== '').join('@');
}
