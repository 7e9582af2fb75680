import { readFile } from 'node:fs/promises';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import { cutClusters, joinClusters } from '../../cluster/join-clusters.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { ApiServerOutage, outagesTimeoutMs } from '../../support/api-server-outage.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { kubeconfigAs } from '../../support/kubeconfig-as.ts';
import { kubeconfigUntil } from '../../support/passing-kubeconfig.ts';
import { mayListServices } from '../../support/remote-cluster.ts';
import {
  restartServers,
  scaleServers,
  shopCaller,
  shopNamespace,
  untilAnsweredBy,
} from '../../support/shop-apps.ts';

const callers = [shopCaller];

const both = joinedShop('examples/multi-cluster/multi-primary', 'separate');

describe('a kubeconfig of the other cluster', () => {
  test.each([
    {
      what: 'ends',
      kubeconfig: () => kubeconfigUntil(both.west.cluster, new Date(Date.now() - 1_000)),
      reason: 'Unauthorized',
    },
    {
      what: 'leads to the wrong cluster',
      kubeconfig: () => readFile(both.east.cluster.kubeconfigPath, 'utf8'),
      reason: 'OwnCluster',
    },
    {
      what: 'grants too little',
      kubeconfig: async () => {
        const { cluster } = both.west;
        await cluster.kubectl('create', 'serviceaccount', 'visitor', '-n', 'istio-system');
        const token = await cluster.kubectl('create', 'token', 'visitor', '-n', 'istio-system');
        return kubeconfigAs(cluster, { token: token.trim() });
      },
      reason: 'RightsMissing',
    },
  ])('that $what is named, and changes nothing that is there', async ({ what, kubeconfig, reason }) => {
    const { east, west } = both;
    const reader = await east.readerIn('west');
    const bad = await kubeconfig();
    const outcome = await callsWhile(east.cluster, { callers, what, further: 10 }, async () => {
      await east.putKubeconfig('west', bad);
      const remote = await east.untilRemote(`is refused: ${reason}`, (now) => now.reason === reason);
      expect(remote.state).toBe('Refused');
      expect((await east.mesh.condition('RemotesReady'))?.reason).toBe('RemoteRefused');
      expect(await east.readerIn('west')).toEqual(reader);

      await east.putKubeconfig('west', await readFile(west.cluster.kubeconfigPath, 'utf8'));
      await east.untilConnected();
    });
    expect(outcome.failures).toEqual({});
    expect(await east.readerIn('west')).toEqual(reader);
  });
});

test('an API server that goes while a token is replaced fails no request, and holds up no start of istiod', {
  timeout: outagesTimeoutMs(2),
}, async () => {
  const { east, west } = both;
  const outage = new ApiServerOutage(west.cluster);
  const { since } = await east.untilConnected();
  const { credential } = await east.readerIn('west');
  const toWest = await callsWhile(
    east.cluster,
    { callers, what: 'API server goes', further: 10 },
    async () => {
      await east.askForTokens('before-it-goes');
      await outage.begin();
      const away = await east.untilRemote('cannot be reached', isUnreachable);
      await outage.hold();
      const held = await east.untilRemote('cannot be reached', isUnreachable);
      expect(held.since).toBe(away.since);
      expect(await east.knownClusters()).toEqual(['east', 'west']);
    },
  );
  expect(toWest.failures).toEqual({});

  await scaleServers(east.cluster, 1);
  await untilAnsweredBy(east.cluster, 'server-east');
  const own = await callsWhile(
    east.cluster,
    { callers, what: 'istiod starts without it', further: 10 },
    async () => {
      await east.restartIstiod();
      await restartServers(east.cluster);
      await untilAnsweredBy(east.cluster, 'server-east');
      await outage.hold();
    },
  );
  expect(own.failures).toEqual({});
  await east.mesh.untilReason('ControlPlaneReady', 'Healthy');
  const remote = await east.untilRemote('cannot be reached', isUnreachable);
  expect(Date.parse(remote.since ?? '')).toBeGreaterThan(Date.parse(since ?? ''));
  expect((await east.mesh.condition('RemotesReady'))?.message).toMatch(/^Cluster west Cannot /);

  const back = await callsWhile(
    east.cluster,
    { callers, what: 'API server is back', further: 10 },
    async () => {
      await outage.end();
      await east.untilConnected();
    },
  );
  expect(back.failures).toEqual({});
  const reader = await east.readerIn('west');
  expect(reader.credential).not.toEqual(credential);
  expect(await mayListServices(reader)).toBe(true);
  expect(await mayListServices({ ...reader, credential })).toBe('Unauthorized');
  await scaleServers(east.cluster, 0);
  await untilAnsweredBy(east.cluster, 'server-west');
});

test('a cluster that answers by halves holds up no start of istiod', async () => {
  const { east, west } = both;
  const role = ['clusterrole', 'istio-reader-east-istio-system'];
  const { rules } = JSON.parse(await west.cluster.kubectl('get', ...role, '-o', 'json')) as ReaderRole;
  const fewer = rules.filter(({ apiGroups }) => !apiGroups.includes('apiextensions.k8s.io'));
  // Or else the operator gives them back before istiod has waited long.
  await west.cluster.apply(withoutDefinitions);
  const touch = ['annotate', ...role, 'tried=1', '--dry-run=server'];
  await waitUntil({ what: 'the reader may have no such rights' }, () =>
    west.cluster.kubectl(...touch).then(
      () => false,
      (error: Error) => error.message.includes('no-definitions'),
    ),
  );
  await west.cluster.kubectl('patch', ...role, '--type=merge', '-p', JSON.stringify({ rules: fewer }));

  await east.cluster.kubectl('delete', 'pods', '-n', 'istio-system', '-l', 'app=istiod');
  await east.mesh.untilEvent('RemoteWithheld', 'cluster west');
  await east.mesh.untilReason('ControlPlaneReady', 'Healthy');

  const policies = 'validatingadmissionpolicies,validatingadmissionpolicybindings';
  await west.cluster.kubectl('delete', policies, 'no-definitions');
  await east.untilConnected();
  await untilAnsweredBy(east.cluster, 'server-west');
});

test('a cut between the clusters fails no request that may be tried again, and heals by itself', async () => {
  const { east, west } = both;
  await scaleServers(east.cluster, 1);
  await east.cluster.apply(evenly);
  await untilAnsweredBy(east.cluster, 'server-east', 'server-west');
  const outcome = await callsWhile(east.cluster, { callers, what: 'cut', further: 20 }, async () => {
    await cutClusters(east.cluster, west.cluster);
    await east.askForTokens('while-it-is-cut');
    await untilAnsweredBy(east.cluster, 'server-east');
    await east.untilRemote('cannot be reached', isUnreachable);
    await joinClusters(east.cluster, west.cluster, 'separate');
    await untilAnsweredBy(east.cluster, 'server-east', 'server-west');
    await east.untilConnected();
  });
  expect(outcome.failures).toEqual({});
});

test('a cluster that is gone for good and named no more leaves nothing behind, and nothing waits for it', async () => {
  const { east, west } = both;
  const outcome = await callsWhile(
    east.cluster,
    { callers, what: 'gone for good', further: 20 },
    async () => {
      await cutClusters(east.cluster, west.cluster);
      await east.mesh.change({ multiCluster: { remotes: [] } });
      await east.mesh.untilStatus('names it no more', ({ remotes, conditions = [] }) => {
        return remotes === undefined && conditions.every(({ type }) => type !== 'RemotesReady');
      });
      await east.mesh.until('Ready');
      await untilAnsweredBy(east.cluster, 'server-east');
    },
  );
  expect(outcome.failures).toEqual({});
  expect(await east.remoteSecrets()).toEqual([]);
  expect(await east.knownClusters()).toEqual(['east']);
});

/** What the istiod of one cluster may read in the other. */
interface ReaderRole {
  readonly rules: readonly { readonly apiGroups: readonly string[] }[];
}

/** The API server refuses whatever would have the reader read definitions of kinds. */
const withoutDefinitions = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'no-definitions' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            ...{ apiGroups: ['rbac.authorization.k8s.io'], apiVersions: ['v1'], operations: ['UPDATE'] },
            ...{ resources: ['clusterroles'], resourceNames: ['istio-reader-east-istio-system'] },
          },
        ],
      },
      validations: [{ expression: "!object.rules.exists(rule, 'apiextensions.k8s.io' in rule.apiGroups)" }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'no-definitions' },
    spec: { policyName: 'no-definitions', validationActions: ['Deny'] },
  },
]
  .map((object) => dump(object))
  .join('---\n');

/** Calls go to both regions alike, and are tried again when one of them does not answer. */
const evenly = [
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'server', namespace: shopNamespace },
    spec: {
      host: 'server.shop.svc.cluster.local',
      trafficPolicy: {
        connectionPool: { tcp: { connectTimeout: '1s' } },
        loadBalancer: {
          localityLbSetting: { distribute: [{ from: 'east/*', to: { 'east/*': 50, 'west/*': 50 } }] },
        },
        outlierDetection: { consecutiveGatewayErrors: 2, interval: '1s', baseEjectionTime: '5s' },
      },
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'server', namespace: shopNamespace },
    spec: {
      hosts: ['server.shop.svc.cluster.local'],
      http: [
        {
          route: [{ destination: { host: 'server.shop.svc.cluster.local' } }],
          retries: { attempts: 5, perTryTimeout: '2s', retryOn: 'connect-failure,reset,gateway-error' },
        },
      ],
    },
  },
]
  .map((object) => dump(object))
  .join('---\n');

const isUnreachable = ({ state }: RemoteStatus) => state === 'Unreachable';
