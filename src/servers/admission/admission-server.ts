import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ReviewResult } from '../../observability/metrics.ts';
import {
  type AdmissionReview,
  answerText,
  MalformedReviewError,
  parseReview,
  type ReviewAnswer,
} from '../admission-review.ts';
import {
  type Refusal,
  type WebhookHandler,
  type WebhookReply,
  WebhookServer,
  type WebhookServerOptions,
} from '../webhook-server.ts';
import { type MeshReview, readMeshReview } from './mesh-review.ts';
import { recordAuthor } from './record-author.ts';
import { type ReviewMeshContext, reviewMesh } from './review-mesh.ts';

export interface AdmissionServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What authors are sealed with; undefined until it is known. */
  readonly authorKey: () => Uint8Array | undefined;
  /** Called for each review, with the last part of its path. */
  readonly onReview: (webhook: string, result: ReviewResult) => void;
  /** What else a decision needs; rejects when the API server cannot be asked. */
  readonly context: () => Promise<Omit<ReviewMeshContext, 'key' | 'now'>>;
}

type Decide = (review: MeshReview, key: Uint8Array) => ReviewAnswer | Promise<ReviewAnswer>;

/**
 * The webhooks of MeshOperators over HTTPS: the first one records the author of a spec, the second one, asked when the
 * object is complete, refuses what is not valid or not theirs to ask for. Where no decision can be made the answer is an
 * HTTP error, and the failure policy of the webhook decides.
 */
export function createAdmissionServer(
  options: WebhookServerOptions,
  deps: AdmissionServerDeps,
): WebhookServer {
  const { clock, log } = deps;
  const decisions: Readonly<Record<string, Decide>> = {
    '/meshoperators/author': recordAuthor,
    '/meshoperators/validate': async (review, key) =>
      reviewMesh(review, { ...(await deps.context()), key, now: clock.now() }),
  };
  return new WebhookServer(options, {
    ...{ clock, log, served: `POST ${Object.keys(decisions).join(', POST ')}` },
    route: (url) => {
      const path = url.split('?', 1)[0] ?? '';
      const decide = decisions[path];
      return decide === undefined ? undefined : handlerOf(path, decide, deps);
    },
  });
}

function handlerOf(path: string, decide: Decide, deps: AdmissionServerDeps): WebhookHandler {
  return async (body, reply) => {
    const key = deps.authorKey();
    if (key === undefined) reply.refuse(notReady);
    else await answer(path, body, reply, (review) => decide(review, key), deps);
  };
}

async function answer(
  path: string,
  body: Buffer,
  reply: WebhookReply,
  decide: (review: MeshReview) => ReviewAnswer | Promise<ReviewAnswer>,
  { log, clock, onReview }: AdmissionServerDeps,
): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  const webhook = path.slice(path.lastIndexOf('/') + 1);
  let review: AdmissionReview | undefined;
  try {
    review = parseReview(body);
    const meshReview = readMeshReview(review);
    const decision = await decide(meshReview);
    reply.review(answerText(review, decision));
    onReview(webhook, decision.allowed ? 'allowed' : 'refused');
    const { metadata } = meshReview.object;
    log.info('Reviewed', {
      webhook,
      mesh: `${metadata.namespace}/${metadata.name ?? metadata.generateName ?? ''}`,
      user: meshReview.user.username,
      allowed: decision.allowed,
      message: decision.message,
      uid: review.uid,
      durationMs: Math.round(clock.monotonicMs() - startedAtMs),
    });
  } catch (error) {
    reply.refuse(refusalOf(error));
    onReview(webhook, 'failed');
    log.error('Not reviewed', { webhook, uid: review?.uid, error });
  }
}

const notReady: Refusal = {
  code: 503,
  reason: 'NotReady',
  message: 'The operator has just been started and has not read its key yet: try again',
};

/** What was no review gets 400; what kept us from deciding is told, since whoever applies should know. */
function refusalOf(error: unknown): Refusal {
  return error instanceof MalformedReviewError
    ? { code: 400, reason: error.reason, message: error.message }
    : { code: 500, reason: 'NotReviewed', message: `The operator could not decide: ${messageOf(error)}` };
}
