import type { JsonObject } from './resolved-mesh.ts';
import { resolvePrometheus } from './resolved-prometheus.ts';
import type {
  PolicyTarget,
  ResolvedMigration,
  ResolvedPeerPolicy,
  ResolvedSecurity,
} from './resolved-security.ts';
import type { Mtls, Security } from './spec/security.ts';

/** Istio's convention for the policy of a whole namespace or mesh. */
export const wholeNamespacePolicy = 'default';
/** Names of the AuthorizationPolicies that the operator adds to those of the spec. */
export const defaultDenyName = 'default-deny';
export const passesOnSuffix = '-passes-on';
export const requiredName = (issuer: string) => `${issuer}-required`;
/** The port at which the egress gateway takes TLS, and where hosts do unless they say otherwise. */
export const egressTlsPort = 443;
const defaultWindowMs = 3_600_000;

/** The security settings with every default filled in; `rootNamespace` is where policies count for the whole mesh. */
export function resolveSecurity(security: Security | undefined, rootNamespace: string): ResolvedSecurity {
  const { mtls, authorization, jwt = [], egress } = security ?? {};
  const targetOf = ({ name, namespace = rootNamespace, labels }: Target): PolicyTarget => ({
    ...{ name, namespace },
    ...(labels === undefined ? {} : { labels }),
  });
  return {
    peers: peerPolicies(mtls, rootNamespace),
    ...(mtls?.migration === undefined ? {} : { migration: resolveMigration(mtls.migration) }),
    defaultDeny: authorization?.defaultDeny ?? false,
    allow: (authorization?.allow ?? []).map(({ from, to, ...target }) => ({
      ...targetOf(target),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })),
    jwt: jwt.map(({ name, namespace, labels, forward = false, required = false, ...rule }) => ({
      ...targetOf({ name, namespace, labels }),
      rule: { ...rule, forward },
      required,
    })),
    ...(egress === undefined
      ? {}
      : {
          egress: {
            gateway: egress.gateway,
            hosts: egress.hosts.map(({ host, port = egressTlsPort }) => ({ host, port })),
          },
        }),
  };
}

interface Target {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

function peerPolicies(mtls: Mtls | undefined, rootNamespace: string): ResolvedPeerPolicy[] {
  const { mode, namespaces = [], workloads = [] } = mtls ?? {};
  const whole = mode === undefined ? [] : [{ namespace: rootNamespace, mode }];
  return [
    ...[...whole, ...namespaces].map((policy) => ({ name: wholeNamespacePolicy, ...policy, ports: [] })),
    ...workloads.map(({ mode: own, ports = [], ...target }) => ({
      ...target,
      ...(own === undefined ? {} : { mode: own }),
      ports,
    })),
  ];
}

function resolveMigration({
  onPlaintext = 'Wait',
  ...asked
}: NonNullable<Mtls['migration']>): ResolvedMigration {
  return { ...resolvePrometheus(asked, defaultWindowMs), onPlaintext };
}

/** What the security settings say in MeshConfig (istio.io/api mesh/v1alpha1: `meshMTLS`, `tlsDefaults`, `outboundTrafficPolicy`). */
export function securityMeshConfig(security: Security | undefined): JsonObject {
  const { minVersion, cipherSuites } = security?.tls ?? {};
  const tls: JsonObject = {
    ...(minVersion === undefined ? {} : { minProtocolVersion: minVersion }),
    ...(cipherSuites === undefined ? {} : { cipherSuites }),
  };
  return {
    // Of mutual TLS, and of everything else.
    ...(Object.keys(tls).length === 0 ? {} : { meshMTLS: tls, tlsDefaults: tls }),
    ...(security?.egress === undefined ? {} : { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }),
  };
}
