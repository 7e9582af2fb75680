import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { renderScenarios, scenarioNames } from '../../golden/render-scenario.ts';
import { renderAll } from '../../support/rendered-objects.ts';

/** What GitOps tools, Helm and kubectl put on a MeshOperator to know it by. */
const foreign = {
  labels: {
    'app.kubernetes.io/instance': 'mesh',
    'app.kubernetes.io/managed-by': 'Helm',
    'argocd.argoproj.io/instance': 'mesh',
    'kustomize.toolkit.fluxcd.io/name': 'mesh',
  },
  annotations: {
    'argocd.argoproj.io/tracking-id': 'mesh:meshoperator.dev/MeshOperator:istio-system/mesh',
    'argocd.argoproj.io/sync-wave': '1',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'meta.helm.sh/release-name': 'mesh',
  },
};

test.each(await scenarioNames())(
  'no label and no annotation of a MeshOperator gets to its children: %s',
  async (name) => {
    const mesh = load(await readFile(join(renderScenarios, name, 'input.yaml'), 'utf8')) as MeshOperator;
    const { labels, annotations, ...metadata } = mesh.metadata;
    const marked = {
      ...metadata,
      labels: { ...labels, ...foreign.labels },
      annotations: { ...annotations, ...foreign.annotations },
    };

    expect(renderAll(resolveMesh({ ...mesh, metadata: marked }))).toEqual(renderAll(resolveMesh(mesh)));
  },
);
