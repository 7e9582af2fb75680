import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { Installation } from '../../../../src/cli/adopt/find-installation.ts';
import { notesOnSail, stepsOffSail } from '../../../../src/cli/adopt/leave-sail.ts';
import { ownersOf } from '../../../../src/cli/adopt/refused-owners.ts';
import { isOfSail, sailResourcesOf } from '../../../../src/cli/adopt/sail-resources.ts';

const apiVersion = 'sailoperator.io/v1';

function aSail(kind: string, name: string, more: Partial<KubernetesObject> = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name, uid: `${kind}-${name}` }, ...more };
}

function aRevision(name: string, istio: string): KubernetesObject {
  const ownerReferences = [{ apiVersion, kind: 'Istio', name: istio, uid: `Istio-${istio}` }];
  return aSail('IstioRevision', name, { metadata: { name, ownerReferences } });
}

function aTag(name: string, kind: string, target: string, istioRevision = ''): KubernetesObject {
  return aSail('IstioRevisionTag', name, {
    spec: { targetRef: { kind, name: target } },
    status: { istioRevision },
  });
}

function names(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

describe('what keeps a revision of Sail', () => {
  const cluster = {
    istios: [
      aSail('Istio', 'default', { spec: { updateStrategy: { type: 'InPlace' } } }),
      aSail('Istio', 'prod', { status: { activeRevisionName: 'prod-v1-31-0' } }),
    ],
    revisions: [
      aRevision('default', 'default'),
      aRevision('prod-v1-30-3', 'prod'),
      aRevision('prod-v1-31-0', 'prod'),
    ],
    tags: [
      aTag('stable', 'Istio', 'prod', 'prod-v1-30-3'),
      aTag('fixed', 'IstioRevision', 'prod-v1-31-0'),
      aTag('new', 'Istio', 'prod', 'prod-v1-31-0'),
      aTag('unseen', 'Istio', 'default'),
    ],
    components: [aSail('IstioCNI', 'default')],
  };

  test('is the IstioRevision, with the Istio that makes it and the tags that lead to it', () => {
    const { revision, keepers, components } = sailResourcesOf('prod-v1-31-0', cluster);

    expect(revision?.metadata.name).toBe('prod-v1-31-0');
    expect(names(keepers)).toEqual([
      ...['IstioRevisionTag fixed', 'IstioRevisionTag new', 'IstioRevision prod-v1-31-0', 'Istio prod'],
    ]);
    expect(names(components)).toEqual(['IstioCNI default']);
  });

  test('of a former version has the tag that has not moved on', () => {
    const { keepers } = sailResourcesOf('prod-v1-30-3', cluster);

    expect(names(keepers)).toEqual(['IstioRevisionTag stable', 'IstioRevision prod-v1-30-3', 'Istio prod']);
  });

  test('is called default where the control plane has no revision', () => {
    const { keepers } = sailResourcesOf('', cluster);

    expect(names(keepers)).toEqual(['IstioRevisionTag unseen', 'IstioRevision default', 'Istio default']);
  });

  test('is the Istio alone that would make its IstioRevision again', () => {
    const { revision, keepers } = sailResourcesOf('prod-v1-31-0', { ...cluster, revisions: [], tags: [] });

    expect(revision).toBeUndefined();
    expect(names(keepers)).toEqual(['Istio prod']);
  });
});

test('what Sail has installed is known by its label, or by its owner', () => {
  const metadata = { name: 'istiod', labels: { 'managed-by': 'sail-operator' } };
  const helms = { 'app.kubernetes.io/managed-by': 'Helm' };

  expect(isOfSail(aSail('Deployment', 'istiod', { metadata }))).toBe(true);
  expect(isOfSail(aRevision('istiod', 'default'))).toBe(true);
  expect(isOfSail(aSail('Deployment', 'istiod', { metadata: { name: 'istiod', labels: helms } }))).toBe(
    false,
  );
});

describe('the way from Sail', () => {
  const istio = aSail('Istio', 'prod', { spec: { updateStrategy: { type: 'RevisionBased' } } });
  const keepers = [istio, aRevision('prod-v1-31-0', 'prod'), aTag('stable', 'Istio', 'prod')];
  const installation: Installation = {
    ...{ namespace: 'istio-system', revision: 'prod-v1-31-0', installer: 'sail', releases: [], objects: [] },
    ...{ istiod: aSail('Deployment', 'istiod'), tags: [] },
    sail: { keepers, components: [aSail('ZTunnel', 'default')] },
  };

  test('keeps the mesh and the spec first, stops the operator, and deletes what points to others before these', () => {
    expect(stepsOffSail(installation, ownersOf([], keepers))).toEqual([
      'Keep the MeshOperator of this report: mesh-operator adopt --namespace istio-system --revision prod-v1-31-0 -o yaml | yq .mesh > mesh.yaml',
      'Keep what Sail has: kubectl get istiorevisiontag.sailoperator.io/stable istiorevision.sailoperator.io/prod-v1-31-0 istio.sailoperator.io/prod -o yaml > sail.yaml ("mesh-operator convert -f" reads it)',
      expect.stringMatching(/^Stop its operator, .*: kubectl scale deployment .* --replicas=0/),
      ...['istiorevisiontag', 'istiorevision', 'istio'].flatMap((kind) => [
        expect.stringMatching(`^kubectl patch ${kind}\\.sailoperator\\.io/.*"finalizers":null`),
        expect.stringMatching(`^kubectl delete ${kind}\\.sailoperator\\.io/.* --cascade=orphan$`),
      ]),
      'mesh-operator adopt --namespace istio-system --revision prod-v1-31-0 -f mesh.yaml --yes',
    ]);
  });

  test('is nowhere to be gone where Sail owns nothing', () => {
    const others = ownersOf([{ ...aRevision('x', 'y'), apiVersion: 'v1', metadata: { name: 'x' } }]);

    expect(stepsOffSail(installation, others)).toEqual([]);
  });

  test('leaves to Sail what no mesh takes over, and names the strategy that the mesh does not have yet', () => {
    expect(notesOnSail(installation)).toEqual([
      expect.stringMatching(/^Sail's operator may run again/),
      expect.stringMatching(/^Istio prod has a revision for each version .*: the mesh keeps prod-v1-31-0/),
      expect.stringMatching(/^ZTunnel default \(sailoperator\.io\/v1\) stays with Sail's operator/),
    ]);
    expect(notesOnSail({ ...installation, installer: 'helm' })).toEqual([]);
  });
});
