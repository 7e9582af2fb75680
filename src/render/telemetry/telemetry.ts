import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedTelemetry } from '../../api/resolve-telemetry.ts';
import {
  type JsonObject,
  type ResolvedMesh,
  revisionLabel,
  revisionSuffix,
} from '../../api/resolved-mesh.ts';
import type { TelemetryMetric, TelemetrySettings } from '../../api/spec/telemetry.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';

/** The settings of `spec.telemetry`, as Istio's own resources: one for the mesh, one for each namespace. */
export function renderTelemetry(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return mesh.telemetry.map((place) =>
    renderObject('telemetry/10-telemetry', {
      metadata: objectMetadata(mesh, context, {
        name: `mesh-telemetry${revisionSuffix(mesh.revision)}`,
        namespace: place.namespace,
        component: 'telemetry',
        labels: labelsOf(mesh),
      }),
      ...viewOf(place),
    }),
  );
}

/** istiod reads what names its revision, or none: where a mesh has several control planes, all of them read it. */
function labelsOf({ revision, upgrade }: ResolvedMesh): Record<string, string> {
  return upgrade.strategy === 'InPlace' ? { 'istio.io/rev': revisionLabel(revision) } : {};
}

function viewOf({ accessLogs, tracing, metrics }: ResolvedTelemetry) {
  return {
    accessLogging: accessLogs?.map(({ provider, filter, disabled }) => ({
      providers: [{ name: provider }],
      ...(filter === undefined ? {} : { filter: { expression: filter } }),
      ...(disabled === undefined ? {} : { disabled }),
    })),
    tracing: tracing === undefined ? undefined : [tracingOf(tracing)],
    metrics:
      metrics === undefined
        ? undefined
        : [{ providers: [{ name: 'prometheus' }], overrides: metrics.map(overrideOf) }],
  };
}

function tracingOf({
  provider,
  sampling,
  disabled,
  tags,
}: NonNullable<TelemetrySettings['tracing']>): JsonObject {
  const customTags = Object.entries(tags ?? {}).map(([name, value]) => [name, { literal: { value } }]);
  return {
    ...(provider === undefined ? {} : { providers: [{ name: provider }] }),
    ...(sampling === undefined ? {} : { randomSamplingPercentage: sampling }),
    ...(disabled === undefined ? {} : { disableSpanReporting: disabled }),
    ...(customTags.length === 0 ? {} : { customTags: Object.fromEntries(customTags) }),
  };
}

function overrideOf(override: TelemetryMetric): JsonObject {
  const {
    metric = 'ALL_METRICS',
    side = 'CLIENT_AND_SERVER',
    disabled,
    removeTags = [],
    tags = {},
  } = override;
  const tagOverrides: Record<string, JsonObject> = {
    ...Object.fromEntries(removeTags.map((tag) => [tag, { operation: 'REMOVE' }])),
    ...Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, { operation: 'UPSERT', value }])),
  };
  return {
    match: { metric, mode: side },
    ...(disabled === undefined ? {} : { disabled }),
    ...(Object.keys(tagOverrides).length === 0 ? {} : { tagOverrides }),
  };
}
