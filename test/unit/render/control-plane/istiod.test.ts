import { describe, expect, it } from 'vitest';
import { renderMesh } from '../../../../src/render/render-mesh.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import {
  containerOf,
  envOf,
  findObject,
  podTemplateOf,
  renderAll,
} from '../../../support/rendered-objects.ts';
import { aPilot, aResolvedMesh } from '../../../support/resolved-mesh.ts';

describe('istiod', () => {
  it('carries the labels by which istioctl finds it', () => {
    const objects = renderAll(aResolvedMesh({ revision: 'canary' }));

    for (const labels of [
      findObject(objects, 'Service', 'istiod-canary').metadata.labels,
      podTemplateOf(objects, 'istiod-canary').metadata.labels,
    ]) {
      expect(labels).toMatchObject({ app: 'istiod', 'istio.io/rev': 'canary' });
    }
  });

  // The Deployment's selector cannot be changed once it exists, so its shape is a contract.
  it.each([
    {
      revision: '',
      name: 'istiod',
      deployment: { istio: 'pilot' },
      service: { app: 'istiod', istio: 'pilot' },
    },
    {
      revision: 'canary',
      name: 'istiod-canary',
      deployment: { app: 'istiod', 'istio.io/rev': 'canary' },
      service: { app: 'istiod', 'istio.io/rev': 'canary' },
    },
  ])('selects pods of revision "$revision" as upstream does', ({ revision, name, deployment, service }) => {
    const objects = renderAll(aResolvedMesh({ revision }));

    expect(findObject(objects, 'Deployment', name).spec).toMatchObject({
      selector: { matchLabels: deployment },
    });
    expect(findObject(objects, 'Service', name).spec).toMatchObject({ selector: service });
    expect(podTemplateOf(objects, name).metadata.labels).toMatchObject({ ...deployment, ...service });
  });

  it('keeps the pods of a revision out of the selectors of an unrevisioned istiod', () => {
    const { labels } = podTemplateOf(
      renderAll(aResolvedMesh({ revision: 'canary' })),
      'istiod-canary',
    ).metadata;

    expect(labels.istio).not.toBe('pilot');
  });

  it('is neither injected nor captured', () => {
    const { labels } = podTemplateOf(renderAll(aResolvedMesh()), 'istiod').metadata;

    expect(labels).toMatchObject({ 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' });
  });

  it('runs with settings that let trust bundles grow and leave webhooks of injection to us', () => {
    const template = podTemplateOf(renderAll(aResolvedMesh()), 'istiod');

    expect(envOf(template, 'ISTIO_MULTIROOT_MESH')).toEqual({ name: 'ISTIO_MULTIROOT_MESH', value: 'true' });
    // Set, and empty: the API server drops an empty value, so sending one would look like drift for ever.
    expect(envOf(template, 'INJECTION_WEBHOOK_CONFIG_NAME')).toEqual({
      name: 'INJECTION_WEBHOOK_CONFIG_NAME',
    });
    expect(envOf(template, 'PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER')?.value).toBe('false');
  });

  it('says its own revision, as the names of what it reads depend on it', () => {
    const revisionOf = (revision: string, name: string) =>
      envOf(podTemplateOf(renderAll(aResolvedMesh({ revision })), name), 'REVISION')?.value;

    expect(revisionOf('', 'istiod')).toBe('default');
    expect(revisionOf('canary', 'istiod-canary')).toBe('canary');
  });

  it('lets the user’s environment win by name, in the place of ours', () => {
    const mesh = aResolvedMesh({
      pilot: aPilot({
        env: [
          { name: 'PILOT_TRACE_SAMPLING', value: '50' },
          { name: 'PILOT_SCOPE_GATEWAY_TO_NAMESPACE', value: 'true' },
        ],
      }),
    });

    const names = containerOf(podTemplateOf(renderAll(mesh), 'istiod')).env.map(({ name }) => name);

    expect(envOf(podTemplateOf(renderAll(mesh), 'istiod'), 'PILOT_TRACE_SAMPLING')?.value).toBe('50');
    expect(names.indexOf('PILOT_TRACE_SAMPLING')).toBeLessThan(names.indexOf('CLUSTER_ID'));
    expect(names.at(-1)).toBe('PILOT_SCOPE_GATEWAY_TO_NAMESPACE');
    expect(new Set(names).size).toBe(names.length);
  });

  it('tolerates the taint of nodes that wait for CNI, whatever the user tolerates', () => {
    const mesh = aResolvedMesh({ pilot: aPilot({ tolerations: [{ key: 'mesh', operator: 'Exists' }] }) });

    expect(podTemplateOf(renderAll(mesh), 'istiod').spec.tolerations).toEqual([
      { key: 'cni.istio.io/not-ready', operator: 'Exists' },
      { key: 'mesh', operator: 'Exists' },
    ]);
  });

  it('leaves the number of replicas to its HPA when it has one', () => {
    const objects = renderAll(aResolvedMesh({ pilot: aPilot({ replicas: 3 }) }));

    expect(findObject(objects, 'Deployment', 'istiod').spec).not.toHaveProperty('replicas');
    expect(findObject(objects, 'HorizontalPodAutoscaler', 'istiod').spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod' },
    });
  });

  it.each([0, 3])('has %i replicas when the spec says so and there is no HPA', (replicas) => {
    const { hpaSpec: _, ...fixed } = aPilot({ replicas });

    const objects = renderAll(aResolvedMesh({ pilot: fixed }));

    expect(findObject(objects, 'Deployment', 'istiod').spec).toMatchObject({ replicas });
    expect(
      objects.filter(
        ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'istiod',
      ),
    ).toEqual([]);
  });

  it('protects its replicas with the selector of its Service', () => {
    const mesh = aResolvedMesh({ pilot: aPilot({ podDisruptionBudget: { minAvailable: 1 } }) });

    expect(findObject(renderAll(mesh), 'PodDisruptionBudget', 'istiod').spec).toEqual({
      minAvailable: 1,
      selector: { matchLabels: { app: 'istiod', istio: 'pilot' } },
    });
  });

  it('takes every user setting of its pods', () => {
    const mesh = aResolvedMesh({
      imagePullSecrets: ['registry'],
      pilot: aPilot({
        affinity: { podAntiAffinity: {} },
        nodeSelector: { disk: 'ssd' },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
        priorityClassName: 'system-cluster-critical',
        imagePullPolicy: 'Always',
        podAnnotations: { team: 'mesh', 'prometheus.io/scrape': 'false' },
        podLabels: { tier: 'control', app: 'stolen' },
        securityContext: { runAsUser: 4711 },
        extraArgs: ['--grpcAddr='],
        logAsJson: true,
      }),
    });

    const template = podTemplateOf(renderAll(mesh), 'istiod');

    expect(template.spec).toMatchObject({
      affinity: { podAntiAffinity: {} },
      nodeSelector: { disk: 'ssd' },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
      priorityClassName: 'system-cluster-critical',
      imagePullSecrets: [{ name: 'registry' }],
      securityContext: { runAsUser: 4711, runAsNonRoot: true },
    });
    expect(template.metadata.annotations).toMatchObject({ team: 'mesh', 'prometheus.io/scrape': 'false' });
    expect(template.metadata.labels).toMatchObject({ tier: 'control', app: 'istiod' });
    expect(containerOf(template)).toMatchObject({ imagePullPolicy: 'Always' });
    expect(containerOf(template).args).toEqual(expect.arrayContaining(['--log_as_json', '--grpcAddr=']));
  });

  it('has no field that nobody set', () => {
    const text = JSON.stringify(renderMesh(aResolvedMesh(), aRenderContext()));

    expect(text).not.toContain('null');
    expect(text).not.toContain('undefined');
  });
});

describe('istiod’s ClusterRole', () => {
  const rulesOf = (mesh: ReturnType<typeof aResolvedMesh>) =>
    JSON.stringify(findObject(renderAll(mesh), 'ClusterRole', 'istiod-clusterrole-istio-system').rules);

  it('knows where 1.29 has the status of ListenerSets', () => {
    const newer = rulesOf(aResolvedMesh());
    const older = rulesOf(aResolvedMesh({ version: { minor: '1.29', patch: '1.29.6' } }));

    expect(newer).toContain('"listenersets/status"');
    expect(newer).not.toContain('"xlistenersets/status"');
    expect(older).toContain('"xlistenersets/status"');
    expect(older).not.toContain('"listenersets/status"');
  });

  it.each([
    { env: 'PILOT_ENABLE_ANALYSIS', rule: '"virtualservices/status"' },
    {
      env: 'PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS',
      rule: '{"apiGroups":[""],"resources":["nodes"],"verbs":["patch"]}',
    },
  ])('allows what $env needs exactly when it is on', ({ env, rule }) => {
    expect(rulesOf(aResolvedMesh())).not.toContain(rule);
    expect(rulesOf(aResolvedMesh({ pilot: aPilot({ env: [{ name: env, value: 'true' }] }) }))).toContain(
      rule,
    );
  });
});
