import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import {
  checkedKinds,
  gitopsHealthOf,
  resourceCustomizations,
  type Verdict,
} from '../support/gitops-health.ts';

/** As Argo CD's own repository has them. */
interface HealthTests {
  readonly tests: readonly { readonly inputPath: string; readonly healthStatus: Verdict }[];
}

/** What kstatus, which knows no pause, calls what Argo CD calls this. */
const kstatusOf: Readonly<Record<string, string>> = {
  ...{ Healthy: 'Current', Degraded: 'Failed', Progressing: 'InProgress', Suspended: 'InProgress' },
};

describe.each(checkedKinds)('the health check of %s', (kind) => {
  test('says of each object in testdata what health_test.yaml says', async () => {
    const { tests, objects } = await readTests(kind);

    const found = await gitopsHealthOf(objects);

    expect(found.map(({ argoCD }) => argoCD)).toEqual(tests.map(({ healthStatus }) => healthStatus));
  });

  test('is tested with every object in testdata', async () => {
    const { tests } = await readTests(kind);

    const files = await readdir(join(resourceCustomizations, kind, 'testdata'));
    expect(tests.map(({ inputPath }) => inputPath).sort()).toEqual(
      files.map((file) => `testdata/${file}`).sort(),
    );
  });
});

test('kstatus says the same of a MeshOperator as Argo CD', async () => {
  const { objects } = await readTests('meshoperator.dev/MeshOperator');

  for (const { argoCD, kstatus } of await gitopsHealthOf(objects)) {
    expect(kstatus, argoCD.message).toMatchObject({ status: kstatusOf[argoCD.status] });
  }
});

async function readTests(kind: string) {
  const read = async (path: string) => load(await readFile(join(resourceCustomizations, kind, path), 'utf8'));
  const { tests } = (await read('health_test.yaml')) as HealthTests;
  const objects = await Promise.all(tests.map(({ inputPath }) => read(inputPath)));
  return { tests, objects };
}
