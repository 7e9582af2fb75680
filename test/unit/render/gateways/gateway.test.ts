import { describe, expect, it } from 'vitest';
import type { ResolvedMesh } from '../../../../src/api/resolved-mesh.ts';
import {
  containerOf,
  envOf,
  findObject,
  podTemplateOf,
  renderAll,
} from '../../../support/rendered-objects.ts';
import { aGateway, aResolvedMesh } from '../../../support/resolved-mesh.ts';

const name = 'istio-ingressgateway';
const podOf = (mesh: ResolvedMesh = aResolvedMesh()) => podTemplateOf(renderAll(mesh), name);

describe('a gateway’s pod', () => {
  it('needs no injector: it has its image, arguments and certificates by itself', () => {
    const container = containerOf(podOf());

    expect(container.image).toBe('registry.istio.io/release/proxyv2:1.31.1');
    expect(container.args).toEqual([
      'proxy',
      'router',
      '--domain',
      '$(POD_NAMESPACE).svc.cluster.local',
      '--proxyLogLevel=warning',
      '--proxyComponentLogLevel=misc:error',
      '--log_output_level=default:info',
    ]);
    expect(podOf().spec.volumes).toEqual(
      expect.arrayContaining([
        {
          name: 'istio-token',
          projected: {
            sources: [
              {
                serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' },
              },
            ],
          },
        },
        { name: 'istiod-ca-cert', configMap: { name: 'istio-ca-root-cert' } },
      ]),
    );
  });

  it('is never injected, wherever it runs', () => {
    const mesh = aResolvedMesh({
      gateways: [aGateway({ podLabels: { 'sidecar.istio.io/inject': 'true' } })],
    });

    expect(podOf(mesh).metadata.labels['sidecar.istio.io/inject']).toBe('false');
    expect(JSON.stringify(renderAll(mesh))).not.toMatch(/"image":"auto"|inject\.istio\.io\/templates/);
  });

  it('meets Pod Security level restricted', () => {
    const { spec } = podOf();

    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containerOf(podOf()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 1337,
      runAsNonRoot: true,
      runAsUser: 1337,
    });
  });

  it('may bind port 80 without a capability', () => {
    expect(podOf().spec.securityContext).toMatchObject({
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    });
  });

  it('declares the target ports of its Service, each once, and Envoy’s metrics', () => {
    const ports = [
      { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' },
      { name: 'http-alt', port: 81, targetPort: 8080, protocol: 'TCP' },
      { name: 'dns', port: 53, targetPort: 8080, protocol: 'UDP' },
      { name: 'named', port: 90, targetPort: 'web', protocol: 'TCP' },
    ];
    const gateway = aGateway({ service: { type: 'ClusterIP', ports, spec: {} } });

    const declared = [
      { containerPort: 8080, protocol: 'TCP' },
      { containerPort: 8080, protocol: 'UDP' },
    ];
    const pod = podOf(aResolvedMesh({ gateways: [gateway] }));
    expect(containerOf(pod).ports).toEqual([
      ...declared,
      { name: 'http-envoy-prom', containerPort: 15090, protocol: 'TCP' },
    ]);
    expect(JSON.parse(String(envOf(pod, 'ISTIO_META_POD_PORTS')?.value))).toEqual(declared);
  });

  it('talks to the istiod of its own revision and namespace', () => {
    const mesh = aResolvedMesh({
      namespace: 'mesh-a',
      revision: 'canary',
      meshConfig: { defaultConfig: { discoveryAddress: 'istiod-canary.mesh-a.svc:15012' } },
      injection: { ...aResolvedMesh().injection, caAddress: 'istiod-canary.mesh-a.svc:15012' },
      gateways: [aGateway({ namespace: 'edge' })],
    });

    expect(envOf(podOf(mesh), 'CA_ADDR')?.value).toBe('istiod-canary.mesh-a.svc:15012');
    expect(JSON.parse(String(envOf(podOf(mesh), 'PROXY_CONFIG')?.value))).toEqual({
      discoveryAddress: 'istiod-canary.mesh-a.svc:15012',
    });
    expect(envOf(podOf(mesh), 'ISTIO_META_OWNER')?.value).toBe(
      `kubernetes://apis/apps/v1/namespaces/edge/deployments/${name}`,
    );
  });

  it('gives the agent the mesh’s proxy metadata as environment, sorted, and lets the gateway’s own win', () => {
    const proxyMetadata = { ISTIO_META_DNS_CAPTURE: 'true', A_FIRST: 'mesh' };
    const mesh = aResolvedMesh({
      meshConfig: { defaultConfig: { proxyMetadata } },
      gateways: [aGateway({ env: [{ name: 'A_FIRST', value: 'gateway' }] })],
    });

    const names = containerOf(podOf(mesh)).env.map((variable) => variable.name);
    expect(envOf(podOf(mesh), 'A_FIRST')?.value).toBe('gateway');
    expect(names.indexOf('A_FIRST')).toBe(names.indexOf('ISTIO_META_DNS_CAPTURE') - 1);
  });

  it('says in which network it is, by label and environment, when the mesh has networks', () => {
    const pod = podOf(aResolvedMesh({ network: 'west' }));

    expect(pod.metadata.labels['topology.istio.io/network']).toBe('west');
    expect(envOf(pod, 'ISTIO_META_NETWORK')?.value).toBe('west');
    expect(podOf().metadata.labels).not.toHaveProperty('topology.istio.io/network');
    expect(envOf(podOf(), 'ISTIO_META_NETWORK')).toBeUndefined();
  });

  it('does not name the network on an ingress Service, which would make it the network’s gateway', () => {
    const service = findObject(renderAll(aResolvedMesh({ network: 'west' })), 'Service', name);

    expect(service.metadata.labels).not.toHaveProperty('topology.istio.io/network');
  });

  it('names the network on pod and Service of an east-west gateway, and not in the selector', () => {
    const labels = { 'topology.istio.io/network': 'west' };
    const objects = renderAll(aResolvedMesh({ network: 'east', gateways: [aGateway({ labels })] }));

    expect(findObject(objects, 'Service', name).metadata.labels).toMatchObject(labels);
    expect(podTemplateOf(objects, name).metadata.labels).toMatchObject(labels);
    expect(envOf(podTemplateOf(objects, name), 'ISTIO_META_NETWORK')?.value).toBe('west');
    expect(findObject(objects, 'Deployment', name).spec).toMatchObject({
      selector: { matchLabels: { app: name, istio: 'ingressgateway' } },
    });
    expect(JSON.stringify(findObject(objects, 'Deployment', name).spec)).not.toMatch(
      /"matchLabels":\{[^}]*network/,
    );
  });

  it('takes the trust domain for a mesh ID that is not given', () => {
    const mesh = aResolvedMesh({ meshConfig: { trustDomain: 'corp.example' } });

    expect(envOf(podOf(mesh), 'ISTIO_META_MESH_ID')?.value).toBe('corp.example');
    expect(envOf(podOf({ ...mesh, meshId: 'mesh-1' }), 'ISTIO_META_MESH_ID')?.value).toBe('mesh-1');
  });
});

describe('a gateway’s pod template', () => {
  const textOf = (fields: Partial<ResolvedMesh> = {}) => JSON.stringify(podOf(aResolvedMesh(fields)));

  it.each<{ what: string; fields: Partial<ResolvedMesh> }>([
    { what: 'the cluster ID', fields: { clusterId: 'west' } },
    { what: 'the network', fields: { network: 'west' } },
    { what: 'the mesh ID', fields: { meshId: 'other' } },
    { what: 'the tag', fields: { tag: '1.30.3' } },
    { what: 'the trust domain', fields: { meshConfig: { trustDomain: 'corp.example' } } },
    { what: 'defaultConfig', fields: { meshConfig: { defaultConfig: { concurrency: 4 } } } },
  ])('changes with $what, so that proxies restart', ({ fields }) => {
    expect(textOf(fields)).not.toBe(textOf());
  });

  it('does not change with what istiod pushes to running proxies', () => {
    const { meshConfig } = aResolvedMesh();

    expect(textOf({ meshConfig: { ...meshConfig, accessLogFile: '/dev/stdout' } })).toBe(textOf());
  });

  it('holds nothing that only the next injection would read', () => {
    expect(textOf()).not.toMatch(/sidecar\.istio\.io\/status|proxy\.istio\.io\/overrides/);
  });

  it.each([
    {
      name: 'proxy.istio.io/overrides',
      text: '{"containers":[{"name":"istio-proxy","securityContext":{"privileged":true}}]}',
    },
    { name: 'sidecar.istio.io/status', text: '{"containers":["istio-proxy"]}' },
    { name: 'sidecar.istio.io/status', text: 'no JSON' },
  ])('takes no earlier injection from $name: $text', ({ name, text }) => {
    const gateway = aGateway({ podAnnotations: { [name]: text } });

    expect(podOf(aResolvedMesh({ gateways: [gateway] }))).toEqual(podOf());
  });

  it('stays Istio’s when the mesh has a template of that name for pods that are injected', () => {
    const templates = { gateway: 'spec:\n  initContainers: [{name: setup, image: example.com/setup}]\n' };
    const { injection } = aResolvedMesh();

    expect(podOf(aResolvedMesh({ injection: { ...injection, templates } }))).toEqual(podOf());
  });

  it('refuses annotations that cannot be met, and names the gateway', () => {
    const podAnnotations = { 'sidecar.istio.io/proxyCPU': 'much' };

    expect(() => renderAll(aResolvedMesh({ gateways: [aGateway({ podAnnotations })] }))).toThrow(
      /Gateway istio-system\/istio-ingressgateway: .*proxyCPU/,
    );
  });

  it('says where its metrics are, whatever the mesh merges, and lets the user say otherwise', () => {
    const { meshConfig } = aResolvedMesh();
    const scraped = (fields: Partial<ResolvedMesh>) =>
      podOf(aResolvedMesh(fields)).metadata.annotations['prometheus.io/port'];

    expect(scraped({})).toBe('15020');
    expect(scraped({ meshConfig: { ...meshConfig, enablePrometheusMerge: false } })).toBe('15020');
    const podAnnotations = { 'prometheus.io/port': '15090' };
    expect(scraped({ gateways: [aGateway({ podAnnotations })] })).toBe('15090');
  });

  it('follows trust bundles, unless the proxy metadata of the mesh says otherwise', () => {
    const proxyMetadata = { PROXY_CONFIG_XDS_AGENT: 'false' };
    const mesh = aResolvedMesh({ meshConfig: { defaultConfig: { proxyMetadata } } });

    expect(envOf(podOf(), 'PROXY_CONFIG_XDS_AGENT')?.value).toBe('true');
    expect(envOf(podOf(mesh), 'PROXY_CONFIG_XDS_AGENT')?.value).toBe('false');
  });
});

describe('a gateway’s Service', () => {
  it('keeps what the user set beside ports and type, but not another selector', () => {
    const service = {
      type: 'LoadBalancer',
      ports: [{ name: 'https', port: 443, targetPort: 8443, protocol: 'TCP', nodePort: 30443 }],
      spec: { externalTrafficPolicy: 'Local', selector: { app: 'other' } },
    };
    const mesh = aResolvedMesh({ gateways: [aGateway({ service })] });

    expect(findObject(renderAll(mesh), 'Service', name).spec).toEqual({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      selector: { app: name, istio: 'ingressgateway' },
      ports: service.ports,
    });
  });
});

describe('a gateway’s access', () => {
  it('lets its ServiceAccount read the secrets of its own namespace, as istiod asks for that', () => {
    const objects = renderAll(aResolvedMesh({ gateways: [aGateway({ namespace: 'edge' })] }));

    expect(findObject(objects, 'Role', `${name}-sds`)).toMatchObject({
      metadata: { namespace: 'edge' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    });
    expect(findObject(objects, 'RoleBinding', `${name}-sds`)).toMatchObject({
      metadata: { namespace: 'edge' },
      roleRef: { kind: 'Role', name: `${name}-sds` },
      subjects: [{ kind: 'ServiceAccount', name: `${name}-service-account`, namespace: 'edge' }],
    });
  });
});
