import { injectorReachedAnnotation } from '../../api/injector-reached.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { isEntryOfIstiod, selfTestEntryName } from '../../render/injector/webhooks.ts';

/** What the admission controller decides about one webhook configuration. */
export interface WebhookState {
  /** PEM. */
  readonly caBundle: string;
  /** Of every entry but the self-test's, which always fails. */
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** When the API server was last seen to reach the injector; undefined while it does not. */
  readonly reachedAt: Date | undefined;
}

/** The authorities that the configuration trusts, of all of its entries; PEM. */
export function caBundleOf(configuration: KubernetesObject): string {
  return entriesOf(configuration)
    .map(({ caBundle }) => caBundle)
    .join('');
}

/** True for a configuration that sends pods to the operator's injector. */
export function isOfOwnInjector(configuration: KubernetesObject): boolean {
  return entriesOf(configuration).length > 0;
}

/** True when the configuration is in every entry as the state says. */
export function hasState(configuration: KubernetesObject, state: WebhookState): boolean {
  return (
    configuration.metadata.annotations?.[injectorReachedAnnotation] === reachedText(state) &&
    entriesOf(configuration).every(
      ({ name, caBundle, failurePolicy }) =>
        caBundle === state.caBundle && failurePolicy === policyOf(name, state),
    )
  );
}

/**
 * What server-side apply gets to bring the configuration to this state: the fields that are ours and nothing else. The
 * uid keeps it from making a configuration anew that is gone.
 */
export function statePatch(configuration: KubernetesObject, state: WebhookState): KubernetesObject {
  const { apiVersion, kind, metadata } = configuration;
  const { name, uid } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(uid === undefined ? {} : { uid }),
      annotations: { [injectorReachedAnnotation]: reachedText(state) },
    },
    webhooks: entriesOf(configuration).map((entry) => ({
      name: entry.name,
      clientConfig: { caBundle: Buffer.from(state.caBundle).toString('base64') },
      failurePolicy: policyOf(entry.name, state),
    })),
  };
}

interface WebhookEntry {
  readonly name: string;
  readonly failurePolicy: unknown;
  readonly caBundle: string;
}

function reachedText({ reachedAt }: WebhookState): string {
  return reachedAt?.toISOString() ?? '';
}

function policyOf(entry: string, { failurePolicy }: WebhookState): 'Fail' | 'Ignore' {
  return entry === selfTestEntryName ? 'Fail' : failurePolicy;
}

/**
 * What we read of each entry of a webhook configuration, but of those that an adopted one has of istiod's injector.
 * `caBundle` is PEM, empty for none.
 */
export function entriesOf(configuration: KubernetesObject): WebhookEntry[] {
  const webhooks = Array.isArray(configuration.webhooks) ? configuration.webhooks : [];
  return webhooks
    .filter(isRecord)
    .filter(({ name }) => !isEntryOfIstiod(String(name)))
    .map(({ name, clientConfig, failurePolicy }) => {
      const bundle = isRecord(clientConfig) ? clientConfig.caBundle : undefined;
      return {
        name: String(name),
        failurePolicy,
        caBundle: typeof bundle === 'string' ? Buffer.from(bundle, 'base64').toString() : '',
      };
    });
}
