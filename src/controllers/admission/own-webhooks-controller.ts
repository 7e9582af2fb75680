import { kindInfo } from '../../api/kinds.ts';
import type { Clock } from '../../base/clock.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer } from '../../runtime/informer.ts';
import { bundleTrusts } from './ca-bundle.ts';
import { webhookManager } from './field-managers.ts';
import { authorKeyIn, authorKeyName, ownCertificateName, ownSecretsSelector } from './own-secrets.ts';
import { type OwnWebhooksOptions, OwnWebhooksReconciler } from './own-webhooks-reconciler.ts';
import { readServingSlots, type SlotCertificate } from './serving-slots.ts';
import { caBundleOf } from './webhook-state.ts';

export interface OwnWebhooksDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
}

/** The controller, the caches of its own, and what every replica reads from them. */
export interface OwnWebhooks {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
  /** What authors are sealed with; undefined until it is known. */
  readonly authorKey: () => Uint8Array | undefined;
  /** Calls back with the certificate to show, now and whenever it changes. Add it before the informers run. */
  readonly onCertificate: (use: (certificate: SlotCertificate) => void) => void;
  /** Why API servers cannot ask this replica; undefined when they can. */
  readonly problem: () => string | undefined;
}

/** Name of the webhook configurations that the chart makes in an operator's namespace. */
export function ownConfigurationName(namespace: string): string {
  return `mesh-operator-${namespace}`;
}

/** Wires the controller of the operator's own webhooks. What wakes it: a change of its Secrets or configurations. */
export function createOwnWebhooksController(options: OwnWebhooksOptions, deps: OwnWebhooksDeps): OwnWebhooks {
  const { client, clock } = deps;
  const { namespace, host } = options;
  const secrets = new Informer(
    { kind: kindInfo('v1', 'Secret'), namespace, labelSelector: ownSecretsSelector },
    deps,
  );
  const fieldSelector = `metadata.name=${ownConfigurationName(namespace)}`;
  const configurations = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'].map(
    (kind) => new Informer({ kind: kindInfo('admissionregistration.k8s.io/v1', kind), fieldSelector }, deps),
  );
  const applier = new Applier({
    client,
    fieldManager: webhookManager,
    onWrite: (object) => secrets.observeWrite(object),
  });
  const reconciler = new OwnWebhooksReconciler(options, { client, applier, secrets, configurations, clock });
  const controller = new Controller({ name: 'own-webhooks' }, { ...deps, reconciler });
  const wake = () => controller.enqueue({ namespace, name: ownConfigurationName(namespace) });
  wake();
  for (const informer of [secrets, ...configurations]) informer.addHandler(wake);

  const current = () => readServingSlots(secrets.get(namespace, ownCertificateName), host).current;
  const authorKey = () => authorKeyIn(secrets.get(namespace, authorKeyName));
  return {
    ...{ controller, informers: [secrets, ...configurations], authorKey },
    onCertificate: (use) =>
      secrets.addHandler(({ current: secret }) => {
        const certificate = secret?.metadata.name === ownCertificateName ? current() : undefined;
        if (certificate !== undefined) use(certificate);
      }),
    problem: () => {
      const certificate = current();
      if (certificate === undefined) return 'there is no serving certificate yet';
      if (certificate.notAfter <= clock.now()) return 'the serving certificate has ended';
      if (authorKey() === undefined) return 'there is no key for authors yet';
      const isTrusted = configurations.every((informer) =>
        [...informer.values()].every((found) => bundleTrusts(caBundleOf(found), certificate.caPem)),
      );
      return isTrusted ? undefined : 'API servers do not trust the serving certificate yet';
    },
  };
}
