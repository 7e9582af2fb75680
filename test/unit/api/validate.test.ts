import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { problemText } from '../../../src/api/problem.ts';
import { validateMeshOperator } from '../../../src/api/validate.ts';
import { badDocuments, badInputs } from '../../support/bad-input.ts';
import { aMeshOperator, aMeshOperatorFromYaml } from '../../support/mesh-operator.ts';

function validate(object: unknown): string[] {
  return validateMeshOperator(object).map(problemText);
}

describe('validateMeshOperator', () => {
  it.each(badInputs)('refuses: $name', ({ spec, problems }) => {
    const mesh = aMeshOperatorFromYaml(spec);

    expect(validate(mesh)).toEqual(problems);
  });

  it.each(badDocuments)('refuses the document: $name', ({ document, problems }) => {
    expect(validate(load(document))).toEqual(problems);
  });

  it('accepts a mesh that says nothing', () => {
    const { spec: _spec, ...withoutSpec } = aMeshOperator();

    expect(validate(aMeshOperator())).toEqual([]);
    expect(validate(withoutSpec)).toEqual([]);
  });

  it('accepts a spec that uses every kind of setting', () => {
    const mesh = aMeshOperatorFromYaml(`
version: 1.31-latest
hub: registry.example.com:5000/istio
profile: demo
revision: 1-31-1
imagePullSecrets: [pull]
meshConfig:
  accessLogFile: /dev/stdout
  connectTimeout: 1m30s
  outboundTrafficPolicy: { mode: REGISTRY_ONLY }
  defaultConfig:
    holdApplicationUntilProxyStarts: true
    proxyMetadata: { ISTIO_META_DNS_CAPTURE: "true" }
    tracing: { sampling: 10.5, zipkin: { address: zipkin:9411 } }
  extensionProviders:
    - name: logs
      envoyFileAccessLog: { path: /dev/stdout, logFormat: { labels: { any: "%START_TIME%" } } }
  localityLbSetting: { enabled: true, distribute: [{ from: a/*, to: { "a/*": 80, "b/*": 20 } }] }
values:
  global:
    logAsJson: true
    logging: { level: "default:info,ads:debug" }
    meshNetworks:
      net1:
        endpoints: [{ fromRegistry: Kubernetes }]
        gateways: [{ address: 10.0.0.1, port: 15443 }]
  pilot:
    env: { PILOT_ENABLE_STATUS: "true" }
    podLabels: { team: mesh }
components:
  pilot:
    k8s:
      hpaSpec: { minReplicas: 2, maxReplicas: 4 }
      tolerations: [{ operator: Exists }]
  ingressGateways:
    - name: istio-ingressgateway
      label: { team: mesh }
      k8s:
        replicaCount: 2
        podDisruptionBudget: { maxUnavailable: 25% }
        service:
          externalTrafficPolicy: Local
          loadBalancerSourceRanges: [10.0.0.0/8, "2001:db8::/32"]
          ports: [{ name: http2, port: 80 }, { name: dns, port: 53, protocol: UDP }, { name: dns-tcp, port: 53 }]
    - { name: istio-ingressgateway, namespace: other }
paused: { reason: holidays, until: "2026-12-31T23:59:59+01:00" }
`);

    expect(validate(mesh)).toEqual([]);
  });

  it('takes a key with nothing after it for one that is not there, as the API server does', () => {
    const mesh = aMeshOperatorFromYaml(`
version:
meshConfig: { accessLogFile: }
values: { global: { meshNetworks: }, pilot: { env: { A: } } }
components: { pilot: { k8s: { resources: { requests: { cpu: } } } }, ingressGateways: }
paused:
`);

    expect(validate(mesh)).toEqual([]);
  });

  it('lists problems by path, list items by number', () => {
    const gateways = Array.from({ length: 12 }, (_, index) => ({ name: `g${index}`, nam: 'x' }));

    const paths = validateMeshOperator(aMeshOperator({ components: { ingressGateways: gateways } })).map(
      ({ path }) => path,
    );

    expect(paths).toEqual(gateways.map((_, index) => `spec.components.ingressGateways[${index}].nam`));
  });

  it('does not repeat a value that should stay secret', () => {
    const spec = 'meshConfig: { extensionProviders: [{ name: s, skywalking: { accessToken: 123456 } }] }';

    expect(validate(aMeshOperatorFromYaml(spec))).toEqual([
      'spec.meshConfig.extensionProviders[0].skywalking.accessToken: must be text: put it in quotes',
    ]);
  });

  it('leaves the object as it is', () => {
    const mesh = aMeshOperatorFromYaml('{ profil: demo, components: { ingressGateways: [null] } }');
    const before = structuredClone(mesh);

    validateMeshOperator(mesh);

    expect(mesh).toEqual(before);
  });

  it('says of a document that refers to itself that it is none', () => {
    const mesh: Record<string, unknown> = { ...aMeshOperator() };
    mesh.spec = mesh;

    expect(validate(mesh)).toEqual(['must be a JSON document: it refers to itself, or is nested too deeply']);
  });

  it('says of a document that is nested too deeply that it is', () => {
    let inner: Record<string, unknown> = {};
    for (let depth = 0; depth < 200; depth++) inner = { inner };

    expect(validate({ ...aMeshOperator(), spec: { meshConfig: inner } })).toEqual([
      'must not be nested deeper than 100 levels',
    ]);
  });

  it('has an answer to any value at any place of a spec', () => {
    const strangeValues = [
      null,
      true,
      -1,
      1e300,
      '',
      'x',
      [],
      [null],
      {},
      { x: null },
      { __proto__: 1 },
      5n,
      new Date(0),
    ];
    const wholeSpec = load(wholeSpecYaml) as Record<string, unknown>;
    const places = placesOf(wholeSpec);

    const results = places.flatMap((place) =>
      strangeValues.map((value) =>
        validateMeshOperator({ ...aMeshOperator(), spec: withValueAt(wholeSpec, place, value) }),
      ),
    );

    expect(places.length).toBeGreaterThan(40);
    expect(results.every(Array.isArray)).toBe(true);
  });
});

const wholeSpecYaml = `
version: "1.31"
hub: a.example.com/istio
tag: 1.31.1
revision: canary
meshConfig: { defaultConfig: { proxyMetadata: { A: b } }, extensionProviders: [{ name: a }] }
values:
  global: { hub: a.example.com/istio, meshNetworks: { net: { endpoints: [] } }, proxy: { resources: { requests: { cpu: 1 } } } }
  pilot: { autoscaleMin: 1, autoscaleMax: 2, env: { A: b }, podLabels: { a: b }, resources: { requests: { cpu: 1 }, limits: { cpu: 2 } } }
components:
  pilot: { k8s: { env: [{ name: A, valueFrom: { fieldRef: { fieldPath: a } } }], hpaSpec: { minReplicas: 1, maxReplicas: 2, metrics: [{ type: Resource }] } } }
  ingressGateways:
    - name: a
      namespace: b
      label: { app: a, istio: b }
      k8s:
        strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1 } }
        tolerations: [{ key: a }]
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule }]
        service: { type: NodePort, loadBalancerIP: 10.0.0.1, externalIPs: [10.0.0.1], ports: [{ port: 80, nodePort: 30000 }] }
paused: { reason: a, until: "2026-01-01T00:00:00Z" }
`;

type Place = readonly (string | number)[];

function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [place];
  return [place, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...place, key]))];
}

function withValueAt(root: Record<string, unknown>, place: Place, value: unknown): unknown {
  const last = place.at(-1);
  if (last === undefined) return value;
  const copy = structuredClone(root);
  let parent: Record<string, unknown> = copy;
  for (const key of place.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
  parent[last] = value;
  return copy;
}
