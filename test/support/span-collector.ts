import { randomUUID } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { importImages, readManifest } from '../cluster/operator.ts';

/** Namespace of the collector. */
export const collectorNamespace = 'tracing';

/** A span that a proxy has reported. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** `NAME.NAMESPACE` of the app whose proxy it is. */
  readonly service: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Installs a real collector of spans (`test/cluster/otel-collector.yaml`), and returns when it takes some. */
export async function installSpanCollector(cluster: Cluster): Promise<void> {
  await importImages(cluster, ['otel-collector']);
  await cluster.apply(await readManifest('test/cluster/otel-collector.yaml'));
  const rollout = ['-n', collectorNamespace, 'deployment/collector', '--timeout=240s'];
  await cluster.kubectl('rollout', 'status', ...rollout);
}

/** All spans that have arrived, in that order. */
export async function collectedSpans(cluster: Cluster): Promise<Span[]> {
  const log = await cluster.kubectl('logs', '-n', collectorNamespace, 'deployment/collector', '--tail=-1');
  return log
    .split('\n')
    .filter((line) => line.startsWith('{"resourceSpans"'))
    .flatMap((line) => spansOf(JSON.parse(line) as Batch));
}

/**
 * A request that proxies trace whatever their share is: its id says that it was decided (Envoy, uuid request id extension:
 * the 15th character is 9). The id is a tag of its spans.
 */
export function aTracedRequest(): { readonly id: string; readonly header: string } {
  const id = randomUUID();
  const traced = `${id.slice(0, 14)}9${id.slice(15)}`;
  return { id: traced, header: `x-request-id: ${traced}` };
}

/** OTLP's JSON (opentelemetry-proto, trace/v1), as far as it is looked at. */
interface Batch {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReportedSpan[] }[];
  }[];
}
type ReportedSpan = Pick<Span, 'traceId' | 'spanId'> & {
  readonly parentSpanId?: string;
  readonly attributes?: readonly Attribute[];
};
interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function spansOf({ resourceSpans }: Batch): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = tagsOf(resource?.attributes)['service.name'] ?? '';
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId = '', attributes }) => ({
        ...{ traceId, spanId, parentSpanId, service },
        tags: tagsOf(attributes),
      })),
    );
  });
}

function tagsOf(attributes: readonly Attribute[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}
