import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import type { Security } from '../../../../src/api/spec/security.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { jwks, wholeSecurity } from '../../../support/whole-security.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateJwk = privateKey.export({ format: 'jwk' });
const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });

const issuer = { name: 'login', issuer: 'https://login.example.com' };
const keySet = (...keys: unknown[]): Security => ({ jwt: [{ ...issuer, jwks: JSON.stringify({ keys }) }] });

const rows: readonly (readonly [name: string, security: Security, problem: RegExp])[] = [
  [
    'a namespace with two modes',
    {
      mtls: {
        namespaces: [
          { namespace: 'shop', mode: 'STRICT' },
          { namespace: 'shop', mode: 'DISABLE' },
        ],
      },
    },
    /^spec\.security\.mtls\.namespaces\[1\]: is a second shop beside spec\.security\.mtls\.namespaces\[0\]/,
  ],
  [
    'a mode of the root namespace beside that of the mesh',
    { mtls: { mode: 'STRICT', namespaces: [{ namespace: 'istio-system', mode: 'PERMISSIVE' }] } },
    /^spec\.security\.mtls\.namespaces\[0\]\.namespace: is the root namespace.*set spec\.security\.mtls\.mode alone/,
  ],
  [
    'a mode of the root namespace alone, which would be that of the mesh',
    { mtls: { namespaces: [{ namespace: 'istio-system', mode: 'STRICT' }] } },
    /^spec\.security\.mtls\.namespaces\[0\]\.namespace: is the root namespace.*set spec\.security\.mtls\.mode alone/,
  ],
  [
    'a workload of the root namespace, where Istio passes over it',
    {
      mtls: {
        workloads: [{ name: 'db', namespace: 'istio-system', labels: { app: 'db' }, mode: 'STRICT' }],
      },
    },
    /^spec\.security\.mtls\.workloads\[0\]\.namespace: is the root namespace, where .* remove it/,
  ],
  [
    'a workload whose policy has the name of that of its namespace',
    {
      mtls: {
        namespaces: [{ namespace: 'shop', mode: 'STRICT' }],
        workloads: [{ name: 'default', namespace: 'shop', labels: { app: 'db' }, mode: 'DISABLE' }],
      },
    },
    /^spec\.security\.mtls\.workloads\[0\]\.name: is the name of the policy of spec\.security\.mtls\.namespaces\[0\]: choose another/,
  ],
  [
    'a workload without labels',
    { mtls: { workloads: [{ name: 'db', namespace: 'shop', labels: {}, mode: 'STRICT' }] } },
    /^spec\.security\.mtls\.workloads\[0\]\.labels: must name a label/,
  ],
  [
    'a workload of which nothing is said',
    { mtls: { workloads: [{ name: 'db', namespace: 'shop', labels: { app: 'db' } }] } },
    /^spec\.security\.mtls\.workloads\[0\]: says nothing: give a mode/,
  ],
  [
    'a port with two modes',
    {
      mtls: {
        workloads: [
          {
            ...{ name: 'db', namespace: 'shop', labels: { app: 'db' } },
            ports: [
              { port: 1, mode: 'STRICT' },
              { port: 1, mode: 'DISABLE' },
            ],
          },
        ],
      },
    },
    /^spec\.security\.mtls\.workloads\[0\]\.ports\[1\]: is a second 1 beside/,
  ],
  [
    'two policies of one name',
    {
      authorization: {
        allow: [
          { name: 'a', namespace: 'shop' },
          { name: 'a', namespace: 'shop' },
        ],
      },
    },
    /^spec\.security\.authorization\.allow\[1\]: is a second shop\/a beside spec\.security\.authorization\.allow\[0\]/,
  ],
  [
    'a policy that has the name of the one that denies',
    { authorization: { defaultDeny: true, allow: [{ name: 'default-deny' }] } },
    /^spec\.security\.authorization\.allow\[0\]\.name: is a name that defaultDeny uses: choose another/,
  ],
  [
    'a policy that has the name of the one of a gateway',
    {
      authorization: {
        defaultDeny: true,
        allow: [{ name: 'way-out-passes-on', namespace: 'istio-system' }],
      },
    },
    /^spec\.security\.authorization\.allow\[0\]\.name: is a name that defaultDeny uses: choose another/,
  ],
  [
    'a policy that has the name of the one that requires tokens',
    {
      authorization: { allow: [{ name: 'login-required' }] },
      jwt: [{ ...issuer, required: true }],
    },
    /^spec\.security\.authorization\.allow\[0\]\.name: is the name of the policy of spec\.security\.jwt\[0\]\.required: choose another/,
  ],
  [
    'callers of whom nothing is said',
    { authorization: { allow: [{ name: 'a', from: {} }] } },
    /^spec\.security\.authorization\.allow\[0\]\.from: must say who may: leave it out for everybody$/,
  ],
  [
    'requests of which nothing is said',
    { authorization: { allow: [{ name: 'a', to: {} }] } },
    /^spec\.security\.authorization\.allow\[0\]\.to: must say what they may: leave it out for everything$/,
  ],
  [
    'an empty list of callers',
    { authorization: { allow: [{ name: 'a', from: { principals: [] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.from\.principals: must not be an empty list/,
  ],
  [
    'a principal with a blank',
    { authorization: { allow: [{ name: 'a', from: { principals: ['cluster.local/ns/shop /sa/web'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.from\.principals\[0\]: must be a value without blanks/,
  ],
  [
    'an address range with an impossible number',
    { authorization: { allow: [{ name: 'a', from: { ipBlocks: ['10.0.0.0/8', '10.0.0.300/8'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.from\.ipBlocks\[1\]: must be a range of IP addresses such as 10\.0\.0\.0\/8, but is "10\.0\.0\.300\/8"/,
  ],
  [
    'an address without a prefix',
    { authorization: { allow: [{ name: 'a', from: { ipBlocks: ['10.0.0.1'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.from\.ipBlocks\[0\]: must be an address range such as 10\.0\.0\.0\/8/,
  ],
  [
    'a path with braces, which Istio refuses',
    { authorization: { allow: [{ name: 'a', to: { paths: ['/orders/{id}'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.to\.paths\[0\]: must be a path that begins with \/, .*no \{ or \}/,
  ],
  [
    'a path that is none',
    { authorization: { allow: [{ name: 'a', to: { paths: ['orders'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.to\.paths\[0\]: must be a path that begins with \//,
  ],
  [
    'a method in small letters',
    { authorization: { allow: [{ name: 'a', to: { methods: ['get'] } }] } },
    /^spec\.security\.authorization\.allow\[0\]\.to\.methods\[0\]: must be an HTTP method in capitals/,
  ],
  [
    'an issuer twice for the same pods',
    { jwt: [issuer, { ...issuer, name: 'again' }] },
    /^spec\.security\.jwt\[1\]\.issuer: is already an issuer for the same pods/,
  ],
  [
    'a required token of all pods beside a gateway that passes TLS on',
    {
      jwt: [{ ...issuer, required: true }],
      egress: { gateway: 'way-out', hosts: [{ host: 'example.com' }] },
    },
    /^spec\.security\.jwt\[0\]\.required: refuses all that is not HTTP, and with it what gateway way-out passes on: name other pods by namespace or labels/,
  ],
  [
    'an issuer whose keys cannot be found',
    { jwt: [{ name: 'batch', issuer: 'batch' }] },
    /^spec\.security\.jwt\[0\]\.issuer: is no address, so its keys cannot be found: give jwksUri or jwks/,
  ],
  [
    'an address of keys that holds a password',
    { jwt: [{ ...issuer, jwksUri: 'https://me:secret@login.example.com/keys' }] },
    /^spec\.security\.jwt\[0\]\.jwksUri: must be an http or https address, .*no user/,
  ],
  [
    'an empty audience',
    { jwt: [{ ...issuer, audiences: [''] }] },
    /^spec\.security\.jwt\[0\]\.audiences\[0\]: must not be empty/,
  ],
  [
    'a header that is none',
    { jwt: [{ ...issuer, fromHeaders: [{ name: 'X Token' }] }] },
    /^spec\.security\.jwt\[0\]\.fromHeaders\[0\]\.name: must be the name of a header/,
  ],
  [
    'keys in two places',
    { jwt: [{ ...issuer, jwks, jwksUri: 'https://login.example.com/keys' }] },
    /^spec\.security\.jwt\[0\]\.jwks: has no effect beside jwksUri/,
  ],
  [
    'keys that are no JSON',
    { jwt: [{ ...issuer, jwks: '{' }] },
    /^spec\.security\.jwt\[0\]\.jwks: must be JSON/,
  ],
  ['no keys', keySet(), /^spec\.security\.jwt\[0\]\.jwks: must have a list "keys" with at least one key/],
  ['a key that is none', keySet({ kty: 'EC', crv: 'P-256' }), /jwks: keys\[0\] is no public key/],
  ['a shared secret', keySet({ kty: 'oct', k: 'c2VjcmV0' }), /jwks: keys\[0\] is a shared secret/],
  ['a private key', keySet(publicJwk, privateJwk), /jwks: keys\[1\] is a private key: .*replace it/],
  [
    'keys of which proxies can use none',
    keySet(generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })),
    /^spec\.security\.jwt\[0\]\.jwks: has no key that proxies can use: they know RSA, /,
  ],
  [
    'a mode in small letters',
    { mtls: { mode: 'Strict' as 'STRICT' } },
    /^spec\.security\.mtls\.mode: must be one of STRICT, PERMISSIVE, DISABLE, .*did you mean "STRICT"\?/,
  ],
  [
    'a version of TLS in the words of OpenSSL',
    { tls: { minVersion: 'TLSv1.3' as 'TLSV1_3' } },
    /^spec\.security\.tls\.minVersion: must be one of TLSV1_2, TLSV1_3, .*did you mean "TLSV1_3"\?/,
  ],
  [
    'a cipher suite twice',
    { tls: { cipherSuites: ['AES128-SHA', 'AES128-SHA'] } },
    /^spec\.security\.tls\.cipherSuites\[1\]: is a second AES128-SHA beside/,
  ],
  [
    'a cipher suite that does not exist',
    { tls: { cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA385'] } },
    /^spec\.security\.tls\.cipherSuites\[0\]: ECDHE-RSA-AES256-GCM-SHA385 is no cipher suite .*did you mean ECDHE-RSA-AES256-GCM-SHA384\?/,
  ],
  [
    'a cipher suite by its IANA name',
    { tls: { cipherSuites: ['TLS_FALLBACK_SCSV'] } },
    /^spec\.security\.tls\.cipherSuites\[0\]: .*there are ECDHE-ECDSA-AES128-GCM-SHA256/,
  ],
  [
    'cipher suites that TLS 1.3 does not have',
    { tls: { minVersion: 'TLSV1_3', cipherSuites: ['AES128-SHA'] } },
    /^spec\.security\.tls\.cipherSuites: has no effect with minVersion TLSV1_3/,
  ],
  [
    'an egress gateway that there is not',
    { egress: { gateway: 'out', hosts: [{ host: 'example.com' }] } },
    /^spec\.security\.egress\.gateway: there is no egress gateway out in spec\.components\.egressGateways: there are way-out, plain/,
  ],
  [
    'an egress gateway that is turned off',
    { egress: { gateway: 'closed', hosts: [{ host: 'example.com' }] } },
    /^spec\.security\.egress\.gateway: there is no egress gateway closed/,
  ],
  [
    'an egress gateway without a port for TLS',
    { egress: { gateway: 'plain', hosts: [{ host: 'example.com' }] } },
    /^spec\.security\.egress\.gateway: plain takes TLS at port 443, which its Service does not have: add it to spec\.components\.egressGateways\[2\]\.k8s\.service\.ports/,
  ],
  [
    'a host for any name',
    { egress: { gateway: 'way-out', hosts: [{ host: '*.example.com' }] } },
    /^spec\.security\.egress\.hosts\[0\]\.host: must be a DNS name/,
  ],
  [
    'no host',
    { egress: { gateway: 'way-out', hosts: [] } },
    /^spec\.security\.egress\.hosts: must not be an empty list/,
  ],
  [
    'a host twice',
    { egress: { gateway: 'way-out', hosts: [{ host: 'example.com' }, { host: 'example.com', port: 1 }] } },
    /^spec\.security\.egress\.hosts\[1\]: is a second example\.com beside/,
  ],
];

const components = {
  egressGateways: [
    { name: 'way-out' },
    { name: 'closed', enabled: false },
    { name: 'plain', k8s: { service: { ports: [{ name: 'http2', port: 80 }] } } },
  ],
};

function problemsOf(spec: MeshOperatorSpec): string[] {
  return validateMeshOperator(aMeshOperator(spec)).map(problemText);
}

describe('security settings', () => {
  it.each(rows)('refuse %s', (_name, security, problem) => {
    const problems = problemsOf({ components, security });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it.each([
    ['address of keys that asks for a policy by its query', 'https://login.example.com/keys?p=policy-1'],
    ['address of keys with an escaped path', 'https://login.example.com/a%20b/keys'],
  ])('take an %s', (_name, jwksUri) => {
    expect(problemsOf({ security: { jwt: [{ ...issuer, jwksUri }] } })).toEqual([]);
  });

  it.each([
    ['of other pods', { namespace: 'shop' }],
    ['of pods with labels', { labels: { app: 'web' } }],
    ['that is not required', { required: false }],
  ])('take a token %s beside a gateway that passes TLS on', (_name, target) => {
    const egress = { gateway: 'way-out', hosts: [{ host: 'example.com' }] };
    const jwt = [{ ...issuer, required: true, ...target }];

    expect(problemsOf({ components, security: { jwt, egress } })).toEqual([]);
  });

  it('refuse a required token of all pods beside a gateway between networks', () => {
    const eastWestGateways = [{ name: 'between', namespace: 'edge', network: 'one' }];
    const security = (target: object) => ({ jwt: [{ ...issuer, required: true, ...target }] });

    expect(problemsOf({ components: { eastWestGateways }, security: security({}) })).toEqual([
      expect.stringMatching(/^spec\.security\.jwt\[0\]\.required: .*gateway between passes on/),
    ]);
    expect(
      problemsOf({ components: { eastWestGateways }, security: security({ namespace: 'edge' }) }),
    ).toHaveLength(1);
    expect(
      problemsOf({ components: { eastWestGateways }, security: security({ namespace: 'shop' }) }),
    ).toEqual([]);
  });

  it('take a key set that has other keys beside one that proxies can use', () => {
    const other = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });

    expect(problemsOf({ security: keySet(other, publicJwk) })).toEqual([]);
  });

  it('never repeat a key in the message', () => {
    const [problem] = problemsOf({ security: keySet(privateJwk) });

    expect(problem).not.toContain(privateJwk.d);
  });

  it.each([
    ['meshMTLS', { minProtocolVersion: 'TLSV1_3' }, { tls: { minVersion: 'TLSV1_2' } }],
    ['tlsDefaults', { cipherSuites: ['AES128-SHA'] }, { tls: { minVersion: 'TLSV1_2' } }],
    [
      'outboundTrafficPolicy',
      { mode: 'ALLOW_ANY' },
      { egress: { gateway: 'way-out', hosts: [{ host: 'example.com' }] } },
    ],
  ] as const)('refuse to say twice what meshConfig.%s says', (name, value, security) => {
    const problems = problemsOf({
      components,
      security: security as Security,
      meshConfig: { [name]: value },
    });

    expect(problems).toEqual([
      expect.stringContaining(`says the same as spec.meshConfig.${name}: remove one`),
    ]);
  });

  it('have no place in a remote cluster, whose proxies follow another one', () => {
    const spec: MeshOperatorSpec = {
      profile: 'remote',
      values: { global: { remotePilotAddress: '10.0.0.1' } },
      security: { mtls: { mode: 'STRICT' } },
    };

    expect(problemsOf(spec)).toEqual([
      expect.stringMatching(/^spec\.security: has no effect in a remote cluster/),
    ]);
  });

  it('are valid with everything in use', () => {
    expect(wholeSecurity.flatMap(problemsOf)).toEqual([]);
  });
});
