import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';

/** Settings of a mesh in which no failed handshake is hidden: each request is tried once, and Envoys count their handshakes. */
export const countedHandshakes: MeshOperatorSpec = {
  meshConfig: {
    defaultHttpRetryPolicy: { attempts: 0 },
    defaultConfig: {
      proxyStatsMatcher: {
        inclusionRegexps: [
          '(listener|cluster)\\..*\\.ssl\\.(handshake|session_reused|connection_error|fail_verify_.*)',
        ],
      },
    },
  },
};

/** Which requests: those to `host`, port 80. */
export interface RequestRules {
  /** Of the rules. */
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  /**
   * Whose: a gateway that passes TLS through must not be among them, since it would begin one of its own inside.
   * @defaultValue the sidecars'
   */
  readonly contexts?: readonly ('SIDECAR_OUTBOUND' | 'GATEWAY')[];
}

/** Rules by which each request makes a connection of its own, whose handshake verifies the certificates of both sides. */
export function handshakeForEachRequest({
  name,
  namespace,
  host,
  contexts = ['SIDECAR_OUTBOUND'],
}: RequestRules): object[] {
  const metadata = { name, namespace };
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata,
      spec: {
        host,
        trafficPolicy: {
          connectionPool: { http: { maxRequestsPerConnection: 1 }, tcp: { connectTimeout: '30s' } },
        },
      },
    },
    // A client's Envoy resumes its last TLS session with a server, and no certificate is looked at.
    {
      apiVersion: 'networking.istio.io/v1alpha3',
      kind: 'EnvoyFilter',
      metadata,
      spec: { configPatches: contexts.map(withoutSessions) },
    },
  ];
}

function withoutSessions(context: string) {
  return {
    applyTo: 'CLUSTER',
    match: { context, cluster: { portNumber: 80 } },
    patch: {
      operation: 'MERGE',
      value: {
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
            max_session_keys: 0,
          },
        },
      },
    },
  };
}
