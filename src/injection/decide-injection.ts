import { builtInTemplateNames, spireTemplateName } from '../api/injection-templates.ts';
import { injectorSelfTestLabel, memberLabel, tenantLabel } from '../api/labels.ts';
import { type ResolvedMesh, revisionLabel } from '../api/resolved-mesh.ts';
import { tagsCountIn } from '../api/resolved-upgrade.ts';
import { names } from './annotation-names.ts';
import type { InjectionInput } from './injection-input.ts';
import { isEmptySelector, matchesSelector } from './label-selector.ts';
import { annotationOf, labelOf, type Pod } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';

/** Why a pod gets no sidecar. */
export const skipReasons = {
  HostNetwork: 'the pod is in the network of its node, whose traffic must not be captured',
  WindowsPod: 'the pod is for Windows nodes, for which there is no sidecar',
  SystemNamespace: 'nothing is injected into the namespaces of Kubernetes itself',
  ControlPlaneNamespace: 'nothing is injected into the namespace of the control plane itself',
  NamespaceOptedOut: 'the namespace refuses injection',
  PodOptedOut: 'the pod refuses injection',
  OtherTenant: 'the namespace is no member of the tenant',
  OtherRevision: 'another revision is responsible',
  NotSelected: 'neither the namespace nor the pod asks for injection',
  NeverInjectSelector: 'a neverInjectSelector of the mesh matches the pod',
  PolicyDisabled: 'the mesh injects only pods that ask for it themselves',
} as const;

export type SkipReason = keyof typeof skipReasons;

export type InjectionDecision =
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly explanation: string }
  | { readonly kind: 'inject'; readonly templates: readonly string[]; readonly explanation: string };

/** Namespaces that are never injected, whatever their labels. */
export const ignoredNamespaces: readonly string[] = [
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
];

const injectionLabel = 'istio-injection';

/** What one rule says: undefined leaves the pod to the next rule. */
type Verdict = { readonly skip: SkipReason; readonly because: string } | { readonly because: string };
type Rule = (input: InjectionInput) => Verdict | undefined;

/**
 * Which control plane is responsible, as the selectors of Istio's webhooks decide it: labels alone count, the
 * namespace's before the pod's, `istio-injection` before `istio.io/rev`. Whoever was chosen by such selectors need not
 * ask again.
 */
const selectionRules: readonly Rule[] = [
  tenantRule,
  namespaceLegacyLabelRule,
  namespaceRevisionRule,
  memberWithoutRevisionRule,
  podRevisionRule,
  podAsksRule,
  namespacesByDefaultRule,
];

/** Whether a pod that this control plane is responsible for is injected; the first rule that speaks decides. */
const policyRules: readonly Rule[] = [
  hostNetworkRule,
  windowsRule,
  systemNamespaceRule,
  controlPlaneNamespaceRule,
  podSaysRule,
  neverSelectorRule,
  alwaysSelectorRule,
  policyRule,
];

/**
 * Decides whether this mesh injects the pod, and with which templates. The explanation names the label, annotation
 * or setting that decided. Throws PodRejectedError when the pod names a template that does not exist.
 */
export function decideInjection(input: InjectionInput): InjectionDecision {
  const selected = selectionOf(input);
  if ('skip' in selected) return skipDecision(selected);
  const verdict = firstVerdict(policyRules, input);
  if (verdict !== undefined && 'skip' in verdict) return skipDecision(verdict);
  const reasons = [selected.because, ...(verdict === undefined ? [] : [verdict.because])];
  const templates = selectTemplates(input.pod, input.mesh);
  return {
    kind: 'inject',
    templates,
    explanation: `Injected with ${templates.join(', ')}: ${[...new Set(reasons)].join('; ')}.`,
  };
}

function selectionOf(input: InjectionInput): Verdict {
  if (input.namespace.labels === undefined) return { because: 'the selectors of the webhook chose the pod' };
  return (
    firstVerdict(selectionRules, input) ?? {
      skip: 'NotSelected',
      because: `the namespace has no label ${injectionLabel} or ${names.revision}, and the pod no label ${names.inject} or ${names.revision}`,
    }
  );
}

function firstVerdict(rules: readonly Rule[], input: InjectionInput): Verdict | undefined {
  for (const rule of rules) {
    const verdict = rule(input);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function skipDecision({ skip, because }: { skip: SkipReason; because: string }): InjectionDecision {
  return { kind: 'skip', reason: skip, explanation: `Not injected: ${skipReasons[skip]} (${because}).` };
}

/** True for the control plane that `istio-injection=enabled` means. */
function isDefaultRevision(input: InjectionInput): boolean {
  return isOurs(input, 'default');
}

/** True for a value of `istio.io/rev` that means this control plane, there where the pod is. */
function isOurs({ mesh, namespace }: InjectionInput, name: string): boolean {
  if (name === revisionLabel(mesh.revision)) return true;
  return mesh.revisionTags.includes(name) && tagsCountIn(mesh.tagScope, namespace.name);
}

function namespaceLabel({ namespace }: InjectionInput, name: string): string | undefined {
  const labels = namespace.labels ?? {};
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

/** Of a tenant a namespace is by both its labels: that of whoever may label namespaces, and that of the operator. */
function tenantRule(input: InjectionInput): Verdict | undefined {
  const { tenancy } = input.mesh;
  if (tenancy === undefined) return undefined;
  const missing = [tenantLabel, memberLabel].find((label) => namespaceLabel(input, label) !== tenancy.tenant);
  return missing === undefined
    ? undefined
    : { skip: 'OtherTenant', because: `the namespace has no label ${missing}=${tenancy.tenant}` };
}

/** A pod alone cannot choose a tenant. */
function memberWithoutRevisionRule({ mesh }: InjectionInput): Verdict | undefined {
  return mesh.tenancy === undefined
    ? undefined
    : { skip: 'NotSelected', because: `the namespace has no label ${names.revision}` };
}

function namespaceLegacyLabelRule(input: InjectionInput): Verdict | undefined {
  const value = namespaceLabel(input, injectionLabel);
  if (value === undefined) return undefined;
  const because = `label ${injectionLabel}=${value} of the namespace`;
  if (value !== 'enabled') return { skip: 'NamespaceOptedOut', because };
  return isDefaultRevision(input)
    ? (refusedByPod(input.pod) ?? { because })
    : { skip: 'OtherRevision', because: `${because} means the default revision` };
}

function namespaceRevisionRule(input: InjectionInput): Verdict | undefined {
  const value = namespaceLabel(input, names.revision);
  if (value === undefined) return undefined;
  const because = `label ${names.revision}=${value} of the namespace`;
  return isOurs(input, value) ? (refusedByPod(input.pod) ?? { because }) : { skip: 'OtherRevision', because };
}

function podRevisionRule(input: InjectionInput): Verdict | undefined {
  const { pod } = input;
  const value = labelOf(pod, names.revision);
  if (value === undefined) return undefined;
  const because = `label ${names.revision}=${value} of the pod`;
  return isOurs(input, value) ? (refusedByPod(pod) ?? { because }) : { skip: 'OtherRevision', because };
}

function podAsksRule(input: InjectionInput): Verdict | undefined {
  const { pod } = input;
  const value = labelOf(pod, names.inject);
  if (value === undefined) return undefined;
  const because = `label ${names.inject}=${value} of the pod`;
  if (value !== 'true') return refusedByPod(pod) ?? { skip: 'NotSelected', because };
  return isDefaultRevision(input)
    ? { because }
    : { skip: 'OtherRevision', because: `${because} without ${names.revision} means the default revision` };
}

function namespacesByDefaultRule(input: InjectionInput): Verdict | undefined {
  const { mesh, namespace } = input;
  if (!mesh.injection.enableNamespacesByDefault || !isDefaultRevision(input)) return undefined;
  return ignoredNamespaces.includes(namespace.name)
    ? { skip: 'SystemNamespace', because: `namespace ${namespace.name}` }
    : { because: 'enableNamespacesByDefault of the mesh' };
}

/** The label `false` keeps a pod from every webhook. */
function refusedByPod(pod: Pod): Verdict | undefined {
  return labelOf(pod, names.inject) === 'false'
    ? { skip: 'PodOptedOut', because: `label ${names.inject}=false of the pod` }
    : undefined;
}

function hostNetworkRule({ pod }: InjectionInput): Verdict | undefined {
  return pod.spec.hostNetwork === true ? { skip: 'HostNetwork', because: 'spec.hostNetwork' } : undefined;
}

function windowsRule({ pod }: InjectionInput): Verdict | undefined {
  const { os, nodeSelector } = pod.spec as {
    os?: { name?: unknown };
    nodeSelector?: Record<string, unknown>;
  };
  if (os?.name === 'windows') return { skip: 'WindowsPod', because: 'spec.os.name is windows' };
  return nodeSelector?.['kubernetes.io/os'] === 'windows'
    ? { skip: 'WindowsPod', because: 'spec.nodeSelector asks for kubernetes.io/os=windows' }
    : undefined;
}

function systemNamespaceRule({ namespace }: InjectionInput): Verdict | undefined {
  return ignoredNamespaces.includes(namespace.name)
    ? { skip: 'SystemNamespace', because: `namespace ${namespace.name}` }
    : undefined;
}

/** No pod of the control plane may wait for the control plane; only the self-test of the injector is no such pod. */
function controlPlaneNamespaceRule({ pod, mesh, namespace }: InjectionInput): Verdict | undefined {
  return namespace.name === mesh.namespace && labelOf(pod, injectorSelfTestLabel) === undefined
    ? { skip: 'ControlPlaneNamespace', because: `namespace ${namespace.name}` }
    : undefined;
}

/** The label wins over the annotation; anything but `true` and `false` says nothing. */
function podSaysRule({ pod }: InjectionInput): Verdict | undefined {
  const label = labelOf(pod, names.inject);
  const value = label ?? annotationOf(pod, names.inject);
  const because = `${label === undefined ? 'annotation' : 'label'} ${names.inject}=${value} of the pod`;
  if (value === 'false') return { skip: 'PodOptedOut', because };
  return value === 'true' ? { because } : undefined;
}

function neverSelectorRule({ pod, mesh }: InjectionInput): Verdict | undefined {
  const index = matchingSelector(mesh.injection.neverInjectSelector, pod);
  return index === undefined
    ? undefined
    : { skip: 'NeverInjectSelector', because: `neverInjectSelector[${index}]` };
}

function alwaysSelectorRule({ pod, mesh }: InjectionInput): Verdict | undefined {
  const index = matchingSelector(mesh.injection.alwaysInjectSelector, pod);
  return index === undefined ? undefined : { because: `alwaysInjectSelector[${index}]` };
}

function policyRule({ mesh }: InjectionInput): Verdict | undefined {
  return mesh.injection.policy === 'enabled'
    ? undefined
    : { skip: 'PolicyDisabled', because: 'autoInject of the mesh is disabled' };
}

function matchingSelector(
  selectors: ResolvedMesh['injection']['neverInjectSelector'],
  pod: Pod,
): number | undefined {
  const index = selectors.findIndex(
    (selector) => !isEmptySelector(selector) && matchesSelector(selector, pod.metadata.labels ?? {}),
  );
  return index === -1 ? undefined : index;
}

/** More templates than anybody combines; the bound keeps a request's work bounded. */
const maxTemplates = 16;

function selectTemplates(pod: Pod, { injection, authority }: ResolvedMesh): readonly string[] {
  const asked = annotationOf(pod, names.templates)
    ?.split(',', maxTemplates + 1)
    .map((name) => name.trim());
  const selected = (asked ?? injection.defaultTemplates).flatMap((name) =>
    Object.hasOwn(injection.templateAliases, name) ? (injection.templateAliases[name] ?? []) : [name],
  );
  if (selected.length > maxTemplates) {
    throw new PodRejectedError(`Annotation ${names.templates} names more than ${maxTemplates} templates`);
  }
  const hasSpire = authority.spire !== undefined && !Object.hasOwn(injection.templates, spireTemplateName);
  const rendered = hasSpire ? selected.filter((name) => name !== spireTemplateName) : selected;
  const known = [...builtInTemplateNames, ...Object.keys(injection.templates)];
  const unknown = rendered.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = unknown === spireTemplateName ? ', or set provider Spire of the mesh, which brings it' : '';
    throw new PodRejectedError(
      `Annotation ${names.templates} names the template ${JSON.stringify(unknown)}, which does not exist: use one of ${known.join(', ')}${hint}`,
    );
  }
  if (rendered.length > 0) return rendered;
  throw new PodRejectedError(
    `Annotation ${names.templates} names ${spireTemplateName} alone, which is no proxy: use sidecar,${spireTemplateName} or gateway,${spireTemplateName}`,
  );
}
