import { z } from 'zod';
import { dnsLabel } from './field-format.ts';

/** Where a volume comes from, as `spec.volumes[]` of a pod has it; a volume has one of them. */
export const volumeSources = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'hostPath',
  'image',
  'nfs',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;

/** A volume of a pod. What it comes from is passed through as it is. */
export const volumeSchema = z.strictObject({
  name: dnsLabel().describe('Name of the volume.'),
  ...sources(),
});

/** Where a volume is seen in a container. */
export const volumeMountSchema = z.strictObject({
  name: dnsLabel().describe('Name of the volume.'),
  mountPath: z.string().min(1).describe('Path in the container.'),
  subPath: z.string().optional().describe('Path in the volume. Default: its root.'),
  subPathExpr: z.string().optional().describe('The same with `$(NAME)` for variables of the container.'),
  readOnly: z.boolean().optional().describe('Default: `false`.'),
  mountPropagation: z
    .enum(['None', 'HostToContainer', 'Bidirectional'])
    .optional()
    .describe('Which later mounts are seen. Default: `None`.'),
});

type Source = (typeof volumeSources)[number];

function sources() {
  const source = (name: Source) =>
    z
      .record(z.string(), z.unknown())
      .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
      .optional()
      .describe(`\`${name}\` as in a pod.`);
  return Object.fromEntries(volumeSources.map((name) => [name, source(name)])) as Record<
    Source,
    ReturnType<typeof source>
  >;
}
