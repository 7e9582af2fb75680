import { get } from 'node:http';
import { dump } from 'js-yaml';
import { expect, test } from 'vitest';
import type { RemoteIdentity } from '../../../src/kube/remote-identity.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { askAppFrom, clientIdentity, outcomeFrom } from '../../support/app-requests.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { mayListServices } from '../../support/remote-cluster.ts';
import { restartServers, shopCaller, shopNamespace, shopUrl } from '../../support/shop-apps.ts';

/** The istiod of the west runs in the east; apps and resources of Istio are in the west. */
const both = joinedShop('examples/multi-cluster/external', 'separate', { client: 'west' });

test('one cluster has istiod and nothing else of the mesh, and the other one the injector alone', async () => {
  const { east, west } = both;
  expect(await east.deployments()).toEqual(['istiod']);
  expect(await west.deployments()).toEqual(['sidecar-injector']);
  expect(await east.knownClusters()).toEqual(['west']);
});

test('proxies are told the address that a load balancer gave to istiod', async () => {
  const { east, west } = both;
  const service = ['service', 'istiod-external', '-n', 'istio-system'];
  const path = 'jsonpath={.status.loadBalancer.ingress[*].ip}';
  const address = await east.cluster.kubectl('get', ...service, '-o', path);

  expect(await west.addressesOfIstiod()).toEqual([address]);
});

test('workloads call each other over mTLS, and without it none is let in where a policy says so', async () => {
  const { cluster } = both.west;
  expect(await plaintextOutcome()).toBe('status 200');

  await cluster.apply(policy('PeerAuthentication', { mtls: { mode: 'STRICT' } }));
  await waitUntil({ what: 'plaintext is refused' }, async () => (await plaintextOutcome()) === 'ECONNRESET');

  const answer = await askAppFrom(cluster, shopCaller, shopUrl);
  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});

test('a route and a policy that are applied there take effect', async () => {
  const { cluster } = both.west;
  await cluster.apply(routeMarking('first'));
  await untilMarked('first');

  const closed = `${shopUrl}closed`;
  expect(await outcomeFrom(cluster, shopCaller, closed)).toBe('ok');
  await cluster.apply(
    policy('AuthorizationPolicy', {
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/closed'] } }] }],
    }),
  );
  await waitUntil({ what: 'the path is closed' }, async () => {
    return (await outcomeFrom(cluster, shopCaller, closed)) === 'status-403';
  });
  expect(await outcomeFrom(cluster, shopCaller, shopUrl)).toBe('ok');
});

test('a token of istiod that is taken back as soon as there is another fails no request', async () => {
  const { east, west } = both;
  const before = await east.istiodIn('west');
  const what = 'token of an istiod for another cluster';
  const outcome = await callsWhile(west.cluster, { callers: [shopCaller], what, further: 10 }, async () => {
    await east.askForTokens('now');
    await east.untilRemote('another token is in the file', ({ reason }) => reason === 'Delivering');
    // The operator waits four minutes before it does so. At once is harder: istiod may not have read the file again.
    await west.cluster.kubectl('delete', 'secret', holderOf(before), '-n', 'istio-system');
    await waitUntil({ what: 'the token is refused' }, async () => {
      return (await mayListServices(before)) === 'Unauthorized';
    });

    // Whose new proxies are, istiod asks the API server of the west, by the token that it has now.
    await restartServers(west.cluster);
    await west.cluster.apply(routeMarking('second'));
    await untilMarked('second');
  });

  expect(outcome.failures).toEqual({});
  expect(await mayListServices(await east.istiodIn('west'))).toBe(true);
});

/** How a request without TLS to the server ends, from outside the mesh. */
async function plaintextOutcome(): Promise<string> {
  const pods = ['pods', '-n', shopNamespace, '-l', 'app=server'];
  const address = await both.west.cluster.kubectl('get', ...pods, '-o', 'jsonpath={.items[*].status.podIP}');
  return new Promise((resolve) => {
    get({ host: address, port: 8080, agent: false }, (response) => {
      response.resume();
      resolve(`status ${response.statusCode}`);
    }).on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'));
  });
}

/** A policy for the servers. */
function policy(kind: 'PeerAuthentication' | 'AuthorizationPolicy', rules: object): string {
  const selector = { matchLabels: { app: 'server' } };
  return manifest('security.istio.io/v1', kind, { selector, ...rules });
}

/** A route to the servers by which requests get a header. */
function routeMarking(mark: string): string {
  const host = `server.${shopNamespace}.svc.cluster.local`;
  const headers = { request: { set: { 'x-mark': mark } } };
  return manifest('networking.istio.io/v1', 'VirtualService', {
    hosts: [host],
    http: [{ headers, route: [{ destination: { host } }] }],
  });
}

async function untilMarked(mark: string): Promise<void> {
  await waitUntil({ what: `requests take the ${mark} route` }, async () => {
    const { headers } = await askAppFrom(both.west.cluster, shopCaller, shopUrl);
    return headers['X-Mark']?.join() === mark;
  });
}

function manifest(apiVersion: string, kind: string, spec: object): string {
  return dump({ apiVersion, kind, metadata: { name: 'server', namespace: shopNamespace }, spec });
}

/** The Secret that a token of istiod is bound to. */
function holderOf({ credential }: RemoteIdentity): string {
  if (!('token' in credential)) throw new Error('istiod has no token');
  const [, claims = ''] = credential.token.split('.');
  const { 'kubernetes.io': binding } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims;
  return binding.secret.name;
}

interface Claims {
  readonly 'kubernetes.io': { readonly secret: { readonly name: string } };
}
