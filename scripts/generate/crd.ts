import { z } from 'zod';
import { meshOperatorGroup, meshOperatorKind, meshOperatorSchema } from '../../src/api/mesh-operator.ts';
import { isRecord } from '../../src/base/stable-json.ts';

type JsonSchema = Record<string, unknown>;

/** What a structural schema keeps of a JSON schema, in the order it is written. */
const keptKeywords = [
  'description',
  'type',
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
  'checkedByOperatorAlone',
] as const;

/** All that is known of a MeshOperator's fields; the CRD says a little less (`checkedByOperatorAlone`). */
export function meshOperatorOpenApiSchema(): JsonSchema {
  const { spec, status } = meshOperatorSchema.shape;
  return {
    description: 'One service mesh: what is wanted of it, and what is true of it.',
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...structural(jsonSchemaOf(spec), 'keep-unknown'), description: 'What is wanted.' },
      status: {
        ...structural(jsonSchemaOf(status), 'prune-unknown'),
        description: 'What is true.',
        // For kstatus: without it, what the operator has not seen yet would be taken for done.
        default: { observedGeneration: -1 },
      },
    },
  };
}

/** The CustomResourceDefinition of MeshOperator. */
export function meshOperatorCrd(): JsonSchema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `meshoperators.${meshOperatorGroup}` },
    spec: {
      group: meshOperatorGroup,
      scope: 'Namespaced',
      names: {
        kind: meshOperatorKind,
        listKind: `${meshOperatorKind}List`,
        plural: 'meshoperators',
        singular: 'meshoperator',
        shortNames: ['mesh'],
        categories: ['istio-io'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns,
          schema: { openAPIV3Schema: describedOnce(withoutBulk(meshOperatorOpenApiSchema()), new Set()) },
        },
      ],
    },
  };
}

const printerColumns = [
  { name: 'State', type: 'string', jsonPath: '.status.state', description: 'One word on the whole mesh.' },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'Whether the mesh is what the spec asks for.',
  },
  {
    name: 'Revision',
    type: 'string',
    jsonPath: '.status.revision',
    description: 'Revision of the control plane.',
  },
  { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Istio version.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'Message',
    type: 'string',
    priority: 1,
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: 'What the Ready condition says.',
  },
];

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    unrepresentable: 'any',
    reused: 'inline',
    io: 'input',
  });
}

/**
 * A structural schema. In a spec, unknown keys are kept: a mistyped one must reach the operator, which says in
 * status what was meant; pruning would drop it silently.
 */
function structural(schema: JsonSchema, unknown: 'keep-unknown' | 'prune-unknown'): JsonSchema {
  const result: JsonSchema = {};
  for (const keyword of keptKeywords) {
    if (schema[keyword] !== undefined && !isSafeIntegerBound(keyword, schema[keyword])) {
      result[keyword] = schema[keyword];
    }
  }
  if (result['x-kubernetes-preserve-unknown-fields'] === true) return result;
  if (isRecord(schema.items)) result.items = structural(schema.items, unknown);
  if (isRecord(schema.properties)) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [
        name,
        structural(property as JsonSchema, unknown),
      ]),
    );
    if (Array.isArray(schema.required) && schema.required.length > 0) result.required = schema.required;
    if (unknown === 'keep-unknown') result['x-kubernetes-preserve-unknown-fields'] = true;
  } else if (isRecord(schema.additionalProperties)) {
    result.additionalProperties = structural(schema.additionalProperties, unknown);
  }
  return result;
}

/** The schema without the fields of what the operator alone checks. */
function withoutBulk(schema: JsonSchema): JsonSchema {
  if (schema.checkedByOperatorAlone === true) {
    const { description } = schema;
    return { description, type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  }
  return mapSchemas(schema, withoutBulk);
}

/**
 * The schema with each type described where it first occurs, and nowhere again: `kubectl apply` writes the whole CRD into
 * an annotation, which Kubernetes bounds. A field keeps what is said of itself.
 */
function describedOnce(schema: JsonSchema, known: Set<string>): JsonSchema {
  const { description, ...type } = schema;
  const own = description === undefined ? {} : { description };
  const identity = JSON.stringify(type);
  if (known.has(identity)) return { ...own, ...(withoutDescriptions(type) as JsonSchema) };
  known.add(identity);
  return { ...own, ...mapSchemas(type, (inner) => describedOnce(inner, known)) };
}

/** What a schema says, with each schema that is right below it changed. */
function mapSchemas(schema: JsonSchema, change: (inner: JsonSchema) => JsonSchema): JsonSchema {
  const changed = (value: unknown) => (isRecord(value) ? change(value) : value);
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [
      keyword,
      keyword === 'properties' && isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([name, property]) => [name, changed(property)]))
        : changed(value),
    ]),
  );
}

/** Nothing but a description is text under this name: fields of the spec are records. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => name !== 'description' || typeof inner !== 'string')
      .map(([name, inner]) => [name, withoutDescriptions(inner)]),
  );
}

/** The schema library writes the range in which JavaScript numbers are exact; that is no rule of ours. */
function isSafeIntegerBound(keyword: string, value: unknown): boolean {
  return (
    (keyword === 'minimum' || keyword === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER
  );
}
