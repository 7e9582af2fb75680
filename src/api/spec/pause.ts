import { z } from 'zod';
import { type TextRule, textOf } from './field-format.ts';

const timeRule: TextRule = {
  pattern: /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/,
  maxLength: 40,
  message: 'must be a time as RFC 3339 has it, for example 2026-01-31T12:00:00Z',
};

/** A pause, and when it ends by itself. */
export const pauseSchema = z.strictObject({
  reason: z.string().min(1, 'must say why').max(1024).describe('Why, for whoever reads the status.'),
  until: textOf(timeRule)
    .optional()
    .describe('When it ends by itself (RFC 3339). Default: when it is removed.'),
});

export type PauseSpec = z.infer<typeof pauseSchema>;
