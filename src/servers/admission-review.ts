import { TerminalError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import type { PatchOperation } from '../injection/json-patch.ts';
import { excessOf } from './json-bounds.ts';

/** Versions of AdmissionReview that are answered; both have the fields we use. */
const reviewVersions = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'] as const;

/** What the API server asks about. */
export interface AdmissionReview {
  readonly apiVersion: (typeof reviewVersions)[number];
  readonly uid: string;
  readonly namespace: string;
  /** The whole request as it was sent: nothing else about it is certain. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** The answer to a review. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  /** For the author, when it is not allowed. */
  readonly message?: string;
  /** HTTP status that goes with the message; default 400. */
  readonly code?: number;
  readonly patch?: readonly PatchOperation[];
  /** For the author, when it is allowed: kubectl prints them. */
  readonly warnings?: readonly string[];
  /** For the API server's audit log: why it was decided so. */
  readonly explanation?: string;
}

/** What was sent is not a review, so there is nobody to answer: HTTP 400, and the failure policy decides. */
export class MalformedReviewError extends TerminalError {
  constructor(message: string) {
    super(message, { reason: 'MalformedReview' });
  }
}

/**
 * Deeper than what the injection core takes, so that its own bound (with a denial for the author) comes first. As many
 * parts as fit into the 1.5 MiB that an API server stores of a pod; the worst pod of that size takes some two seconds.
 */
const reviewBounds = { depth: 128, parts: 100_000 };

/** More than the UUIDs that API servers send, and too little to fill logs and answers. */
const maxUidLength = 128;

/** Kubernetes shows a message in one line of a terminal; its own bound for all warnings is 4096. */
const maxTextLength = 2048;

/** The review in a request's body. Throws MalformedReviewError, whose message holds nothing of the body. */
export function parseReview(body: Buffer): AdmissionReview {
  const excess = excessOf(body, reviewBounds);
  if (excess !== undefined) throw new MalformedReviewError(`The body ${excess}`);
  const review = parseJson(body);
  if (!isRecord(review) || review.kind !== 'AdmissionReview') {
    throw new MalformedReviewError('The body is no AdmissionReview');
  }
  const apiVersion = reviewVersions.find((version) => version === review.apiVersion);
  if (apiVersion === undefined) {
    throw new MalformedReviewError(`The review's apiVersion is none of ${reviewVersions.join(', ')}`);
  }
  const { request } = review;
  if (!isRecord(request)) throw new MalformedReviewError('The review has no request');
  const { uid, namespace } = request;
  if (typeof uid !== 'string' || uid === '' || uid.length > maxUidLength) {
    throw new MalformedReviewError('The review has no request.uid to answer to');
  }
  if (namespace !== undefined && typeof namespace !== 'string') {
    throw new MalformedReviewError('The review has a request.namespace that is no text');
  }
  return { apiVersion, uid, namespace: namespace ?? '', request };
}

/** The body of the answer to a review: an AdmissionReview of the version that was asked in. */
export function answerText({ apiVersion, uid }: AdmissionReview, answer: ReviewAnswer): string {
  const { allowed, message, code = 400, patch = [], warnings = [], explanation } = answer;
  const response = JSON.stringify({
    uid,
    allowed,
    ...(message === undefined ? {} : { status: { code, message: shortened(message) } }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map(shortened) }),
    ...(explanation === undefined ? {} : { auditAnnotations: { decision: shortened(explanation) } }),
  });
  const patched = patch.length === 0 ? response : `${response.slice(0, -1)},${patchFields(patch)}}`;
  return `{"apiVersion":"${apiVersion}","kind":"AdmissionReview","response":${patched}}`;
}

/** Base64 is text of JSON as it is; it is most of an answer, so nobody looks for what to escape in it. */
function patchFields(patch: readonly PatchOperation[]): string {
  return `"patchType":"JSONPatch","patch":"${Buffer.from(JSON.stringify(patch)).toString('base64')}"`;
}

function shortened(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 3)}...`;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    // The parser's own message would repeat parts of the body.
    throw new MalformedReviewError('The body is no JSON');
  }
}
