import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { optionalKinds, ownedKinds, unwatchedKinds } from '../../../../src/controllers/mesh/owned-kinds.ts';
import { renderMesh } from '../../../../src/render/render-mesh.ts';
import { resolveScenario, scenarioNames } from '../../../golden/render-scenario.ts';
import { aRenderContext } from '../../../support/render-context.ts';

const watchedKinds = [...ownedKinds, ...optionalKinds.map(({ kind }) => kind)];

const chartRules = resolve(
  import.meta.dirname,
  '../../../../charts/mesh-operator/files/cluster-role-rules.yaml',
);

describe('the kinds that the operator owns', () => {
  test('are those that are rendered, no more and no less', async () => {
    const meshes = await Promise.all((await scenarioNames()).map(resolveScenario));
    const rendered = meshes.flatMap((mesh) =>
      renderMesh(mesh, aRenderContext(), ['a-member']).flatMap(({ objects }) =>
        objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
      ),
    );

    expect([...new Set(rendered)].sort()).toEqual(
      [...watchedKinds, ...unwatchedKinds].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).sort(),
    );
  });

  test.each(watchedKinds)(
    'may be watched, applied and deleted by the chart’s role: $kind',
    async ({ apiVersion, plural }) => {
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
      const rules = load(await readFile(chartRules, 'utf8')) as {
        apiGroups: string[];
        resources: string[];
        verbs: string[];
      }[];

      const verbs = rules
        .filter(({ apiGroups, resources }) => apiGroups.includes(group ?? '') && resources.includes(plural))
        .flatMap((rule) => rule.verbs);
      expect(verbs).toEqual(expect.arrayContaining(['create', 'delete', 'get', 'list', 'patch', 'watch']));
    },
  );
});
