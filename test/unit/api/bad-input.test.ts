import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { badInputs } from '../../support/bad-input.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Crd {
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
}

const crd = load(
  readFileSync(resolve(import.meta.dirname, '../../../crds/meshoperators.meshoperator.dev.yaml'), 'utf8'),
) as Crd;

/** Every field of a schema that has no fields itself, and every list. */
function fieldsOf({ properties = {}, items }: Schema, path: string): string[] {
  if (items !== undefined) return [path, ...fieldsOf(items, `${path}[]`)];
  const names = Object.entries(properties);
  return names.length === 0 ? [path] : names.flatMap(([name, field]) => fieldsOf(field, `${path}.${name}`));
}

test('each field of a mesh of several clusters has a row of what must not be in it', () => {
  const { openAPIV3Schema } = crd.spec.versions[0].schema;
  const spec = openAPIV3Schema.properties?.spec?.properties ?? {};
  const { rotation } = spec.certificateAuthority?.properties ?? {};
  const fields = [
    ...fieldsOf(spec.multiCluster ?? {}, 'spec.multiCluster'),
    ...fieldsOf(
      rotation?.properties?.absentMembers ?? {},
      'spec.certificateAuthority.rotation.absentMembers',
    ),
  ];

  const refused = new Set(
    badInputs.flatMap(({ problems }) =>
      problems.map((problem) => problem.slice(0, problem.indexOf(':')).replaceAll(/\[\d+\]/g, '[]')),
    ),
  );
  expect(fields.length).toBeGreaterThan(15);
  expect(fields.filter((field) => !refused.has(field))).toEqual([]);
});
