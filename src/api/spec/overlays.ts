import { z } from 'zod';

/** Changes of one rendered object, as IstioOperator has them. */
const overlaySchema = z.strictObject({
  apiVersion: z
    .string()
    .optional()
    .describe('API version of the object. Only its group counts. Default: whatever it is.'),
  kind: z.string().min(1).describe('Kind of the object.'),
  name: z.string().min(1).describe('Name of the object.'),
  patches: z
    .array(
      z.strictObject({
        path: z
          .string()
          .min(1)
          .max(1024)
          .describe(
            'Where: keys joined by dots, `[key:value]` or `[:text]` for an item of a list, `[2]` by index, `[-1]` behind the last; a dot inside a key is written `\\.`.',
          ),
        value: z
          .unknown()
          .optional()
          .meta({ 'x-kubernetes-preserve-unknown-fields': true })
          .describe('What is put there. Absent or null: what is there is taken away.'),
      }),
    )
    .min(1, 'must have at least one patch')
    .describe('Changes, one after the other.'),
});

/** Changes of rendered objects, the last step before they are applied. */
export const overlaysSchema = z.array(overlaySchema);

export type Overlay = z.infer<typeof overlaySchema>;
