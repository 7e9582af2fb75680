import type { Clock } from '../../base/clock.ts';
import { TerminalError } from '../../base/errors.ts';
import type { InjectionMetrics } from '../../observability/injection-metrics.ts';
import type { Logger } from '../../observability/logger.ts';
import { type AdmissionReview, answerText, MalformedReviewError, parseReview } from '../admission-review.ts';
import {
  type Refusal,
  type WebhookHandler,
  type WebhookReply,
  WebhookServer,
  type WebhookServerOptions,
} from '../webhook-server.ts';
import { parseInjectionPath } from './injection-path.ts';
import type { InjectorConfiguration } from './injector-configuration.ts';
import { type ReviewOutcome, reviewPod } from './review-pod.ts';

export interface InjectorServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: InjectionMetrics;
  /** The configuration in use; undefined until there is one. */
  readonly configuration: () => InjectorConfiguration | undefined;
}

/**
 * The sidecar webhook over HTTPS. A request does no I/O of its own and its work is bounded; a bug of ours answers 500,
 * so that the failure policy of the webhook decides.
 */
export function createInjectorServer(options: WebhookServerOptions, deps: InjectorServerDeps): WebhookServer {
  const { clock, log, metrics } = deps;
  return new WebhookServer(options, {
    ...{ clock, log },
    route: (url) => handlerOf(url, deps),
    served: 'POST /inject and /inject/KEY/VALUE/...',
    onStart: () => metrics.started(),
    onRefuse: (reason) => metrics.ended({ kind: 'error', reason }, 0),
  });
}

function handlerOf(url: string, deps: InjectorServerDeps): WebhookHandler | undefined {
  const environment = parseInjectionPath(url);
  return environment === undefined ? undefined : (body, reply) => answer(body, environment, reply, deps);
}

function answer(
  body: Buffer,
  environment: Readonly<Record<string, string>>,
  reply: WebhookReply,
  deps: InjectorServerDeps,
): void {
  const startedAtMs = deps.clock.monotonicMs();
  const configuration = deps.configuration();
  if (configuration === undefined) {
    reply.refuse(notConfigured);
    return;
  }
  let review: AdmissionReview | undefined;
  let outcome: ReviewOutcome;
  let text: string;
  try {
    review = parseReview(body);
    outcome = reviewPod(review, { configuration, environment });
    text = answerText(review, outcome.answer);
  } catch (error) {
    reply.refuse(refusalOf(error, review, deps.log));
    return;
  }
  const seconds = (deps.clock.monotonicMs() - startedAtMs) / 1000;
  reply.review(text);
  record(review, outcome, configuration, seconds, deps);
}

function record(
  { namespace, uid, request }: AdmissionReview,
  { decision, reason }: ReviewOutcome,
  { mesh, version }: InjectorConfiguration,
  seconds: number,
  { metrics, log }: InjectorServerDeps,
): void {
  metrics.ended(decision === 'inject' ? { kind: 'inject' } : { kind: decision, reason }, seconds);
  log.info('Decided', {
    namespace: namespace.slice(0, maxNameLength),
    pod: podName(request.object),
    decision,
    reason,
    revision: mesh.revision || 'default',
    configuration: version,
    uid,
    durationMs: Math.round(seconds * 1e6) / 1e3,
  });
}

/** What was no review gets 400, a bug of ours 500; both leave the pod to the failure policy of the webhook. */
function refusalOf(error: unknown, review: AdmissionReview | undefined, log: Logger): Refusal {
  if (error instanceof MalformedReviewError) {
    return { code: 400, reason: error.reason, message: error.message };
  }
  log.error('Injection failed', {
    namespace: review?.namespace.slice(0, maxNameLength),
    pod: podName(review?.request.object),
    uid: review?.uid,
    error,
  });
  return {
    code: 500,
    reason: error instanceof TerminalError ? error.reason : 'Bug',
    message: `The injector failed; its log names uid ${review?.uid ?? '(none)'}`,
  };
}

const notConfigured: Refusal = {
  code: 503,
  reason: 'NotConfigured',
  message: 'The injector has no configuration yet',
};

/** Names of Kubernetes have at most 253 characters; a log line holds no more of what pretends to be one. */
const maxNameLength = 253;

/** The pod's name, or what its name will begin with; nothing else of a pod gets into the log. */
function podName(object: unknown): string {
  const metadata = (object as { metadata?: { name?: unknown; generateName?: unknown } } | null | undefined)
    ?.metadata;
  const { name, generateName } = metadata ?? {};
  if (typeof name === 'string' && name !== '') return name.slice(0, maxNameLength);
  return typeof generateName === 'string' ? `${generateName.slice(0, maxNameLength)}*` : '';
}
