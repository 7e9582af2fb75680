import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { meshOperatorCrd, meshOperatorOpenApiSchema } from '../../../scripts/generate/crd.ts';
import { meshOperatorReference } from '../../../scripts/generate/reference-page.ts';
import { conditionTable } from '../../../src/api/conditions.ts';

type Schema = Record<string, unknown>;

interface Row {
  readonly path: string;
  readonly schema: Schema;
}

interface Crd {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: {
          readonly openAPIV3Schema: { readonly properties: { spec: Schema; status: Schema } };
        };
      },
    ];
  };
}

function rowsBelow(path: string, schema: Schema): Row[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const rows = properties.flatMap(([name, inner]) => rowsBelow(`${path}.${name}`, inner));
  const items = schema.items === undefined ? [] : rowsBelow(`${path}[]`, schema.items as Schema);
  return [{ path, schema }, ...rows, ...items];
}

function withoutDescriptions(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema, (name, value) =>
      name === 'description' && typeof value === 'string' ? undefined : value,
    ),
  );
}

const { spec, status } = meshOperatorOpenApiSchema().properties as { spec: Schema; status: Schema };
const specRows = rowsBelow('spec', spec);
const statusRows = rowsBelow('status', status);

describe('the schema of MeshOperator', () => {
  it('describes every field', () => {
    const silent = [...specRows, ...statusRows].filter(
      ({ path, schema }) => !path.endsWith('[]') && typeof schema.description !== 'string',
    );

    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('keeps unknown keys in every object of the spec, and in none of the status', () => {
    const keeps = ({ schema }: Row) => schema['x-kubernetes-preserve-unknown-fields'] === true;
    const objects = (rows: Row[]) => rows.filter(({ schema }) => schema.properties !== undefined);

    expect(objects(specRows).filter((row) => !keeps(row))).toEqual([]);
    expect(statusRows.filter(keeps)).toEqual([]);
  });

  it('has no default: the operator fills them in, so that a spec in git stays what it is', () => {
    expect(specRows.filter(({ schema }) => schema.default !== undefined)).toEqual([]);
    // kstatus must not take a mesh that no operator has seen for one that is done.
    expect(statusRows.filter(({ schema }) => schema.default !== undefined).map(({ path }) => path)).toEqual([
      'status',
    ]);
  });

  it('has only patterns that the API server reads in the same way', () => {
    const patterns = specRows.flatMap(({ schema }) =>
      schema.pattern === undefined ? [] : [String(schema.pattern)],
    );

    expect(patterns.length).toBeGreaterThan(20);
    // RE2 has no look-around and no back-references; the rest of our syntax means the same in both.
    expect(patterns.filter((pattern) => /\(\?[=!<]|\\[1-9]/.test(pattern))).toEqual([]);
  });
});

describe('the CRD', () => {
  const text = JSON.stringify(meshOperatorCrd());

  it('fits into the annotation in which kubectl apply keeps it', () => {
    const annotationLimit = 256 * 1024;
    const roomForOthers = 4 * 1024;

    expect(Buffer.byteLength(text)).toBeLessThan(annotationLimit - roomForOthers);
  });

  it('has every field but those of affinities, metrics and limits, which the operator alone checks', () => {
    const [version] = (meshOperatorCrd() as unknown as Crd).spec.versions;
    const { properties } = version.schema.openAPIV3Schema;
    const inCrd = new Map(rowsBelow('spec', properties.spec).map(({ path, schema }) => [path, schema]));
    const missing = specRows.filter(({ path }) => !inCrd.has(path)).map(({ path }) => path);
    const bulky = (path: string) => /\.(affinity|hpaSpec\.metrics\[\]|tenancy\.limits\[\])\./.test(path);

    expect(missing.length).toBeGreaterThan(100);
    expect(missing.filter((path) => !bulky(path))).toEqual([]);
    for (const { path, schema } of specRows.filter(
      ({ path, schema }) => schema.properties === undefined && schema.items === undefined && !bulky(path),
    )) {
      expect(inCrd.get(path), path).toMatchObject(withoutDescriptions(schema));
    }
    expect(inCrd.get('spec.components.pilot.k8s.affinity')).toMatchObject({
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    });
    expect(withoutDescriptions(properties.status)).toEqual(withoutDescriptions(status));
  });

  it('says everything that is said of a field at least once', () => {
    const descriptions = specRows
      .filter(({ path }) => !/\.(affinity|metrics\[\]|limits\[\])\./.test(path))
      .flatMap(({ schema }) =>
        schema.description === undefined ? [] : [JSON.stringify(schema.description)],
      );

    expect(descriptions.length).toBeGreaterThan(400);
    expect(descriptions.filter((description) => !text.includes(description))).toEqual([]);
  });
});

describe('the generated files', () => {
  it('are those of this schema', () => {
    const crd = load(readFileSync('crds/meshoperators.meshoperator.dev.yaml', 'utf8'));

    expect(crd).toEqual(JSON.parse(JSON.stringify(meshOperatorCrd())));
    expect(readFileSync('docs/reference/mesh-operator.md', 'utf8')).toBe(meshOperatorReference());
  });

  it('name every condition with every reason in the reference page', () => {
    const page = meshOperatorReference();

    for (const { type, reasons } of conditionTable) {
      expect(page).toContain(`### ${type}\n`);
      for (const { reason } of reasons) expect(page).toContain(`| \`${reason}\` |`);
    }
  });

  it('name every field of the spec in the reference page, or the block it is like', () => {
    const page = meshOperatorReference();
    const topLevel = specRows.filter(({ path }) => /^spec\.[a-zA-Z]+$/.test(path));

    expect(topLevel.length).toBeGreaterThan(5);
    for (const { path } of topLevel) expect(page).toContain(`| \`${path}\` |`);
  });
});
