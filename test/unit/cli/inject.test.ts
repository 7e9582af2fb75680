import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InjectOptions, inject } from '../../../src/cli/inject.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { uninject } from '../../../src/cli/uninject.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { runCli } from '../../support/run-cli.ts';

type Manifest = { kind: string; metadata: { name: string }; spec: Record<string, unknown> };
interface Template {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly initContainers?: readonly {
      readonly name: string;
      readonly env: readonly { name: string; value?: string }[];
      readonly resources: object;
    }[];
  };
}

const podSpec = { containers: [{ name: 'app', image: 'registry.example.com/hello:1' }] };
const template = { metadata: { labels: { app: 'hello' } }, spec: podSpec };

function aWorkload(kind: string, apiVersion: string, spec: unknown = { template }) {
  return { apiVersion, kind, metadata: { name: 'hello', namespace: 'apps' }, spec };
}

const kinds = [
  aWorkload('Deployment', 'apps/v1'),
  aWorkload('StatefulSet', 'apps/v1'),
  aWorkload('DaemonSet', 'apps/v1'),
  aWorkload('ReplicaSet', 'apps/v1'),
  aWorkload('ReplicationController', 'v1'),
  aWorkload('Job', 'batch/v1'),
  aWorkload('DeploymentConfig', 'apps.openshift.io/v1'),
  aWorkload('Rollout', 'argoproj.io/v1alpha1'),
];

function templateOf([object]: readonly Manifest[]): Template | undefined {
  return object?.spec.template as Template | undefined;
}

describe('mesh-operator inject', () => {
  let folder: string;
  let mesh: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inject-'));
    mesh = await file('mesh.yaml', aMeshOperator());
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function file(name: string, content: unknown): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : dump(content));
    return path;
  }

  async function injected(manifest: unknown, options: Partial<InjectOptions> = {}) {
    const input = typeof manifest === 'string' ? manifest : dump(manifest);
    const all: InjectOptions = { filename: '-', mesh, kubernetesVersion: '1.35', ...options };
    const run = await runCli((terminal) => inject(all, terminal), input);
    return { ...run, objects: loadAll(run.stdout) as Manifest[] };
  }

  it.each(kinds)('injects the pods of a $kind, and tells the proxy whose they are', async (workload) => {
    const { code, objects } = await injected(workload);
    const pod = templateOf(objects);

    expect(code).toBe(0);
    expect(pod?.spec.initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy']);
    expect(pod?.spec.initContainers?.[1]?.env).toContainEqual({
      name: 'ISTIO_META_OWNER',
      value: `kubernetes://apis/${workload.apiVersion}/namespaces/apps/${workload.kind.toLowerCase()}s/hello`,
    });
  });

  it('injects Pods, CronJobs, and what is in Lists', async () => {
    const cronJob = aWorkload('CronJob', 'batch/v1', {
      schedule: '* * * * *',
      jobTemplate: { spec: { template } },
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: podSpec };
    const { stdout } = await injected({ apiVersion: 'v1', kind: 'List', items: [pod, cronJob] });

    expect(stdout.match(/name: istio-init/g)).toHaveLength(2);
  });

  it('passes everything else through, in its place', async () => {
    const others = [
      { kind: 'Service', apiVersion: 'v1', metadata: { name: 'z' }, spec: { ports: [{ port: 80 }] } },
      { kind: 'ConfigMap', apiVersion: 'v1', data: { b: '1', a: '2' }, metadata: { name: 'c' } },
      { just: ['data'] },
    ];
    const text = others.map((other) => dump(other)).join('---\n');

    expect((await injected(text)).stdout).toBe(text);
  });

  it('explains each decision on standard error', async () => {
    const refusing = { ...template, metadata: { labels: { 'sidecar.istio.io/inject': 'false' } } };
    const { stderr, objects } = await injected(aWorkload('Deployment', 'apps/v1', { template: refusing }), {
      explain: true,
    });

    expect(stderr).toBe(
      'standard input: Deployment hello: Not injected: the pod refuses injection (label sidecar.istio.io/inject=false of the pod).\n',
    );
    expect(objects[0]?.spec).toEqual({ template: refusing });
  });

  it('goes by the Namespace in the file, and by labels that are given', async () => {
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'apps', labels: { 'istio-injection': 'disabled' } },
    };
    const text = `${dump(namespace)}---\n${dump(kinds[0])}`;

    expect((await injected(text)).stdout).not.toContain('istio-proxy');
    expect((await injected(text, { namespaceLabels: 'istio-injection=enabled,a=b' })).stdout).toContain(
      'istio-proxy',
    );
  });

  it('puts the proxy beside the application before Kubernetes 1.33', async () => {
    const { stdout } = await injected(kinds[0], { kubernetesVersion: 'v1.32.1' });

    expect(stdout).not.toContain('restartPolicy: Always');
    expect(stdout).toContain('name: istio-proxy');
  });

  it('takes MeshConfig and values as Istio’s ConfigMaps have them', async () => {
    const values = await file(
      'values.json',
      JSON.stringify({
        global: {
          hub: 'registry.example.com/istio',
          tag: '1.30.2',
          variant: '',
          imagePullPolicy: '',
          istioNamespace: 'mesh-system',
          defaultTolerations: [],
          proxy: { includeIPRanges: '', resources: { requests: { cpu: '7m' }, limits: null }, tracer: '' },
          proxy_init: { image: '' },
        },
        pilot: { cni: { enabled: false, provider: 'default' }, env: {} },
        gateways: { securityContext: {} },
        revision: 'canary',
        sidecarInjectorWebhook: { templates: { custom: '{{ .Values }}' } },
      }),
    );
    const meshConfig = await file('mesh-config.yaml', 'trustDomain: example.org\n');
    const { objects, code } = await injected(kinds[0], { mesh: undefined, values, meshConfig });
    const [init, proxy] = templateOf(objects)?.spec.initContainers ?? [];

    expect(code).toBe(0);
    expect(init).toMatchObject({
      image: 'registry.example.com/istio/proxyv2:1.30.2',
      resources: { requests: { cpu: '7m' } },
    });
    expect(init).not.toHaveProperty('resources.limits');
    expect(init).toHaveProperty('args', expect.arrayContaining(['-i', '']));
    expect(proxy?.env).toContainEqual({ name: 'CA_ADDR', value: 'istiod-canary.mesh-system.svc:15012' });
    expect(proxy?.env).toContainEqual({ name: 'TRUST_DOMAIN', value: 'example.org' });
  });

  describe('gives a proxy the resources and threads', () => {
    const limits = { cpu: '2000m', memory: '1024Mi' };
    const ofPod = { 'sidecar.istio.io/proxyCPU': '30m', 'proxy.istio.io/config': 'concurrency: 3' };

    it.each([
      [
        'of the mesh, where nobody says more',
        'other',
        {},
        { requests: { cpu: '50m', memory: '128Mi' }, limits },
        4,
      ],
      ['of its namespace over those', 'apps', {}, { requests: { cpu: '20m', memory: '128Mi' }, limits }, 1],
      ['of its own annotations over both', 'apps', ofPod, { requests: { cpu: '30m' } }, 3],
      [
        'of its own annotations, where the namespace says nothing',
        'other',
        ofPod,
        { requests: { cpu: '30m' } },
        3,
      ],
    ])('%s', async (_what, namespace, annotations, resources, concurrency) => {
      const tuned = await file(
        'tuned.yaml',
        aMeshOperator({
          meshConfig: { defaultConfig: { concurrency: 4 } },
          values: { global: { proxy: { resources: { requests: { cpu: '50m' } } } } },
          sidecarInjector: {
            proxyDefaults: [
              { namespaces: ['apps'], resources: { requests: { cpu: '20m' } }, concurrency: 1 },
            ],
          },
        }),
      );
      const pod = { ...template, metadata: { ...template.metadata, annotations } };
      const workload = aWorkload('Deployment', 'apps/v1', { template: pod });

      const { objects } = await injected(
        { ...workload, metadata: { ...workload.metadata, namespace } },
        { mesh: tuned },
      );
      const proxy = templateOf(objects)?.spec.initContainers?.find(({ name }) => name === 'istio-proxy');

      expect(proxy?.resources).toEqual(resources);
      const config = proxy?.env.find(({ name }) => name === 'PROXY_CONFIG')?.value ?? '{}';
      expect(JSON.parse(config)).toMatchObject({ concurrency });
    });
  });

  it('prints nothing and names the pod when one is refused', async () => {
    const bad = { ...template, metadata: { annotations: { 'sidecar.istio.io/interceptionMode': 'MAGIC' } } };
    const { code, stdout, stderr } = await injected(aWorkload('Deployment', 'apps/v1', { template: bad }));

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^standard input: Deployment hello: .*sidecar\.istio\.io\/interceptionMode must be one of/,
    );
  });

  it.each([
    [{ mesh: undefined }, /Give --mesh FILE/],
    [{ values: 'x' }, /not both/],
    [{ namespaceLabels: 'x' }, /key=value/],
    [{ kubernetesVersion: '2' }, /--kubernetes-version/],
  ])('says what is wrong with its flags: %j', async (options, message) => {
    await expect(injected(kinds[0], options)).rejects.toThrow(UsageError);
    await expect(injected(kinds[0], options)).rejects.toThrow(message);
  });

  it('is undone by uninject', async () => {
    const { stdout } = await injected(kinds[0]);
    const undone = await runCli((terminal) => uninject('-', terminal), stdout);

    expect(undone.code).toBe(0);
    expect(loadAll(undone.stdout)).toEqual([kinds[0]]);
  });
});
