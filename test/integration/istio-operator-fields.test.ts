import { beforeAll, describe, expect, it } from 'vitest';
import { problemText } from '../../src/api/problem.ts';
import { validateMeshOperator } from '../../src/api/validate.ts';
import { openUpstreamCharts } from '../support/upstream-charts.ts';

/** Fields by name, each with the message that its value is, if it is one. */
type Messages = ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;

/** What validation says of a spec that has nothing but this field. */
function sayingsOf(path: readonly string[]): string[] {
  const spec = path.reduceRight<unknown>((inner, key) => {
    const name = key.replace('[]', '');
    return { [name]: key.endsWith('[]') ? [inner] : inner };
  }, {});
  const mesh = {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace: 'istio-system' },
    spec,
  };
  return validateMeshOperator(mesh).map(problemText);
}

/** Every field of a message and of those below it; a message within itself is not followed. */
function pathsOf(
  messages: Messages,
  message: string,
  path: readonly string[] = [],
  above: readonly string[] = [],
): string[][] {
  return [...(messages.get(message) ?? [])].flatMap(([name, type]) => {
    const here = [...path, name];
    if (type === undefined || above.includes(type)) return [here];
    return [here, ...pathsOf(messages, type, here, [...above, type])];
  });
}

/** Validation says no more of a field than that it does not know it. */
function isBare(saying: string): boolean {
  return /: is not a field( \(did you mean "[^"]+"\?\))?$/.test(saying);
}

describe('a field of IstioOperator', () => {
  let specs: Messages;
  let values: Messages;

  beforeAll(async () => {
    const charts = await openUpstreamCharts();
    specs = parseStructs(await charts.readFile('operator/pkg/apis/types.go'));
    values = parseProto(await charts.readFile('operator/pkg/apis/values_types.proto'));
  });

  it('means the same here, or is named with what to write instead', () => {
    const paths = pathsOf(specs, 'IstioOperatorSpec');

    const silent = paths.filter((path) => sayingsOf(path).some(isBare));

    expect(paths.length).toBeGreaterThan(80);
    expect(silent.map((path) => path.join('.'))).toEqual([]);
  });

  it('among its values is known here, or named with what to write instead', () => {
    const paths = pathsOf(values, 'Values');

    const silent = paths.filter((path) => sayingsOf(['values', ...path]).some(isBare));

    expect(paths.length).toBeGreaterThan(250);
    expect(silent.map((path) => path.join('.'))).toEqual([]);
  });
});

/** Structs of Go with the JSON names of their fields; an embedded struct gives its own. */
function parseStructs(text: string): Messages {
  const bodies = new Map(
    [...text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );
  const fieldsOf = (name: string): Map<string, string | undefined> => {
    const fields = new Map<string, string | undefined>();
    for (const line of (bodies.get(name) ?? '').split('\n')) {
      const embedded = /^\t(\w+)$/.exec(line)?.[1];
      if (embedded !== undefined) for (const field of fieldsOf(embedded)) fields.set(...field);
      const [, list, type = '', json = ''] = /^\t\w+\s+(\[\])?\*?(\w+)\s+`json:"(\w+),/.exec(line) ?? [];
      if (json !== '')
        fields.set(list === undefined ? json : `${json}[]`, bodies.has(type) ? type : undefined);
    }
    return fields;
  };
  return new Map([...bodies.keys()].map((name) => [name, fieldsOf(name)]));
}

/** Messages of protobuf with the JSON names of their fields. */
function parseProto(text: string): Messages {
  const bodies = [...text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)];
  const known = new Set(bodies.map(([, name]) => name));
  return new Map(
    bodies.map(([, name = '', body = '']) => [
      name,
      new Map(
        [...body.matchAll(/^ {2}(repeated )?([\w.<>, ]+?) (\w+) = \d+(?: \[(.*?)\])?;/gm)].map(
          ([, list, type = '', field = '', options = '']) => {
            const json = /json_name = "([^"]+)"/.exec(options)?.[1] ?? camelCase(field);
            return [list === undefined ? json : `${json}[]`, known.has(type) ? type : undefined];
          },
        ),
      ),
    ]),
  );
}

/** As protobuf names a field in JSON. */
function camelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
