import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { expect, test } from 'vitest';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { validateMeshOperator } from '../../src/api/validate.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { aRenderContext } from '../support/render-context.ts';

const folder = resolve(import.meta.dirname, '../../examples');
const realMeshTest = readFileSync(resolve(import.meta.dirname, '../e2e/mesh/default-mesh.test.ts'), 'utf8');

test.each(readdirSync(folder))('examples/%s is valid, renders, and is applied on a real node', (file) => {
  const documents = loadAll(readFileSync(resolve(folder, file), 'utf8'));

  expect(documents.flatMap((mesh) => validateMeshOperator(mesh))).toEqual([]);
  for (const mesh of documents)
    expect(renderMesh(resolveMesh(mesh as MeshOperator), aRenderContext())).not.toEqual([]);
  expect(realMeshTest).toContain(`examples/${file}`);
});
