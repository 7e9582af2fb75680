import { injectorSelfTestLabel, memberLabel, tenantLabel } from '../../api/labels.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import type { ResolvedTagScope } from '../../api/resolved-upgrade.ts';
import { names } from '../../injection/annotation-names.ts';
import { ignoredNamespaces } from '../../injection/decide-injection.ts';

/** One requirement of a label selector, as `matchExpressions` has it: what istioctl reads. */
interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** One entry of a MutatingWebhookConfiguration, as far as entries differ. */
export interface WebhookEntry {
  readonly name: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly namespaceSelector: readonly Requirement[];
  readonly objectSelector: readonly Requirement[];
}

/**
 * Entries end in `istio.io`, by which istioctl knows Istio's webhooks, and not in `sidecar-injector.istio.io`: istiod
 * of the same revision would write its own CA into those (pkg/webhooks/webhookpatch.go).
 */
const entrySuffix = 'mesh-operator.istio.io';

/** The entry that the self-test goes through, and nothing else. */
export const selfTestEntryName = `self-test.${entrySuffix}`;

/** True for the name of an entry of istiod's own injector, to which istiod gives its CA. */
export function isEntryOfIstiod(name: string): boolean {
  return name.endsWith('.sidecar-injector.istio.io');
}

const injectionLabel = 'istio-injection';
const { revision: revisionKey, inject: injectKey } = names;
const namespaceName = 'kubernetes.io/metadata.name';

const isAbsent = (key: string): Requirement => ({ key, operator: 'DoesNotExist' });
const isOneOf = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values });
const isNoneOf = (key: string, ...values: string[]): Requirement => ({ key, operator: 'NotIn', values });

/**
 * The entries by which pods choose a revision or a tag of it, as Istio's own select (injection-template of its charts):
 * `istio-injection` before `istio.io/rev`, the namespace's label before the pod's, and no pod twice. `default` is the
 * revision of `istio-injection=enabled`. Neither Kubernetes' own namespaces nor the injector's are ever selected.
 */
export function selectionEntries(
  mesh: ResolvedMesh,
  revisionName: string,
  scope?: ResolvedTagScope,
): WebhookEntry[] {
  const { only, except = [] } = scope ?? {};
  const isWithin = [
    isNoneOf(namespaceName, ...new Set([...ignoredNamespaces, mesh.namespace, ...except])),
    ...(only === undefined ? [] : [isOneOf(namespaceName, ...only)]),
  ];
  const entry = (prefix: string, namespaces: Requirement[], pods: Requirement[]): WebhookEntry => ({
    name: `${prefix}.${entrySuffix}`,
    // Seeded: the admission controller turns it to what the spec says once the API server reaches the injector.
    failurePolicy: 'Ignore',
    namespaceSelector: [...namespaces, ...isWithin],
    objectSelector: pods,
  });
  const { tenancy } = mesh;
  if (tenancy !== undefined) {
    // Of a tenant a pod is by its namespace alone, and a namespace by both its labels.
    const isMember = [isOneOf(tenantLabel, tenancy.tenant), isOneOf(memberLabel, tenancy.tenant)];
    const namespaces = [isOneOf(revisionKey, revisionName), isAbsent(injectionLabel), ...isMember];
    return [entry('rev.namespace', namespaces, [isNoneOf(injectKey, 'false')])];
  }
  const entries = [
    entry(
      'rev.namespace',
      [isOneOf(revisionKey, revisionName), isAbsent(injectionLabel)],
      [isNoneOf(injectKey, 'false')],
    ),
    entry(
      'rev.object',
      [isAbsent(revisionKey), isAbsent(injectionLabel)],
      [isNoneOf(injectKey, 'false'), isOneOf(revisionKey, revisionName)],
    ),
  ];
  if (revisionName !== 'default') return entries;
  entries.push(
    entry('namespace', [isOneOf(injectionLabel, 'enabled')], [isNoneOf(injectKey, 'false')]),
    entry(
      'object',
      [isAbsent(injectionLabel), isAbsent(revisionKey)],
      [isOneOf(injectKey, 'true'), isAbsent(revisionKey)],
    ),
  );
  if (mesh.injection.enableNamespacesByDefault) {
    entries.push(
      entry(
        'auto',
        [isAbsent(injectionLabel), isAbsent(revisionKey)],
        [isAbsent(injectKey), isAbsent(revisionKey)],
      ),
    );
  }
  return entries;
}

/**
 * Selects one pod only, which is never created: the dry run by which the admission controller sees that the API server
 * reaches the injector. It always fails, so that the API server says why it does not.
 */
export function selfTestEntry(mesh: ResolvedMesh): WebhookEntry {
  return {
    name: selfTestEntryName,
    failurePolicy: 'Fail',
    namespaceSelector: [isOneOf(namespaceName, mesh.namespace)],
    objectSelector: [isOneOf(injectorSelfTestLabel, revisionLabel(mesh.revision))],
  };
}
