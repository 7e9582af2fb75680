import { z } from 'zod';
import type { ObjectMeta } from './kubernetes-object.ts';
import { meshOperatorSpecSchema } from './mesh-operator-spec.ts';
import { meshOperatorStatusSchema } from './mesh-operator-status.ts';

export const meshOperatorGroup = 'meshoperator.dev';
export const meshOperatorApiVersion = 'meshoperator.dev/v1alpha1';
export const meshOperatorKind = 'MeshOperator';

/** The one schema: types, validation, CRD and reference page come from it. */
export const meshOperatorSchema = z.strictObject({
  apiVersion: z.literal(meshOperatorApiVersion),
  kind: z.literal(meshOperatorKind),
  metadata: z.custom<ObjectMeta>(),
  spec: meshOperatorSpecSchema.optional(),
  status: meshOperatorStatusSchema.optional(),
});

/** One service mesh: what is wanted of it, and what is true of it. */
export type MeshOperator = z.infer<typeof meshOperatorSchema>;
