import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { defaultDenyName, passesOnSuffix, requiredName } from '../../api/resolve-security.ts';
import { type ResolvedGateway, type ResolvedMesh, rootNamespaceOf } from '../../api/resolved-mesh.ts';
import type {
  PolicyTarget,
  ResolvedAllow,
  ResolvedJwt,
  ResolvedPeerPolicy,
} from '../../api/resolved-security.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { renderEgress } from './egress.ts';
import { securityMetadata } from './security-metadata.ts';

/** The policies of `spec.security`, as Istio's own resources. */
export function renderSecurity(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { peers, jwt, allow, defaultDeny, egress } = mesh.security;
  return [
    ...peers.map((policy) => renderPeerPolicy(mesh, context, policy)),
    ...jwt.flatMap((issuer) => renderJwt(mesh, context, issuer)),
    ...(defaultDeny ? renderDefaultDeny(mesh, context) : []),
    ...allow.map((policy) =>
      renderAuthorization(mesh, context, policy, { action: 'ALLOW', rules: [ruleOf(policy)] }),
    ),
    ...(egress === undefined ? [] : renderEgress(mesh, context, egress)),
  ];
}

function renderPeerPolicy(
  mesh: ResolvedMesh,
  context: RenderContext,
  policy: ResolvedPeerPolicy,
): KubernetesObject {
  const ports = Object.fromEntries(policy.ports.map(({ port, mode }) => [String(port), { mode }]));
  return renderObject('security/10-peer-authentication', {
    metadata: securityMetadata(mesh, context, policy),
    labels: policy.labels,
    mode: policy.mode,
    ports: policy.ports.length === 0 ? undefined : ports,
  });
}

/** A principal of the request would need a subject as well, which tokens may lack (RFC 7519, section 4.1.2). */
const hasNoToken = { key: 'request.auth.claims[iss]', notValues: ['*'] };

function renderJwt(mesh: ResolvedMesh, context: RenderContext, issuer: ResolvedJwt): KubernetesObject[] {
  const { forward, ...rule } = issuer.rule;
  return [
    renderObject('security/20-request-authentication', {
      metadata: securityMetadata(mesh, context, issuer),
      labels: issuer.labels,
      jwtRules: [{ ...rule, ...(forward ? { forwardOriginalToken: true } : {}) }],
    }),
    ...(issuer.required
      ? [
          renderAuthorization(
            mesh,
            context,
            { ...issuer, name: requiredName(issuer.name) },
            { action: 'DENY', rules: [{ when: [hasNoToken] }] },
          ),
        ]
      : []),
  ];
}

/** Nothing is allowed where nothing else is said; gateways pass on what arrives, and the workload decides. */
function renderDefaultDeny(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const everywhere = { name: defaultDenyName, namespace: rootNamespaceOf(mesh) };
  return [
    renderAuthorization(mesh, context, everywhere, { action: 'ALLOW', rules: [] }),
    ...mesh.gateways.map((gateway) =>
      renderAuthorization(mesh, context, targetOfGateway(gateway), { action: 'ALLOW', rules: [{}] }),
    ),
  ];
}

function targetOfGateway({ name, namespace, selector }: ResolvedGateway): PolicyTarget {
  return { name: `${name}${passesOnSuffix}`, namespace, labels: selector };
}

function renderAuthorization(
  mesh: ResolvedMesh,
  context: RenderContext,
  target: PolicyTarget,
  { action, rules }: { readonly action: 'ALLOW' | 'DENY'; readonly rules: readonly object[] },
): KubernetesObject {
  return renderObject('security/30-authorization-policy', {
    metadata: securityMetadata(mesh, context, target),
    labels: target.labels,
    action,
    rules,
  });
}

function ruleOf({ from, to }: ResolvedAllow): object {
  return {
    ...(from === undefined ? {} : { from: [{ source: from }] }),
    ...(to === undefined
      ? {}
      : {
          to: [
            {
              operation: { ...to, ...(to.ports === undefined ? {} : { ports: to.ports.map(String) }) },
            },
          ],
        }),
  };
}
