import { isDeepStrictEqual } from 'node:util';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { tenancyProve } from '../../../src/cli/tenancy-prove.ts';
import { enrolledMembers } from '../../../src/controllers/mesh/decide-members.ts';
import type { GuardedMesh } from '../../../src/render/network-policy/parties.ts';
import { dnsPodPort } from '../../cluster/cluster-dns.ts';
import type { CommandError } from '../../cluster/toolchain/run-command.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { askAppFrom, clientIdentity, execIn, outcomeFrom } from '../../support/app-requests.ts';
import { AuditLog } from '../../support/audit-log.ts';
import { CertifiedUser } from '../../support/certified-user.ts';
import { isNeeded } from '../../support/flow-places.ts';
import { askGateway } from '../../support/gateway-request.ts';
import { openssl } from '../../support/openssl.ts';
import { listenOutside, type OutsideHttpServer } from '../../support/outside-http-server.ts';
import { type OutsideServer, startOutsideServer } from '../../support/outside-server.ts';
import type { Probe } from '../../support/packet-agent.ts';
import { sendFromPods } from '../../support/pod-packets.ts';
import { type AddressedPod, addressedPods, placesOf } from '../../support/pod-places.ts';
import { readShownChain } from '../../support/proxy-trust.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { filesAfter } from '../../support/shell.ts';
import {
  appOf,
  hostOf,
  type Party,
  partiesOf,
  proxyOf,
  startTenancy,
  stopTenancy,
  type TenancyCluster,
} from '../../support/tenancy-cluster.ts';

const names = ['tenant', 'neighbour', 'outsider'] as const;

const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })));

/** A namespace of none of them. */
const elsewhere = 'elsewhere';

let world: TenancyCluster;
let audit: AuditLog;
/** On this machine: those that a tenant comes to allow, by their names and by address, and one that nobody does. */
let outside: OutsideHttpServer;
let secure: OutsideServer;
let nameless: OutsideHttpServer;
let closed: OutsideHttpServer;

beforeAll(async () => {
  audit = new AuditLog(await sharedCluster('kubelet'));
  await audit.restart();
  world = await startTenancy();
  outside = await listenOutside(world.cluster);
  secure = await startOutsideServer(world.cluster.hostAddress, await aCertificate());
  nameless = await listenOutside(world.cluster);
  closed = await listenOutside(world.cluster);
});

afterAll(async () => {
  for (const server of [outside, secure, nameless, closed]) server?.close();
  if (world === undefined) return;
  await world.cluster.kubectl('delete', 'namespace', '--ignore-not-found', elsewhere);
  await stopTenancy(world);
});

describe.each(names)('the %s', (name) => {
  test('has apps that call each other by mutual TLS, in its own trust domain', async () => {
    const { members, trustDomain } = world[name];
    const [front, back = front] = members;

    const answer = await askAppFrom(world.cluster, appOf(back), `http://${front}.${front}/`);

    expect(answer.name).toBe(front);
    expect(clientIdentity(answer)).toBe(`spiffe://${trustDomain}/ns/${back}/sa/${back}`);
  });

  test('is reached through its own gateway, which knows no host of others', async () => {
    const { mesh, trustDomain, namespace } = world[name];
    const address = (await mesh.status()).gateways?.[0]?.addresses[0] ?? '';
    const ask = (party: Party) => askGateway(address, hostOf(party));

    const { body } = await waitUntil(
      { what: 'the app answers through the gateway', intervalMs: 200 },
      async () => {
        const answer = await ask(world[name]);
        return answer.status === 200 ? answer : undefined;
      },
    );

    expect(clientIdentity(JSON.parse(body))).toContain(`spiffe://${trustDomain}/ns/${namespace}/sa/`);
    for (const other of names.filter((candidate) => candidate !== name)) {
      expect((await ask(world[other])).status).toBe(404);
    }
  });

  test('has an istiod that knows no Service of the others, and tells its proxies of none', async () => {
    const { members, namespace } = world[name];
    const istiod = {
      namespace,
      workload: await deploymentOf(namespace, 'app=istiod'),
      container: 'discovery',
    };
    const services = (text: string) =>
      names.filter((other) => world[other].members.some((member) => text.includes(`${member}.svc`)));

    const known = await execIn(
      world.cluster,
      istiod,
      'pilot-discovery',
      'request',
      'GET',
      '/debug/registryz',
    );
    const told = await execIn(
      world.cluster,
      proxyOf(members[0]),
      'pilot-agent',
      'request',
      'GET',
      'clusters',
    );

    expect([services(known), services(told)]).toEqual([[name], [name]]);
  });
});

test.each(pairs)(
  'an app of the $from does not reach one of the $to, by its name or its address',
  async ({ from, to }) => {
    const [caller] = world[from].members;
    const [called] = world[to].members;
    const address = await world.cluster.kubectl(
      ...['get', 'pods', '-n', called, '-o', 'jsonpath={.items[0].status.podIP}'],
    );

    const outcomes = await Promise.all(
      [
        `http://${called}.${called}.svc.cluster.local/`,
        `http://${address}:8080/`,
        `tcp://${address}:8080`,
      ].map((url) => outcomeFrom(world.cluster, appOf(caller), url)),
    );

    expect(outcomes).not.toContain('ok');
  },
);

describe('certificates', () => {
  test.each(names.flatMap((of) => names.map((root) => ({ of, root }))))(
    'that a proxy of the $of shows, by the root of the $root',
    async ({ of, root }) => {
      const [member] = world[of].members;
      const chain = await readShownChain(world.cluster, proxyOf(member));
      const files = { 'chain.pem': chain, 'root.pem': await rootsOf(world[root]) };
      const verify = ['verify', '-CAfile', 'root.pem', '-untrusted', 'chain.pem', 'chain.pem'];

      const outcome = await openssl(files, ...verify).catch((error: CommandError) => error.stderr);

      expect(outcome).toMatch(of === root ? /chain\.pem: OK/ : /chain\.pem: verification failed/);
    },
  );
});

describe('a host outside', () => {
  const host = (name: string) => `${name}.${elsewhere}.svc.cluster.local`;

  beforeAll(async () => {
    // Names of the cluster's DNS for a server outside of it, which no mesh of a tenant discovers.
    await world.cluster.apply(
      [dump(aNamespace(elsewhere)), ...['api', 'other'].map(aNameOutside)].join('---\n'),
    );
  });

  test('is called by members that their tenant allows it, by its name, address and port, and by nobody else', async () => {
    const { cluster, tenant, neighbour } = world;
    const [member] = tenant.members;
    const call = (url: string, caller: string = member) => outcomeFrom(cluster, appOf(caller), url);
    const allowed = {
      [`http://${host('api')}:${outside.port}/`]: 'ok',
      // Nobody trusts its certificate, and to see that one has to be there.
      [`https://${host('api')}:${secure.port}/`]: 'tls',
      [`http://${nameless.address}:${nameless.port}/`]: 'ok',
    };
    const outcomes = async (caller?: string) =>
      Object.fromEntries(
        await Promise.all(Object.keys(allowed).map(async (url) => [url, await call(url, caller)] as const)),
      );
    const before = await outcomes();
    const cidrs = [`${outside.address}/32`];
    const byName = [
      { port: outside.port, protocol: 'HTTP' },
      { port: secure.port, protocol: 'TLS' },
    ];

    await tenant.mesh.change({
      tenancy: {
        egress: [
          { host: host('api'), ports: byName, cidrs },
          { host: 'nameless.example.com', ports: [{ port: nameless.port, protocol: 'TCP' }], cidrs },
        ],
      },
    });

    let after = {};
    const explain = async () => JSON.stringify(after);
    await waitUntil({ what: 'the hosts are allowed', explain }, async () => {
      after = await outcomes();
      return isDeepStrictEqual(after, allowed);
    });
    const refused = [
      ...Object.values(before),
      ...Object.values(await outcomes(neighbour.members[0])),
      await call(`http://${host('other')}:${outside.port}/`),
      await call(`https://${host('other')}:${secure.port}/`),
      await call(`http://${host('api')}:${closed.port}/`),
      await call(`http://${closed.address}:${closed.port}/`),
    ];
    expect(refused.filter((outcome) => ['ok', 'tls'].includes(outcome))).toEqual([]);
    expect(new Set(outside.seen.map((headers) => headers.host))).toEqual(
      new Set([`${host('api')}:${outside.port}`]),
    );
    expect(closed.seen).toEqual([]);
  });

  function aNameOutside(name: string): string {
    const metadata = { name, namespace: elsewhere };
    const ports = [{ name: 'http', port: outside.port }];
    return [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: 'None', ports } },
      {
        ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
        ...{ addressType: 'IPv4', ports, endpoints: [{ addresses: [outside.address] }] },
      },
    ]
      .map((object) => dump(object))
      .join('---\n');
  }
});

describe('packets between all pods, the node and this machine', () => {
  const ports = [
    53,
    80,
    443,
    dnsPodPort,
    6443,
    8080,
    8081,
    15000,
    15010,
    15012,
    15014,
    15017,
    15020,
    15021,
    15090,
  ];

  test('pass where the tables of flows have them, on every port, and nowhere else', async () => {
    const { cluster } = world;
    const pods = await addressedPods(cluster);
    const views = (await meshes()).map((mesh) => ({ mesh, places: placesOf(mesh, pods, cluster) }));
    const places = views[0]?.places ?? [];
    const wanted = places.flatMap((from, i) =>
      places.flatMap((to, j) =>
        isBetweenPods(from, to)
          ? [...ports, ...[outside, secure, nameless, closed].map(({ port }) => port)].flatMap((port) =>
              (['TCP', 'UDP'] as const)
                // How many refusals a second this machine sends is not ours to say.
                .filter((protocol) => protocol === 'TCP' || to.address !== cluster.hostAddress)
                .map((protocol) => ({
                  text: `${from.name} -> ${to.name}:${port}/${protocol}`,
                  packet: { from: from.address, to: to.address, port, protocol },
                  // Each mesh speaks of its own end.
                  isNeeded: views.every((view) => {
                    const [sender, receiver] = [view.places[i], view.places[j]];
                    return sender && receiver && isNeeded(view.mesh, sender, receiver, { port, protocol });
                  }),
                })),
            )
          : [],
      ),
    );

    const answered = await sendFromPods(
      cluster,
      wanted.map(({ packet }, id): Probe => ({ id, ...packet })),
    );

    expect(wanted.filter((row) => row.isNeeded).length).toBeGreaterThan(500);
    expect(wanted.filter((row) => !row.isNeeded).length).toBeGreaterThan(1_000);
    expect(
      wanted.flatMap((row, id) =>
        row.isNeeded === answered.has(id) ? [] : [`${row.text} ${row.isNeeded ? 'is cut' : 'passes'}`],
      ),
    ).toEqual([]);
  });

  function isBetweenPods(from: { address: string; pod?: unknown }, to: typeof from): boolean {
    return from.address !== to.address && (from.pod !== undefined || to.pod !== undefined);
  }
});

test('tenancy prove says of both tenants that they are isolated', async () => {
  const { code, stdout } = await prove();

  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/payments.*isolated/) });
});

describe('somebody of the team of the tenant', () => {
  let user: CertifiedUser;

  beforeAll(async () => {
    user = await CertifiedUser.create(world.cluster, {
      ...{ commonName: 'payments-developer', organization: 'payments-team' },
    });
  });

  test('deploys in a member, with routes, and reads what is there', async () => {
    const deploy = ['create', 'deployment', 'own', '--image=meshoperator.dev/test-app:1', '-n', 'pay-api'];
    await user.kubectl([...deploy, '--', '/test-app', 'serve']);
    await user.kubectl(['apply', '-f', '-'], aServiceEntry());

    await user.kubectl(['rollout', 'status', 'deployment/own', '-n', 'pay-api', '--timeout=240s']);

    expect(await user.kubectl(['get', 'secrets,networkpolicies', '-n', 'pay-db', '-o', 'name'])).toContain(
      'networkpolicy.networking.k8s.io/tenant-payments',
    );
    expect(await user.kubectl(['get', 'pods', '-n', 'pay-api', '-l', 'app=own', '-o', 'json'])).toContain(
      '"istio-proxy"',
    );
    await user.kubectl(['delete', 'deployment/own', 'serviceentries/own', '-n', 'pay-api']);
  });

  test.each([
    'get secrets -n ord-api',
    'get pods -n ord-api',
    'create configmap foreign -n ord-api',
    'delete networkpolicy tenant-orders -n ord-api',
    'get secrets -n payments-system',
    'create configmap foreign -n payments-system',
    'exec -n payments-system deployment/istiod-payments -- true',
    'create token istiod-payments -n payments-system',
    'get secrets -n istio-system',
    'get secrets -n mesh-operator',
    'get secrets -A',
    'label namespace pay-api meshoperator.dev/tenant=orders --overwrite',
    'label namespace pay-api meshoperator.dev/member-',
    'label namespace ord-api meshoperator.dev/tenant=payments --overwrite',
    'create namespace pay-more',
    'delete namespace pay-api',
    'get meshoperators -A',
    'delete mesh payments -n payments-system',
    'patch mesh payments -n payments-system --type=merge -p {"spec":{"networkPolicy":null}}',
    'patch mesh orders -n orders-system --type=merge -p {"spec":{"networkPolicy":null}}',
    'delete resourcequota tenant-payments -n pay-api',
    'patch limitrange tenant-payments -n pay-api --type=merge -p {"spec":{"limits":[]}}',
    'delete mutatingwebhookconfigurations --all',
    'delete validatingwebhookconfigurations --all',
    'delete clusterrole istiod-clusterrole-payments-payments-system',
    'create clusterrolebinding own --clusterrole=cluster-admin --user=payments-developer',
    'create rolebinding own -n pay-api --clusterrole=cluster-admin --user=payments-developer',
    'create rolebinding own -n pay-api --clusterrole=istiod-member-payments-payments-system --user=payments-developer',
  ])('may not: kubectl %s', async (command) => {
    const outcome = await user.kubectl(command.split(' ')).catch((error: CommandError) => error.stderr);

    expect(outcome).toMatch(/forbidden/i);
  });

  test.each([
    ['a control plane', { revision: 'own', profile: 'minimal' }],
    [
      'a tenant of the same name',
      { revision: 'own', profile: 'minimal', tenancy: { tenant: 'payments', members: { selector: {} } } },
    ],
  ])('may not have %s in a member', async (_what, spec) => {
    const mesh = {
      ...{ apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator' },
      ...{ metadata: { name: 'own', namespace: 'pay-api' }, spec },
    };

    await expect(user.kubectl(['apply', '-f', '-'], dump(mesh))).rejects.toThrow(/denied the request/);
  });

  test('opens with a NetworkPolicy the way out of its members, and not the way to the neighbour', async () => {
    const { cluster, tenant, neighbour, outsider } = world;
    const metadata = { name: 'open', namespace: 'pay-api' };
    const spec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };
    await user.kubectl(
      ['apply', '-f', '-'],
      dump({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec }),
    );
    const pods = await addressedPods(cluster);
    const [from] = podsIn(pods, [tenant.members[0]]);
    const reached = async (to: readonly AddressedPod[]) => {
      const probes = to.flatMap(({ status }) =>
        [80, 8080, 15012, 15021].map((port) => ({ to: status.podIP, port })),
      );
      const answered = await sendFromPods(
        cluster,
        probes.map((probe, id) => ({ id, from: from?.status.podIP ?? '', protocol: 'TCP', ...probe })),
      );
      return probes.filter((_, id) => answered.has(id)).length;
    };
    await waitUntil({ what: 'the policy counts' }, async () => {
      return (await reached(podsIn(pods, outsider.members))) === 4;
    });

    expect(await reached(podsIn(pods, neighbour.members))).toBe(0);
    expect(await prove()).toMatchObject({ code: 1, stdout: expect.stringContaining('pay-api/open') });

    await user.kubectl(['delete', 'networkpolicy', 'open', '-n', 'pay-api']);
  });
});

/** At the end, when they have done all that they do here. */
test.each(names)('nothing that istiod of the %s asks for is forbidden', async (name) => {
  const { namespace } = world[name];
  const deployment = await deploymentOf(namespace, 'app=istiod');
  const account = await world.cluster.kubectl(
    ...['get', '-n', namespace, deployment, '-o', 'jsonpath={.spec.template.spec.serviceAccountName}'],
  );

  const requests = await audit.requestsOf(`system:serviceaccount:${namespace}:${account}`);

  expect(requests.length).toBeGreaterThan(0);
  expect(requests.filter(({ code }) => code === 403)).toEqual([]);
});

async function aCertificate(): Promise<{ cert: string; key: string }> {
  const files = await filesAfter({}, [
    'openssl req -x509 -days 2 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=outside -keyout key -out cert',
  ]);
  return { cert: files.cert ?? '', key: files.key ?? '' };
}

function aNamespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function prove(): Promise<CliRun> {
  const { kubeconfigPath: kubeconfig } = world.cluster;
  return runCli((terminal) => tenancyProve({ kubeconfig, output: 'text' }, terminal));
}

function podsIn(pods: readonly AddressedPod[], namespaces: readonly string[]): AddressedPod[] {
  return pods.filter(({ metadata }) => namespaces.includes(metadata.namespace));
}

/** Each with its defaults, and with the members that its status has. */
async function meshes(): Promise<GuardedMesh[]> {
  return Promise.all(
    partiesOf(world).map(async ({ mesh }) => {
      const object = (await mesh.read()) as unknown as MeshOperator;
      const memberNamespaces = enrolledMembers(object.status?.members);
      return { ...resolveMesh(object), memberNamespaces } as GuardedMesh;
    }),
  );
}

async function rootsOf({ members, bundle }: Party): Promise<string> {
  const path = 'jsonpath={.data.root-cert\\.pem}';
  return world.cluster.kubectl('get', 'configmap', bundle, '-n', members[0], '-o', path);
}

async function deploymentOf(namespace: string, selector: string): Promise<string> {
  const text = await world.cluster.kubectl(
    'get',
    'deployments',
    '-n',
    namespace,
    '-l',
    selector,
    '-o',
    'name',
  );
  return text.trim();
}

function aServiceEntry(): string {
  return dump({
    ...{ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' },
    metadata: { name: 'own', namespace: 'pay-api' },
    spec: {
      hosts: ['own.example.com'],
      resolution: 'DNS',
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    },
  });
}
