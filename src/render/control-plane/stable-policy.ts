import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type ResolvedMesh, revisionLabel, revisionSuffix } from '../../api/resolved-mesh.ts';
import { isAtLeast } from '../../api/versions.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';

/** An expression of CEL that holds for what is allowed, and what to say of what is not. */
interface Validation {
  readonly expression: string;
  readonly message: string;
}

const kinds: Validation = {
  expression: "!(object.kind in ['EnvoyFilter', 'WasmPlugin', 'ProxyConfig'])",
  message: 'EnvoyFilter, WasmPlugin and ProxyConfig are not stable',
};

/** Fields of a Telemetry, by the list that they are in. */
const telemetryFields: Readonly<Record<string, string>> = {
  tracing: 'useRequestIdForTraceSampling',
  metrics: 'reportingInterval',
  accessLogging: 'filter',
};

const telemetry: readonly Validation[] = Object.entries(telemetryFields).map(([list, field]) => ({
  expression: [
    `object.kind != 'Telemetry' || !has(object.spec) || !has(object.spec.${list})`,
    `!object.spec.${list}.exists(item, has(item.${field}))`,
  ].join(' || '),
  message: `spec.${list}[].${field} is not stable`,
}));

const trustDomains: readonly Validation[] = ['trustDomains', 'notTrustDomains'].map((field) => ({
  expression: [
    "object.kind != 'AuthorizationPolicy' || !has(object.spec) || !has(object.spec.rules)",
    `!object.spec.rules.exists(rule, has(rule.from) && rule.from.exists(from, has(from.source) && has(from.source.${field})))`,
  ].join(' || '),
  message: `spec.rules[].from[].source.${field} is not stable`,
}));

/** Has the API server deny objects that name this revision and use what Istio does not call stable. */
export function renderStablePolicy(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const suffix = `${revisionSuffix(mesh.revision)}-${mesh.namespace}.istio.io`;
  return renderPolicy(mesh, context, {
    policyName: `stable-channel-policy${suffix}`,
    bindingName: `stable-channel-policy-binding${suffix}`,
    selected: { key: 'istio.io/rev', operator: 'In', values: [revisionLabel(mesh.revision)] },
  });
}

/** The same for objects that name no revision, which are the default one's. */
export function renderDefaultStablePolicy(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return renderPolicy(mesh, context, {
    policyName: 'stable-channel-default-policy.istio.io',
    bindingName: 'stable-channel-default-policy-binding.istio.io',
    selected: { key: 'istio.io/rev', operator: 'DoesNotExist' },
  });
}

interface PolicyOptions {
  readonly policyName: string;
  readonly bindingName: string;
  /** A requirement of labels. */
  readonly selected: object;
}

function renderPolicy(
  mesh: ResolvedMesh,
  context: RenderContext,
  { policyName, bindingName, selected }: PolicyOptions,
): KubernetesObject[] {
  const component = 'istiod';
  return [
    renderObject('control-plane/41-validating-admission-policy', {
      metadata: objectMetadata(mesh, context, { name: policyName, component }),
      objectSelector: [selected],
      // Releases before 1.30 do not count trust domains among what is not stable.
      validations: [kinds, ...telemetry, ...(isAtLeast(mesh.version, '1.30') ? trustDomains : [])],
    }),
    renderObject('control-plane/42-validating-admission-policy-binding', {
      metadata: objectMetadata(mesh, context, { name: bindingName, component }),
      policyName,
    }),
  ];
}
