import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Informer } from '../../runtime/informer.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { bundleTrusts, determineCaBundle } from './ca-bundle.ts';
import { webhookManager } from './field-managers.ts';
import {
  authorKeyIn,
  authorKeyName,
  newAuthorKeySecret,
  ownCertificateName,
  ownCertificateSecret,
} from './own-secrets.ts';
import { planCertificate } from './plan-certificate.ts';
import { issueServing } from './serving-secret.ts';
import { readServingSlots, type ServingSlots } from './serving-slots.ts';
import { caBundleOf, entriesOf } from './webhook-state.ts';

export interface OwnWebhooksOptions {
  /** The operator's own. */
  readonly namespace: string;
  /** The name by which API servers call the webhooks. */
  readonly host: string;
}

export interface OwnWebhooksReconcilerDeps {
  readonly client: KubeClient;
  /** Writes as `webhookManager`. */
  readonly applier: Applier;
  /** Over the Secrets of `own-secrets.ts`. */
  readonly secrets: Informer;
  /** Over the webhook configurations that the chart makes for us, of both kinds. */
  readonly configurations: readonly Informer[];
  readonly clock: Clock;
}

/**
 * Keeps the operator's own webhooks reachable: their serving certificate, by the same slots as those of injectors
 * (ADR 10), the bundle by which API servers trust it, and the key that authors are sealed with. The chart owns all
 * else of the webhook configurations. At rest it costs no request.
 */
export class OwnWebhooksReconciler implements Reconciler {
  readonly #options: OwnWebhooksOptions;
  readonly #deps: OwnWebhooksReconcilerDeps;
  /** The successor that every configuration trusts, and since when; lost, it costs two seconds. */
  #trusted: { readonly fingerprint: string; readonly sinceMs: number } | undefined;

  constructor(options: OwnWebhooksOptions, deps: OwnWebhooksReconcilerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async reconcile(_key: unknown, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    await this.#ensureAuthorKey(signal);
    const { slots, againInMs } = await this.#advanceCertificate({ signal, log });
    await this.#writeBundles(slots, signal);
    return requeueAfter(againInMs);
  }

  async #ensureAuthorKey(signal: AbortSignal): Promise<void> {
    const { applier, secrets } = this.#deps;
    const observed = secrets.get(this.#options.namespace, authorKeyName);
    if (authorKeyIn(observed) !== undefined) return;
    await applier.apply(newAuthorKeySecret(this.#options.namespace), observed, signal);
  }

  /**
   * Takes the next step towards a valid certificate. Replicas show the one in slot `current`, and go on with it when
   * somebody deletes the Secret; API servers trust one as long as a bundle has its authority.
   */
  async #advanceCertificate({ signal, log }: ReconcileContext) {
    const { clock, secrets } = this.#deps;
    const { namespace, host } = this.#options;
    const slots = readServingSlots(secrets.get(namespace, ownCertificateName), host);
    const now = clock.now();
    const isTrusted = this.#trusted !== undefined && this.#trusted.fingerprint === slots.next?.fingerprint;
    const step = planCertificate({
      ...{ slots, now },
      isServing: this.#bundles().some((bundle) => determineCaBundle(bundle, [], now) !== ''),
      nextTrustedForMs: isTrusted ? clock.monotonicMs() - (this.#trusted?.sinceMs ?? 0) : undefined,
    });
    if (step.kind === 'wait') return { slots, againInMs: step.forMs };
    const after: ServingSlots =
      step.kind === 'issue'
        ? { ...slots, [step.slot]: await issueServing([host], now) }
        : slots.next === undefined
          ? {}
          : { current: slots.next };
    const observed = secrets.get(namespace, ownCertificateName);
    await this.#deps.applier.apply(ownCertificateSecret(namespace, after), observed, signal);
    log.info('Serving certificate of the webhooks changed', { step: step.kind });
    return { slots: after, againInMs: 0 };
  }

  async #writeBundles({ current, next }: ServingSlots, signal: AbortSignal): Promise<void> {
    const { clock, client, configurations } = this.#deps;
    const needed = [current, next].flatMap((slot) => (slot === undefined ? [] : [slot.caPem]));
    let isTrusted = true;
    for (const informer of configurations) {
      for (const configuration of informer.values()) {
        const bundle = determineCaBundle(caBundleOf(configuration), needed, clock.now());
        isTrusted &&= next !== undefined && bundleTrusts(caBundleOf(configuration), next.caPem);
        if (entriesOf(configuration).every(({ caBundle }) => caBundle === bundle)) continue;
        const options = { fieldManager: webhookManager, force: true };
        informer.observeWrite(await client.apply(bundlePatch(configuration, bundle), options, signal));
      }
    }
    this.#rememberTrust(next?.fingerprint, isTrusted);
  }

  #bundles(): string[] {
    return this.#deps.configurations.flatMap((informer) => [...informer.values()].map(caBundleOf));
  }

  #rememberTrust(fingerprint: string | undefined, isTrusted: boolean): void {
    if (fingerprint === undefined || !isTrusted) this.#trusted = undefined;
    else if (this.#trusted?.fingerprint !== fingerprint) {
      this.#trusted = { fingerprint, sinceMs: this.#deps.clock.monotonicMs() };
    }
  }
}

/** The bundle alone; the uid keeps a configuration from being made anew that is gone. */
function bundlePatch(configuration: KubernetesObject, bundlePem: string): KubernetesObject {
  const { apiVersion, kind, metadata } = configuration;
  const { name, uid } = metadata;
  const caBundle = Buffer.from(bundlePem).toString('base64');
  return {
    ...{ apiVersion, kind },
    metadata: { name, ...(uid === undefined ? {} : { uid }) },
    webhooks: entriesOf(configuration).map((entry) => ({ name: entry.name, clientConfig: { caBundle } })),
  };
}
