import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { labelsOfNamespace, ownerByLabels } from '../../api/labels.ts';
import type { LabelSelector } from '../../api/resolved-injection.ts';
import { isRecord } from '../../base/stable-json.ts';
import { matchesSelector } from '../../injection/label-selector.ts';
import type { AnalysisInput } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

const injectName = /inject/i;

/** Injectors of other tools that take pods of namespaces that are ours as well: such pods get two sidecars, or none. */
export function checkWebhooks({ webhooks, namespaces }: AnalysisInput): AnalysisFinding[] {
  const ours = webhooks.filter(isOurs).flatMap(injectorsIn);
  return webhooks
    .filter((configuration) => !isOurs(configuration))
    .flatMap((configuration): AnalysisFinding[] => {
      const theirs = injectorsIn(configuration);
      const shared = namespaces
        .filter((namespace) => [ours, theirs].every((injectors) => injectors.some(takes(namespace))))
        .map(({ metadata }) => metadata.name);
      if (shared.length === 0) return [];
      return [
        {
          ...{ severity: 'error', rule: 'OtherInjector', object: idText(idOf(configuration)) },
          why: `it injects into namespaces that a MeshOperator injects into as well: ${shared.join(', ')}`,
          fix: 'take the namespaces from one of the two: remove the label that its namespaceSelector asks for, or the webhook',
        },
      ];
    });
}

function isOurs({ metadata }: KubernetesObject): boolean {
  return ownerByLabels(metadata.labels) !== undefined;
}

/** The webhooks of a configuration that look like injectors: they change pods that are created, and say so. */
function injectorsIn(configuration: KubernetesObject): Record<string, unknown>[] {
  const webhooks = Array.isArray(configuration.webhooks) ? configuration.webhooks.filter(isRecord) : [];
  return webhooks.filter((webhook) => {
    const service = isRecord(webhook.clientConfig) ? webhook.clientConfig.service : undefined;
    const path = isRecord(service) ? String(service.path ?? '') : '';
    return (
      [configuration.metadata.name, String(webhook.name), path].some((text) => injectName.test(text)) &&
      isForPods(webhook)
    );
  });
}

function isForPods({ rules }: Record<string, unknown>): boolean {
  return (Array.isArray(rules) ? rules.filter(isRecord) : []).some(({ operations, resources }) => {
    const has = (list: unknown, value: string) =>
      Array.isArray(list) && (list.includes(value) || list.includes('*'));
    return has(operations, 'CREATE') && has(resources, 'pods');
  });
}

/** True for an injector that takes pods of this namespace that say nothing themselves. */
function takes(namespace: KubernetesObject): (webhook: Record<string, unknown>) => boolean {
  return ({ namespaceSelector = {}, objectSelector = {} }) =>
    matchesSelector(namespaceSelector as LabelSelector, labelsOfNamespace(namespace)) &&
    matchesSelector(objectSelector as LabelSelector, {});
}
