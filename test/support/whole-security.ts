import { generateKeyPairSync } from 'node:crypto';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A key set as an issuer of tokens has it. */
export const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] });

/** Every setting of `spec.security`. */
export const wholeSecurity: readonly MeshOperatorSpec[] = [
  {
    profile: 'minimal',
    components: { egressGateways: [{ name: 'way-out' }, { name: 'other-way' }] },
    security: {
      mtls: {
        mode: 'STRICT',
        migration: { prometheus: 'http://prometheus.monitoring:9090/', onPlaintext: 'Ignore', window: '10m' },
        namespaces: [{ namespace: 'legacy', mode: 'PERMISSIVE' }],
        workloads: [
          {
            name: 'db',
            namespace: 'shop',
            labels: { app: 'db' },
            mode: 'PERMISSIVE',
            ports: [{ port: 9187, mode: 'DISABLE' }],
          },
        ],
      },
      authorization: {
        defaultDeny: true,
        allow: [
          {
            name: 'read',
            namespace: 'shop',
            labels: { app: 'orders' },
            from: {
              namespaces: ['shop'],
              principals: ['cluster.local/ns/shop/sa/web'],
              requestPrincipals: ['https://login.example.com/*'],
              ipBlocks: ['10.0.0.0/8'],
            },
            to: { hosts: ['orders.shop'], methods: ['GET'], paths: ['/orders*'], ports: [8080] },
          },
        ],
      },
      jwt: [
        {
          name: 'login',
          namespace: 'shop',
          labels: { app: 'web' },
          issuer: 'https://login.example.com',
          jwksUri: 'https://login.example.com/keys',
          audiences: ['shop'],
          fromHeaders: [{ name: 'X-Token', prefix: 'Token ' }],
          forward: true,
          required: true,
        },
        { name: 'batch', issuer: 'batch', jwks },
      ],
      tls: { minVersion: 'TLSV1_2', cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA384'] },
      egress: { gateway: 'way-out', hosts: [{ host: 'api.example.com', port: 8443 }] },
    },
  },
];
