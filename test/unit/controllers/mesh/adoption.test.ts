import { describe, expect, test } from 'vitest';
import { adoptedFromAnnotation, keptTemplateAnnotation } from '../../../../src/api/adoption.ts';
import { injectorReachedAnnotation } from '../../../../src/api/injector-reached.ts';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { Adoption } from '../../../../src/controllers/mesh/adoption.ts';

const fromHelm = { [adoptedFromAnnotation]: 'helm' };
const unseen = { ...fromHelm, [keptTemplateAnnotation]: '' };

interface Settings {
  readonly annotations?: Record<string, string>;
  readonly namespace?: string;
  readonly [field: string]: unknown;
}

function anObject(kind: string, name: string, component: string, settings: Settings = {}): KubernetesObject {
  const { annotations = {}, namespace = 'mesh', ...fields } = settings;
  const labels = { 'app.kubernetes.io/name': component, app: component };
  return { apiVersion: 'v1', kind, metadata: { name, namespace, labels, annotations }, ...fields };
}

const spec = (image: string) => ({ strategy: {}, selector: { a: image }, template: { image } });
const istiod = (settings: Settings = {}) =>
  anObject('Deployment', 'istiod', 'istiod', { spec: spec('ours'), ...settings });
const gateway = (settings: Settings = {}) =>
  anObject('Deployment', 'gateway', 'gateway', { spec: spec('ours'), ...settings });
const role = (rules: unknown, settings: Settings = {}) =>
  anObject('ClusterRole', 'istiod', 'istiod', { rules, ...settings });

function planOf(rendered: KubernetesObject[], observed: KubernetesObject[], index = 0) {
  const adoption = new Adoption('mesh', rendered, observed);
  const [desired, current] = [rendered[index], observed[index]];
  if (desired === undefined || current === undefined) throw new Error('no such object');
  return adoption.planFor(desired, current);
}

/** The annotations of a Deployment after a first pass. */
function seen(deployment: KubernetesObject): Record<string, string> {
  return {
    ...planOf([deployment], [istiod({ ...deployment, annotations: unseen })])?.desired.metadata.annotations,
  };
}

describe('an object that is adopted', () => {
  test('is taken over whole, and is then one as any other', () => {
    const config = (settings: Settings = {}) => anObject('ConfigMap', 'istio', 'istiod', settings);

    expect(planOf([config()], [config({ annotations: fromHelm })])).toEqual({
      desired: config(),
      takeOver: { from: ['helm'], release: ['spec.replicas'] },
    });
    expect(planOf([config()], [config()])).toBeUndefined();
  });

  test('owns its replicas only where the mesh sets them', () => {
    const scaled = gateway({ spec: { ...spec('ours'), replicas: 2 } });

    expect(planOf([scaled], [gateway({ annotations: fromHelm })])?.takeOver).toMatchObject({ release: [] });
  });
});

describe('a Deployment that is adopted', () => {
  test('keeps its pod template and its selector until the mesh wants another template than when it was first seen', () => {
    const first = planOf([istiod()], [istiod({ annotations: unseen })]);
    const annotations = first?.desired.metadata.annotations ?? {};

    expect(first).toMatchObject({
      desired: { spec: { strategy: {} }, metadata: { annotations: fromHelm } },
      takeOver: { except: ['spec.selector', 'spec.template'] },
    });
    expect(first?.desired.spec).not.toHaveProperty('template');
    expect(annotations[keptTemplateAnnotation]).toMatch(/^[0-9a-f]{16}$/);
    expect(planOf([istiod()], [istiod({ annotations })])).toEqual(first);
    const changed = istiod({ spec: spec('newer') });
    expect(planOf([changed], [istiod({ annotations })])).toEqual({
      desired: changed,
      takeOver: { from: ['helm'], release: ['spec.replicas'] },
    });
  });

  test('gets the template of the mesh once somebody takes the annotation away', () => {
    expect(planOf([istiod()], [istiod({ annotations: fromHelm })])?.desired).toEqual(istiod());
  });

  test('is replaced with istiod where both are in one namespace, since its pods could not be injected any more', () => {
    const rendered = [istiod({ spec: spec('newer') }), gateway(), gateway({ namespace: 'edge' })];
    const observed = [
      istiod({ annotations: seen(istiod()) }),
      gateway({ annotations: unseen }),
      gateway({ namespace: 'edge', annotations: unseen }),
    ];

    expect(new Adoption('mesh', rendered, observed).kept).toEqual([
      { object: 'Deployment edge/gateway', keeps: 'PodTemplate' },
    ]);
  });
});

describe('what pods that run need', () => {
  test('the rights of istiod stay as long as its pods do', () => {
    const observed = role(['theirs'], { annotations: fromHelm });

    expect(planOf([role(['ours']), istiod()], [observed, istiod({ annotations: unseen })])?.desired).toEqual(
      role(['theirs'], { annotations: fromHelm }),
    );
    expect(planOf([role(['ours']), istiod()], [observed, istiod()])?.desired).toEqual(role(['ours']));
  });

  test('objects that the mesh does not have are held as long as any pods are', () => {
    const account = anObject('ServiceAccount', 'theirs', 'gateway', { annotations: fromHelm });
    const stranger = anObject('ServiceAccount', 'ours', 'gateway');

    const during = new Adoption('mesh', [istiod()], [istiod({ annotations: unseen }), account, stranger]);
    const after = new Adoption('mesh', [istiod()], [istiod(), account, stranger]);

    expect(during.held).toEqual([account]);
    expect(during.kept).toContainEqual({ object: 'ServiceAccount mesh/theirs', keeps: 'Object' });
    expect(after.held).toEqual([]);
  });
});

describe('webhooks of the other injector', () => {
  const kind = 'MutatingWebhookConfiguration';
  const entry = (name: string, namespaceSelector: object = {}) => ({ name, namespaceSelector });
  const bundled = (name: string) => ({ ...entry(name), clientConfig: { caBundle: 'theirs', url: 'u' } });
  const narrow = {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['mesh'] }],
  };
  const reached = { [injectorReachedAnnotation]: '2026-01-01T00:00:00.000Z' };
  const ours = anObject(kind, 'ours', 'sidecar-injector', { webhooks: [entry('a')] });
  const oursReached = anObject(kind, 'ours', 'sidecar-injector', {
    webhooks: [entry('a')],
    annotations: reached,
  });
  const theirs = anObject(kind, 'theirs', 'istiod', { webhooks: [bundled('b')], annotations: fromHelm });
  const kept = istiod({ annotations: unseen });

  test('inject until the operator’s injector is reached, and then only where that never does', () => {
    expect(new Adoption('mesh', [ours, istiod()], [ours, kept, theirs]).heldPlans()).toEqual([]);

    const [plan, ...others] = new Adoption('mesh', [ours, istiod()], [oursReached, kept, theirs]).heldPlans();

    expect(others).toEqual([]);
    expect(plan?.metadata).toMatchObject({ name: 'theirs', annotations: fromHelm });
    expect(plan?.webhooks).toEqual([{ ...entry('b', narrow), clientConfig: { url: 'u' } }]);
  });

  test('are left alone where the mesh has no injector', () => {
    expect(new Adoption('mesh', [istiod()], [kept, theirs]).heldPlans()).toEqual([]);
  });

  test('stand beside the operator’s own where both have one name, and go with the istiod that answers them', () => {
    const desired = anObject(kind, 'same', 'sidecar-injector', { webhooks: [entry('a')] });
    const shared = (annotations: Record<string, string>) =>
      anObject(kind, 'same', 'sidecar-injector', {
        webhooks: [entry('a'), bundled('b')],
        annotations: { ...fromHelm, ...annotations },
      });
    const planned = (annotations: Record<string, string>, istiods: KubernetesObject) =>
      planOf([desired, istiod()], [shared(annotations), istiods])?.desired.webhooks;

    expect(planned({}, kept)).toEqual(
      [{ ...entry('a') }, { ...entry('b'), clientConfig: { url: 'u' } }].map((webhook) =>
        expect.objectContaining(webhook),
      ),
    );
    expect(planned(reached, kept)).toEqual([
      expect.objectContaining(entry('a')),
      expect.objectContaining(entry('b', narrow)),
    ]);
    expect(planned(reached, istiod())).toEqual([entry('a')]);
  });
});
