import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import type { Security } from '../../../src/api/spec/security.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { type AppContainer, askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { type OutsideServer, startOutsideServer } from '../../support/outside-server.ts';
import { applyMesh, installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { SettledProxies } from '../../support/settled-proxies.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { filesAfter } from '../../support/shell.ts';
import { type TlsCaller, tlsOutcomes } from '../../support/tls-calls.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';
import { flawsOf } from '../../support/traffic-calls.ts';
import { sentenceOf, type TrafficCheck } from '../../support/traffic-example.ts';

const manifest = 'test/e2e/security/mesh.yaml';
const system = 'istio-system';
const client: AppContainer = { namespace: 'shop', workload: 'deployment/client' };
const orders: AppContainer = { namespace: 'shop', workload: 'deployment/orders' };
const old: AppContainer = { namespace: 'legacy', workload: 'deployment/old' };
const outside: AppContainer = { namespace: 'external', workload: 'deployment/outside' };
const gateways = ['istio-ingressgateway', 'way-out'].map((name) => ({
  namespace: system,
  workload: `deployment/${name}`,
}));
const times = 20;
const wayIn = `istio-ingressgateway.${system}:80`;
/** A host that the mesh knows, by another name. */
const hostOutside = 'outside.external.svc.cluster.local:80';
const clientUri = 'spiffe://cluster.local/ns/shop/sa/client';
const clientPrincipal = 'cluster.local/ns/shop/sa/client';

const ordersTakeClient = {
  ...{ name: 'client', namespace: 'shop', labels: { app: 'orders' } },
  from: { principals: [clientPrincipal] },
};

const login = new TokenIssuer('https://login.example.com');
const batch = new TokenIssuer('batch');
const published = new TokenIssuer('published');
const stranger = new TokenIssuer('stranger');
const forger = new TokenIssuer(login.name);
const bearer = (token: string) => [`authorization: Bearer ${token}`];

/** Alerts of TLS (RFC 8446, section 6). */
const refusals = { version: 'alert 70', cipherSuite: 'alert 40' };
const tlsCallers = [
  ['the gateway', () => gatewayCaller()],
  ['a sidecar', () => sidecarCaller()],
] as const;

let cluster: Cluster;
let real: RealMesh;
let proxies: SettledProxies;
let authority: Awaited<ReturnType<typeof outsideAuthority>>;
/** Publishes keys, and is the host outside that workloads call. */
let server: OutsideServer;
let discovered: TokenIssuer;

beforeAll(async () => {
  cluster = await sharedCluster('kubelet');
  authority = await outsideAuthority(cluster.hostAddress);
  server = await startOutsideServer(cluster.hostAddress, authority);
  discovered = new TokenIssuer(`https://${cluster.hostAddress}:${server.port}`);
  server.answers.set('/keys', published.jwks);
  server.answers.set('/discovered', discovered.jwks);
  server.answers.set(
    '/.well-known/openid-configuration',
    JSON.stringify({ issuer: discovered.name, jwks_uri: `${discovered.name}/discovered` }),
  );
  await applyObjects(aNamespace(system), {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'issuer-ca', namespace: system } },
    data: { 'extra.pem': authority.ca },
  });
  real = await installRealMesh(manifest, specWith({}));
  await applyObjects(
    aNamespace('shop', { 'istio-injection': 'enabled' }),
    aNamespace('legacy', { 'istio-injection': 'enabled' }),
    aNamespace('external'),
    aSecret(system, 'shop-tls', { 'tls.crt': authority.cert, 'tls.key': authority.key }),
    aSecret('shop', 'outside', { 'ca.crt': authority.ca }),
    aSecret('external', 'outside', { 'ca.crt': authority.ca }),
  );
  await cluster.apply(await readManifest('test/e2e/security/apps.yaml'));
  for (const { namespace, workload } of [client, orders, old, outside]) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=240s');
  }
  proxies = new SettledProxies(cluster, [client, orders, old, ...gateways], ['ingressgateway', 'way-out']);
  await proxies.wait();
});

afterAll(async () => {
  server?.close();
  if (real !== undefined) await removeRealMesh(real, 'shop', 'legacy', 'external');
});

describe('with nothing set', () => {
  seen(
    { from: 'outside', url: 'http://orders.shop/', times, ends: { ok: times } },
    { from: 'outside', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
    { from: 'old', url: 'http://orders.shop/', times, ends: { ok: times } },
    { from: 'client', url: 'tcp://old.legacy:9000', times, ends: { ok: times } },
    { from: 'client', url: 'http://api.example.com/', through: hostOutside, times, ends: { ok: times } },
    { from: 'outside', url: 'http://orders.example.com/', through: wayIn, times, ends: { ok: times } },
  );

  test('sidecars speak mutual TLS with each other all the same', async () => {
    expect(await identityAt('http://orders.shop/')).toBe(clientUri);
  });

  test.each(tlsCallers)(
    '%s takes TLS 1.2 and 1.3, and any cipher suite of Istio',
    async (_name, callerOf) => {
      const caller = await callerOf();

      expect(await tlsOutcomes({ ...caller, version: 'TLSv1.2' }, times)).toEqual({ 'TLSv1.2 200': times });
      expect(await tlsOutcomes({ ...caller, version: 'TLSv1.3' }, times)).toEqual({ 'TLSv1.3 200': times });
      for (const suite of [caller.weak, caller.strong]) {
        expect(await tlsOutcomes({ ...caller, version: 'TLSv1.2', cipherSuite: suite }, times)).toEqual({
          [`TLSv1.2 ${suite} 200`]: times,
        });
      }
    },
  );

  test('workloads call any host outside, and by themselves', async () => {
    expect(
      await flawsOf(cluster, callOf('other.example.com', { from: 'client', ends: { ok: times } })),
    ).toEqual([]);

    expect(takeArrivals('other.example.com')).toEqual({ [await addressOf(client)]: times });
  });
});

describe('mtls', () => {
  describe('mode STRICT, and PERMISSIVE for one namespace', () => {
    beforeAll(() =>
      secure({ mtls: { mode: 'STRICT', namespaces: [{ namespace: 'legacy', mode: 'PERMISSIVE' }] } }),
    );

    seen(
      { from: 'outside', url: 'http://orders.shop/', times, ends: { cut: times }, arriveAt: { orders: 0 } },
      { from: 'outside', url: 'tcp://orders.shop:9000', times, ends: { cut: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { cut: times } },
      { from: 'outside', url: 'http://old.legacy/', times, ends: { ok: times } },
      { from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'client', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
      { from: 'client', url: 'http://old.legacy/', times, ends: { ok: times } },
      { from: 'outside', url: 'http://orders.example.com/', through: wayIn, times, ends: { ok: times } },
    );
  });

  describe('mode STRICT, and other modes for ports of a workload', () => {
    beforeAll(() =>
      secure({
        mtls: {
          mode: 'STRICT',
          workloads: [
            {
              ...{ name: 'orders', namespace: 'shop', labels: { app: 'orders' } },
              ports: [
                { port: 8080, mode: 'DISABLE' },
                { port: 9000, mode: 'PERMISSIVE' },
              ],
            },
          ],
        },
      }),
    );

    seen(
      { from: 'outside', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'outside', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { cut: times } },
      { from: 'outside', url: 'http://old.legacy/', times, ends: { cut: times } },
      { from: 'client', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
    );

    test('sidecars speak plain text where it is disabled', async () => {
      expect(await identityAt('http://orders.shop/')).toBeUndefined();
      expect(await identityAt('http://old.legacy/')).toBe(clientUri);
    });
  });

  describe('STRICT for one namespace, and DISABLE for a workload of it', () => {
    beforeAll(() =>
      secure({
        mtls: {
          namespaces: [{ namespace: 'shop', mode: 'STRICT' }],
          workloads: [{ name: 'orders', namespace: 'shop', labels: { app: 'orders' }, mode: 'DISABLE' }],
        },
      }),
    );

    seen(
      { from: 'outside', url: 'http://client.shop/', times, ends: { cut: times } },
      { from: 'outside', url: 'http://old.legacy/', times, ends: { ok: times } },
      { from: 'outside', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'old', url: 'http://client.shop/', times, ends: { ok: times } },
    );

    test('sidecars speak plain text with that workload', async () => {
      expect(await identityAt('http://orders.shop/')).toBeUndefined();
    });
  });

  describe('mode PERMISSIVE again', () => {
    beforeAll(() => secure({ mtls: { mode: 'PERMISSIVE' } }));

    seen(
      { from: 'outside', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { ok: times } },
      { from: 'outside', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
    );

    test('sidecars speak mutual TLS again', async () => {
      expect(await identityAt('http://orders.shop/')).toBe(clientUri);
    });
  });
});

describe('authorization', () => {
  describe('defaultDeny alone', () => {
    beforeAll(() => secure({ authorization: { defaultDeny: true } }));

    seen(
      { from: 'client', url: 'http://orders.shop/', times, ends: { 403: times }, arriveAt: { orders: 0 } },
      { from: 'client', url: 'tcp://orders.shop:9000', times, ends: { cut: times } },
      { from: 'client', url: 'http://old.legacy/', times, ends: { 403: times } },
      { from: 'outside', url: 'http://orders.shop/', times, ends: { 403: times }, arriveAt: { orders: 0 } },
      {
        ...{ from: 'outside', url: 'http://orders.example.com/', through: wayIn, times },
        ...{ ends: { 403: times }, arriveAt: { orders: 0 } },
      },
    );
  });

  describe('defaultDeny, and what is allowed', () => {
    beforeAll(async () =>
      secure({
        authorization: {
          defaultDeny: true,
          allow: [
            {
              ...{ name: 'client-reads', namespace: 'shop', labels: { app: 'orders' } },
              from: { principals: [clientPrincipal] },
              to: { methods: ['GET'], paths: ['/public/*'], ports: [8080] },
            },
            {
              ...{ name: 'legacy-streams', namespace: 'shop', labels: { app: 'orders' } },
              from: { namespaces: ['legacy'] },
              to: { ports: [9000] },
            },
            {
              ...{ name: 'way-in', namespace: 'shop', labels: { app: 'orders' } },
              from: { principals: [`cluster.local/ns/${system}/sa/istio-ingressgateway-service-account`] },
              to: { hosts: ['orders.example.com'] },
            },
            {
              ...{ name: 'one-address', labels: { app: 'client' } },
              from: { ipBlocks: [`${await addressOf(outside)}/32`] },
            },
          ],
        },
      }),
    );

    seen(
      { from: 'client', url: 'http://orders.shop/public/a', times, ends: { ok: times } },
      {
        from: 'client',
        url: 'http://orders.shop/private',
        times,
        ends: { 403: times },
        arriveAt: { orders: 0 },
      },
      { from: 'client', url: 'http://orders.shop/public/a', method: 'POST', times, ends: { 403: times } },
      { from: 'client', url: 'tcp://orders.shop:9000', times, ends: { cut: times } },
      { from: 'old', url: 'http://orders.shop/public/a', times, ends: { 403: times } },
      { from: 'old', url: 'tcp://orders.shop:9000', times, ends: { ok: times } },
      { from: 'outside', url: 'http://orders.shop/public/a', times, ends: { 403: times } },
      { from: 'outside', url: 'tcp://orders.shop:9000', times, ends: { cut: times } },
      { from: 'outside', url: 'http://orders.example.com/', through: wayIn, times, ends: { ok: times } },
      { from: 'outside', url: 'http://back-door.example.com/', through: wayIn, times, ends: { 403: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { ok: times } },
      { from: 'old', url: 'http://client.shop/', times, ends: { 403: times } },
    );
  });

  describe('what is allowed of one workload, without defaultDeny', () => {
    beforeAll(() =>
      secure({
        authorization: {
          allow: [
            {
              ...{ name: 'legacy', namespace: 'shop', labels: { app: 'orders' } },
              from: { namespaces: ['legacy'] },
            },
          ],
        },
      }),
    );

    seen(
      { from: 'old', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'client', url: 'http://orders.shop/', times, ends: { 403: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { ok: times } },
    );
  });
});

describe('jwt', () => {
  describe('issuers whose keys are given, published and discovered', () => {
    beforeAll(async () => {
      server.arrivals.length = 0;
      await secure({
        jwt: [
          {
            ...{ name: 'login', namespace: 'shop', labels: { app: 'orders' } },
            ...{ issuer: login.name, jwks: login.jwks, audiences: ['shop'] },
          },
          { name: 'batch', issuer: batch.name, jwks: batch.jwks },
          {
            ...{ name: 'published', namespace: 'shop', labels: { app: 'client' } },
            ...{ issuer: published.name, jwksUri: `https://${cluster.hostAddress}:${server.port}/keys` },
          },
          { name: 'discovered', namespace: 'legacy', issuer: discovered.name },
        ],
      });
    });

    const good = login.token({ aud: 'shop' });
    const tokens = [
      { what: 'of its issuer and audience', token: good, end: 'ok' },
      { what: 'of an issuer of the whole mesh', token: batch.token(), end: 'ok' },
      { what: 'for another audience', token: login.token({ aud: 'other' }), end: '403' },
      { what: 'that somebody else has signed', token: forger.token({ aud: 'shop' }), end: '401' },
      { what: 'that has expired', token: login.token({ aud: 'shop', isExpired: true }), end: '401' },
      { what: 'of an unknown issuer', token: stranger.token({ aud: 'shop' }), end: '401' },
      { what: 'that is none', token: 'nonsense', end: '401' },
    ];

    seen({ from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } });

    test.each(tokens)('a request with a token $what gets $end', async ({ token, end }) => {
      const check = { from: 'client', url: 'http://orders.shop/', headers: bearer(token), times } as const;
      const arriveAt = { orders: end === 'ok' ? times : 0 };

      expect(await flawsOf(cluster, { ...check, ends: { [end]: times }, arriveAt })).toEqual([]);
    });

    test.each([
      ['are at jwksUri', 'client.shop', () => published],
      ['its OpenID configuration names', 'old.legacy', () => discovered],
    ] as const)(
      'an issuer whose keys %s is believed, and nobody in its name',
      async (_what, host, issuerOf) => {
        const check = { from: 'client', url: `http://${host}/`, times } as const;
        const issuer = issuerOf();
        const forged = new TokenIssuer(issuer.name);

        expect(
          await flawsOf(cluster, { ...check, headers: bearer(issuer.token()), ends: { ok: times } }),
        ).toEqual([]);
        expect(
          await flawsOf(cluster, { ...check, headers: bearer(forged.token()), ends: { 401: times } }),
        ).toEqual([]);
      },
    );

    test('keys are fetched by istiod alone', async () => {
      const istiod = await addressOf({ namespace: system, workload: 'deployment/istiod' });

      expect(new Set(server.arrivals.map(({ from }) => from))).toEqual(new Set([istiod]));
      expect(new Set(server.arrivals.map(({ path }) => path))).toEqual(
        new Set(['/keys', '/.well-known/openid-configuration', '/discovered']),
      );
    });

    test('a token is not passed on to the workload', async () => {
      const { headers } = await askAppFrom(cluster, client, 'http://orders.shop/', { headers: bearer(good) });

      expect(headers.Authorization).toBeUndefined();
    });
  });

  describe('tokens that are required, in a header of their own, and whose subject counts', () => {
    const inOwnHeader = (token: string) => [`x-token: Token ${token}`];
    const admin = login.token({ sub: 'admin' });

    beforeAll(() =>
      secure({
        authorization: {
          allow: [
            {
              ...{ name: 'admins', namespace: 'shop', labels: { app: 'orders' } },
              from: { requestPrincipals: [`${login.name}/admin`] },
            },
          ],
        },
        jwt: [
          {
            ...{ name: 'login', namespace: 'shop', labels: { app: 'orders' } },
            ...{ issuer: login.name, jwks: login.jwks, forward: true },
            fromHeaders: [{ name: 'x-token', prefix: 'Token ' }],
          },
          {
            ...{ name: 'door', namespace: 'legacy', labels: { app: 'old' } },
            ...{ issuer: batch.name, jwks: batch.jwks, required: true },
          },
        ],
      }),
    );

    seen(
      { from: 'client', url: 'http://old.legacy/', times, ends: { 403: times } },
      { from: 'client', url: 'tcp://old.legacy:9000', times, ends: { cut: times } },
      { from: 'old', url: 'http://client.shop/', times, ends: { ok: times } },
    );

    test.each([
      { what: 'a required one', host: 'old.legacy', headers: bearer(batch.token({ sub: 'job' })), end: 'ok' },
      {
        what: 'a required one without a subject',
        host: 'old.legacy',
        headers: bearer(batch.token()),
        end: 'ok',
      },
      {
        what: 'a required one of an unknown issuer',
        host: 'old.legacy',
        headers: bearer(stranger.token()),
        end: '401',
      },
      { what: 'one of the subject that may', host: 'orders.shop', headers: inOwnHeader(admin), end: 'ok' },
      {
        what: 'one in the usual header, where none is looked for',
        host: 'orders.shop',
        headers: bearer(admin),
        end: '403',
      },
      {
        what: 'one of another subject',
        host: 'orders.shop',
        headers: inOwnHeader(login.token({ sub: 'guest' })),
        end: '403',
      },
      {
        what: 'one that somebody else has signed',
        host: 'orders.shop',
        headers: inOwnHeader(forger.token({ sub: 'admin' })),
        end: '401',
      },
    ])('of tokens, $what gets $end', async ({ host, headers, end }) => {
      const check = { from: 'client', url: `http://${host}/`, headers, times } as const;

      expect(await flawsOf(cluster, { ...check, ends: { [end]: times } })).toEqual([]);
    });

    test('a token is passed on to the workload when that is asked for', async () => {
      const { headers } = await askAppFrom(cluster, client, 'http://orders.shop/', {
        headers: inOwnHeader(admin),
      });

      expect(headers['X-Token']).toEqual([`Token ${admin}`]);
    });
  });
});

describe('tls', () => {
  describe('minVersion TLSV1_3', () => {
    beforeAll(() => secure({ mtls: { mode: 'STRICT' }, tls: { minVersion: 'TLSV1_3' } }));

    test.each(tlsCallers)('%s refuses TLS 1.2, and takes 1.3', async (_name, callerOf) => {
      const caller = await callerOf();

      expect(await tlsOutcomes({ ...caller, version: 'TLSv1.2' }, times)).toEqual({
        [refusals.version]: times,
      });
      expect(await tlsOutcomes({ ...caller, version: 'TLSv1.3' }, times)).toEqual({ 'TLSv1.3 200': times });
    });

    seen({ from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } });
  });

  describe('cipherSuites', () => {
    beforeAll(() =>
      secure({
        mtls: { mode: 'STRICT' },
        tls: {
          minVersion: 'TLSV1_2',
          cipherSuites: ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
        },
      }),
    );

    test.each(tlsCallers)('%s takes those, and no other', async (_name, callerOf) => {
      const caller = await callerOf();
      const outcomes = (suite: string) =>
        tlsOutcomes({ ...caller, version: 'TLSv1.2', cipherSuite: suite }, times);

      expect(await outcomes(caller.strong)).toEqual({ [`TLSv1.2 ${caller.strong} 200`]: times });
      expect(await outcomes(caller.weak)).toEqual({
        [refusals.cipherSuite]: times,
      });
    });

    seen({ from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } });
  });
});

describe('egress', () => {
  beforeAll(() =>
    secure({
      mtls: { mode: 'STRICT' },
      authorization: { defaultDeny: true, allow: [ordersTakeClient] },
      egress: { gateway: 'way-out', hosts: [{ host: 'api.example.com', port: server.port }] },
    }),
  );

  seen(
    { from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } },
    { from: 'client', url: 'http://api.example.com/', through: hostOutside, times, ends: { 502: times } },
  );

  test('leads what workloads call of an allowed host through the gateway', async () => {
    takeArrivals('api.example.com');

    expect(
      await flawsOf(cluster, callOf('api.example.com', { from: 'client', ends: { ok: times } })),
    ).toEqual([]);
    expect(takeArrivals('api.example.com')).toEqual({
      [await addressOf({ namespace: system, workload: 'deployment/way-out' })]: times,
    });
  });

  test('refuses other hosts', async () => {
    takeArrivals('other.example.com');

    expect(
      await flawsOf(cluster, callOf('other.example.com', { from: 'client', ends: { cut: times } })),
    ).toEqual([]);
    expect(takeArrivals('other.example.com')).toEqual({});
  });

  test('does not hold a workload that evades its proxy', async () => {
    takeArrivals('other.example.com');

    expect(
      await flawsOf(cluster, callOf('other.example.com', { from: 'outside', ends: { ok: times } })),
    ).toEqual([]);
    expect(takeArrivals('other.example.com')).toEqual({ [await addressOf(outside)]: times });
  });
});

describe('when somebody opens the policies', () => {
  const security: Security = {
    mtls: { mode: 'STRICT' },
    authorization: {
      defaultDeny: true,
      allow: [ordersTakeClient],
    },
  };
  const asSaid: readonly TrafficCheck[] = [
    { from: 'client', url: 'http://orders.shop/', times, ends: { ok: times } },
    { from: 'old', url: 'http://orders.shop/', times, ends: { 403: times } },
    { from: 'old', url: 'http://client.shop/', times, ends: { 403: times } },
    { from: 'outside', url: 'http://orders.shop/', times, ends: { cut: times } },
    { from: 'outside', url: 'http://client.shop/', times, ends: { cut: times } },
  ];

  describe('before', () => {
    beforeAll(() => secure(security));

    seen(...asSaid);
  });

  describe('while the mesh is paused', () => {
    beforeAll(async () => {
      await applyMesh(cluster, manifest, { ...specWith(security), paused: { reason: 'somebody tries' } });
      await real.mesh.until('Paused');
      await openPolicies();
      await proxies.wait();
    });

    seen(
      { from: 'old', url: 'http://orders.shop/', times, ends: { ok: times } },
      { from: 'old', url: 'http://client.shop/', times, ends: { ok: times } },
      { from: 'outside', url: 'http://client.shop/', times, ends: { ok: times } },
    );
  });

  describe('after the pause', () => {
    beforeAll(() => secure(security));

    seen(...asSaid);
  });

  describe('once they have been repaired', () => {
    beforeAll(async () => {
      const before = await versionOf('peerauthentication', system, 'default');
      await openPolicies();
      await waitUntil({ what: 'the policies are back' }, async () => {
        const peer = await versionOf('peerauthentication', system, 'default');
        const deny = await cluster.kubectl(
          'get',
          'authorizationpolicy',
          'default-deny',
          '-n',
          system,
          '-o',
          'json',
        );
        const allow = await versionOf('authorizationpolicy', 'shop', 'client');
        return peer !== before && allow !== '' && !deny.includes('"rules"');
      });
      await proxies.wait();
    });

    seen(...asSaid);
  });

  async function openPolicies(): Promise<void> {
    await cluster.kubectl('delete', 'peerauthentication', 'default', '-n', system);
    await cluster.kubectl('delete', 'authorizationpolicy', 'client', '-n', 'shop');
    const patch = JSON.stringify({ spec: { rules: [{}] } });
    await cluster.kubectl(
      ...['patch', 'authorizationpolicy', 'default-deny', '-n', system, '--type', 'merge', '-p', patch],
    );
  }

  async function versionOf(kind: string, namespace: string, name: string): Promise<string> {
    const query = ['get', kind, name, '-n', namespace, '--ignore-not-found'];
    return cluster.kubectl(...query, '-o', 'jsonpath={.metadata.uid}');
  }
});

/** A test for each check, named by its sentence. */
function seen(...checks: readonly TrafficCheck[]): void {
  test.each(checks.map((check) => ({ check, sentence: sentenceOf(check) })))(
    '$sentence',
    async ({ check }) => {
      expect(await flawsOf(cluster, check)).toEqual([]);
    },
  );
}

/** Makes this `spec.security` of the mesh, and returns when the proxies have it. */
async function secure(security: Security): Promise<void> {
  await applyMesh(cluster, manifest, specWith(security));
  await real.mesh.until('Ready');
  await proxies.wait();
}

/** What is not in the manifest. The gateway knows the host outside by a name that no DNS of the cluster has. */
function specWith(security: Security): MeshOperatorSpec {
  const hostAliases = [{ ip: cluster.hostAddress, hostnames: ['api.example.com'] }];
  const patches = [{ path: 'spec.template.spec.hostAliases', value: hostAliases }];
  const resources = { requests: { cpu: '10m', memory: '40Mi' }, limits: { cpu: '1', memory: '256Mi' } };
  const overlays = [{ kind: 'Deployment', name: 'way-out', patches }];
  return {
    components: { egressGateways: [{ name: 'way-out', k8s: { replicaCount: 1, resources, overlays } }] },
    security,
  };
}

/** Calls of a host outside, by TLS. */
function callOf(host: string, check: Pick<TrafficCheck, 'from' | 'ends'>): TrafficCheck {
  const { port } = server;
  const through = `${cluster.hostAddress}:${port}`;
  return { ...check, url: `https://${host}:${port}/`, through, certificates: 'trusted', times };
}

/** How many requests for this host came from which address; begins to count anew. */
function takeArrivals(host: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const arrival of server.arrivals.splice(0)) {
    if (arrival.host === host) counts[arrival.from] = (counts[arrival.from] ?? 0) + 1;
  }
  return counts;
}

async function identityAt(url: string): Promise<string | undefined> {
  return clientIdentity(await askAppFrom(cluster, client, url));
}

/** IP address of the one pod of an app. */
async function addressOf({ namespace, workload }: AppContainer): Promise<string> {
  const app = workload.replace('deployment/', '');
  const query = [
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    `app=${app}`,
    '-o',
    'jsonpath={.items[*].status.podIP}',
  ];
  return cluster.kubectl(...query);
}

/** A caller without a version, and a cipher suite that is allowed below and one that is not. */
type Caller = Omit<TlsCaller, 'version' | 'cipherSuite'> & { readonly strong: string; readonly weak: string };

async function gatewayCaller(): Promise<Caller> {
  const address = (await real.mesh.status()).gateways?.find(({ name }) => name === 'istio-ingressgateway');
  return {
    ...{ address: address?.addresses[0] ?? '', port: 443, host: 'orders.example.com', ca: authority.ca },
    ...{ strong: 'ECDHE-ECDSA-AES256-GCM-SHA384', weak: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  };
}

/** One that speaks with the sidecar of orders as that of client would, by a certificate of the mesh. */
async function sidecarCaller(): Promise<Caller> {
  const text = await cluster.kubectl('get', 'secret', 'cacerts', '-n', system, '-o', 'json');
  const { data } = JSON.parse(text) as { data: Record<string, string> };
  const read = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString();
  const files = await filesAfter({ 'ca.crt': read('ca-cert.pem'), 'ca.key': read('ca-key.pem') }, [
    `${certificateRequest} -subj /O=test -keyout own.key -out own.crt ${issued} -addext subjectAltName=URI:${clientUri}`,
  ]);
  return {
    ...{ address: await addressOf(orders), port: 8080, host: 'orders.shop.svc.cluster.local' },
    ...{ serverUri: 'spiffe://cluster.local/ns/shop/sa/orders', ca: read('root-cert.pem') },
    ...{ cert: `${files['own.crt']}${read('ca-cert.pem')}`, key: files['own.key'] ?? '' },
    ...{ strong: 'ECDHE-RSA-AES256-GCM-SHA384', weak: 'ECDHE-RSA-AES128-GCM-SHA256' },
  };
}

const certificateRequest = 'openssl req -x509 -days 2 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256';
const issued = '-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE';

/** An authority outside the mesh, and a certificate of it for all that is outside. */
async function outsideAuthority(address: string) {
  const names = `subjectAltName=DNS:*.example.com,IP:${address}`;
  const files = await filesAfter({}, [
    `${certificateRequest} -subj /CN=outside -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign`,
    `${certificateRequest} -subj /CN=host -keyout tls.key -out tls.crt ${issued} -addext '${names}'`,
  ]);
  return { ca: files['ca.crt'] ?? '', cert: files['tls.crt'] ?? '', key: files['tls.key'] ?? '' };
}

async function applyObjects(...items: readonly object[]): Promise<void> {
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

function aNamespace(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function aSecret(namespace: string, name: string, stringData: object) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
}
