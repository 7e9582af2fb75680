import { z } from 'zod';
import { annotations, dnsLabel, integer, type TextRule, textOf } from './field-format.ts';
import { resourcesSchema, workloadSettingsSchema } from './kubernetes-settings.ts';
import { labelSelectorSchema } from './pod-scheduling.ts';

const templateNameRule: TextRule = {
  pattern: /^[a-zA-Z0-9]([-a-zA-Z0-9_.]*[a-zA-Z0-9])?$/,
  maxLength: 63,
  message: 'must be the name of a template: letters, digits, "-", "_" and "."',
};

const templateName = () => textOf(templateNameRule);

/** Longer than any reasonable template, and short enough to be compiled at once. */
const maxTemplateLength = 65_536;

const proxyDefaultsSchema = z.strictObject({
  namespaces: z
    .array(dnsLabel())
    .min(1, 'must name a namespace')
    .describe('Names of the namespaces; one namespace is in one entry only.'),
  resources: resourcesSchema
    .optional()
    .describe('Merged over `values.global.proxy.resources`, name by name of a resource.'),
  concurrency: integer(0)
    .optional()
    .describe('Worker threads of the proxy; 0: as many as it may use CPUs. Wins over that of `meshConfig`.'),
});

/** Which pods get a sidecar and what it looks like. */
export const sidecarInjectorSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether the mesh has a webhook that injects sidecars. Default: `true` when it has an istiod.'),
  failurePolicy: z
    .enum(['Fail', 'Ignore'])
    .optional()
    .describe(
      'What becomes of a pod that the injector cannot be asked about: `Fail` refuses it, `Ignore` lets it start without a sidecar. `Fail` takes effect when the API server has been seen to reach the injector, and is `Ignore` while no replica can answer. Default: `Fail`.',
    ),
  barePods: z
    .enum(['Report', 'Evict'])
    .optional()
    .describe(
      'What becomes of pods that should have a sidecar and have none: `Report` names them in status and Events; `Evict` also evicts them, one of a workload at a time and within disruption budgets, so that their successors are injected. Pods of Jobs are only reported. Default: `Report`.',
    ),
  k8s: workloadSettingsSchema
    .optional()
    .describe('Kubernetes settings of the injector. Default: two replicas, spread over nodes.'),
  enableNamespacesByDefault: z
    .boolean()
    .optional()
    .describe('Also inject into namespaces without any injection label. Default: `false`.'),
  neverInjectSelector: z
    .array(labelSelectorSchema)
    .optional()
    .describe('Pods whose labels match one of these get no sidecar, unless they ask for it themselves.'),
  alwaysInjectSelector: z
    .array(labelSelectorSchema)
    .optional()
    .describe(
      'Pods whose labels match one of these get one, unless they refuse it or `neverInjectSelector` matches.',
    ),
  rewriteAppHTTPProbers: z
    .boolean()
    .optional()
    .describe(
      'Let the sidecar answer the probes of applications, so that they work with mTLS. Default: `true`.',
    ),
  nativeSidecars: z
    .enum(['Auto', 'Always', 'Never'])
    .optional()
    .describe(
      'Whether sidecars are init containers that keep running: `Auto` means on Kubernetes 1.33 and newer. Default: `Auto`, or what `values.pilot.env.ENABLE_NATIVE_SIDECARS` says.',
    ),
  proxyDefaults: z
    .array(proxyDefaultsSchema)
    .optional()
    .describe(
      "Resources and threads of the proxies that are injected in some namespaces, where the pod's annotations set none. The mesh's own gateways have settings of their own.",
    ),
  injectedAnnotations: annotations().optional().describe('Annotations that every injected pod gets.'),
  defaultTemplates: z
    .array(templateName())
    .optional()
    .describe('Templates for pods that name none in `inject.istio.io/templates`. Default: `sidecar`.'),
  templates: z
    .record(
      z.string(),
      z.string().max(maxTemplateLength, `must not be longer than ${maxTemplateLength} characters`),
    )
    .optional()
    .describe(
      'Further templates by name, in Handlebars: each prints a part of a pod as YAML, which is merged onto the pod.',
    ),
  templateAliases: z
    .record(z.string(), z.array(templateName()))
    .optional()
    .describe('Names that stand for several templates.'),
});

export type SidecarInjector = z.infer<typeof sidecarInjectorSchema>;
