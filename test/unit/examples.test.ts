import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { validateMeshOperator } from '../../src/api/validate.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { aRenderContext } from '../support/render-context.ts';

const folder = resolve(import.meta.dirname, '../../examples');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
);
const meshes = files.flatMap((file) =>
  (loadAll(readFileSync(resolve(folder, file), 'utf8')) as MeshOperator[])
    .filter(({ kind }) => kind === 'MeshOperator')
    .map((mesh) => ({ file, mesh })),
);

test.each(meshes)('the mesh of examples/$file is valid and renders', ({ mesh }) => {
  expect(validateMeshOperator(mesh)).toEqual([]);
  expect(renderMesh(resolveMesh(mesh), aRenderContext())).not.toEqual([]);
});

describe('on a real node', () => {
  const realTest = (path: string) => readFileSync(resolve(import.meta.dirname, '../e2e', path), 'utf8');

  test.each(files.filter((file) => !file.includes('/')))('examples/%s is applied', (file) => {
    expect(realTest('mesh/default-mesh.test.ts')).toContain(`examples/${file}`);
  });

  test.each(readdirSync(resolve(folder, 'argo-cd')))('examples/argo-cd/%s is synced by Argo CD', (layout) => {
    expect(realTest(`argo-cd/${layout}.test.ts`)).toContain(`examples/argo-cd/${layout}'`);
  });

  test.each(readdirSync(resolve(folder, 'tenancy')))('examples/tenancy/%s is applied', (file) => {
    expect(realTest('../support/tenancy-cluster.ts')).toContain(`'${basename(file, '.yaml')}'`);
  });
});
