import { z } from 'zod';
import { meshOperatorSchema } from '../mesh-operator.ts';

type Path = readonly PropertyKey[];

/** Whether a MeshOperator has a field at a path, or takes any key there. */
export function hasField(path: Path): boolean {
  return fieldAt(path) !== undefined;
}

/** What a scalar at a path of a MeshOperator must be; undefined when it may be several things, or is no field. */
export function scalarTypeAt(path: Path): 'text' | 'number' | undefined {
  const field = fieldAt(path);
  if (field instanceof z.ZodString) return 'text';
  return field instanceof z.ZodNumber ? 'number' : undefined;
}

/** The values that a field can have; undefined for one that is not limited to some. */
export function choicesAt(path: Path): readonly unknown[] | undefined {
  const field = fieldAt(path);
  return field instanceof z.ZodEnum ? field.options : undefined;
}

/** Names of the fields of the block at a path. */
export function fieldsAt(path: Path): readonly string[] {
  const field = fieldAt(path);
  return field instanceof z.ZodObject ? Object.keys(field.shape) : [];
}

function fieldAt(path: Path): z.ZodType | undefined {
  const field = schemaAt(meshOperatorSchema, path);
  return field === undefined ? undefined : unwrapped(field);
}

/** The schema of the field at a path, with what makes it optional; undefined when there is no such field. */
export function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const segment of path) {
    const container: z.ZodType = unwrapped(current);
    if (container instanceof z.ZodObject) current = container.shape[String(segment)] as z.ZodType | undefined;
    else if (container instanceof z.ZodArray) current = container.element as z.ZodType;
    else if (container instanceof z.ZodRecord) current = container.valueType as z.ZodType;
    else return undefined;
    if (current === undefined) return undefined;
  }
  return current;
}

/** A schema without what makes it optional. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
