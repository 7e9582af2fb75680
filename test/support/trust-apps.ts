import { dump } from 'js-yaml';
import type { AppContainer } from './app-requests.ts';
import { handshakeForEachRequest } from './handshake-for-each-request.ts';

const image = 'meshoperator.dev/test-app:1';
const controlPlane = 'istio-system';
const outside = 'outside';
const gatewayHost = 'front.example.com';

interface App {
  readonly namespace: string;
  readonly name: string;
}

/** Apps that serve, and call all of them that are in other namespaces. */
const servers: readonly App[] = [
  { namespace: 'shop', name: 'front' },
  { namespace: 'shop', name: 'cart' },
  { namespace: 'stock', name: 'items' },
  { namespace: 'stock', name: 'store' },
  { namespace: 'billing', name: 'bills' },
  { namespace: 'billing', name: 'ledger' },
];
/** An app that only calls: nobody misses it while its proxy is frozen. */
const auditor: App = { namespace: 'billing', name: 'audit' };
const injected = [...servers, auditor];

/** Namespaces of the apps with sidecars, and of the one caller without. */
export const trustNamespaces: readonly string[] = [
  ...new Set(injected.map(({ namespace }) => namespace)),
  outside,
];

/** Containers that call without end: those of the apps, and one outside the mesh that calls through the gateway. */
export const trustCallers: readonly AppContainer[] = [
  ...injected.map((app) => ({ ...workloadOf(app), container: 'caller' })),
  { ...workloadOf({ namespace: outside, name: outside }), container: 'caller' },
];

/** The proxies of the apps, and the gateway's. */
export const trustProxies: readonly AppContainer[] = [
  ...injected,
  { namespace: controlPlane, name: 'istio-ingressgateway' },
].map((app) => ({ ...workloadOf(app), container: 'istio-proxy' }));

/** The app that calls and is not called. */
export const auditCaller = { ...workloadOf(auditor), container: 'caller' };

/**
 * The manifest of all apps, STRICT mTLS for the whole mesh, the way in through the gateway, and the rules that give each
 * request a connection of its own, whose handshake verifies the certificates of both sides.
 */
export function trustAppsManifest(): string {
  return [
    ...trustNamespaces.map(aNamespace),
    ...meshPolicies(),
    ...wayIn(),
    ...servers.flatMap(aServer),
    ...aCallingApp(auditor),
    aDeployment({ namespace: outside, name: outside }, { containers: [callingTheGateway()] }),
  ]
    .map((object) => dump(object))
    .join('---\n');
}

function aNamespace(name: string) {
  const labels = name === outside ? {} : { 'istio-injection': 'enabled' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** What holds for the whole mesh, since it is in the control plane's namespace. */
function meshPolicies() {
  return [
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'strict', namespace: controlPlane },
      spec: { mtls: { mode: 'STRICT' } },
    },
    ...handshakeForEachRequest({
      ...{ name: 'handshake-for-each-request', namespace: controlPlane, host: '*.svc.cluster.local' },
      contexts: ['SIDECAR_OUTBOUND', 'GATEWAY'],
    }),
  ];
}

function wayIn() {
  const metadata = { name: 'front', namespace: 'shop' };
  const destination = { host: hostOf({ namespace: 'shop', name: 'front' }) };
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata,
      spec: {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [gatewayHost] }],
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata,
      spec: { hosts: [gatewayHost], gateways: ['front'], http: [{ route: [{ destination }] }] },
    },
  ];
}

function aServer(app: App) {
  const { namespace, name } = app;
  const container = {
    ...aContainer('app', ['serve', '-name', name]),
    ports: [{ name: 'http', containerPort: 8080 }],
    // Ready once is enough: a busy machine answers a probe too late, and nobody would call the app any more.
    startupProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1, failureThreshold: 120 },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
  return [service, ...aCallingApp(app, container)];
}

function aCallingApp(app: App, ...containers: readonly object[]) {
  const { namespace, name } = app;
  const targets = servers.filter((server) => server.namespace !== namespace);
  const caller = aCaller(targets.flatMap((target) => ['-url', `http://${hostOf(target)}/`]));
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    aDeployment(app, { serviceAccountName: name, containers: [caller, ...containers] }),
  ];
}

/** In plain text, each request by a connection of its own. */
function callingTheGateway() {
  const url = `http://${hostOf({ namespace: controlPlane, name: 'istio-ingressgateway' })}/`;
  return aCaller(['-url', url, '-host', gatewayHost, '-keep-alive=false']);
}

function aDeployment({ namespace, name }: App, pod: object) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, ...pod } },
    },
  };
}

function aCaller(targets: readonly string[]) {
  const pace = ['-rate', '5', '-timeout', '30s']; // slow is no failure
  return aContainer('caller', ['call', ...targets, ...pace, '-counts-port', '8081']);
}

function aContainer(name: string, args: readonly string[]) {
  const resources = { requests: { cpu: '10m' } };
  return { name, image, imagePullPolicy: 'IfNotPresent', args, resources };
}

function workloadOf({ namespace, name }: App) {
  return { namespace, workload: `deployment/${name}` };
}

function hostOf({ namespace, name }: App): string {
  return `${name}.${namespace}.svc.cluster.local`;
}
