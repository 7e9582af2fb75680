import { TerminalError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import { names } from '../../injection/annotation-names.ts';
import { injectPod } from '../../injection/inject-pod.ts';
import { annotationOf, labelOf, type Pod } from '../../injection/pod.ts';
import type { AdmissionReview, ReviewAnswer } from '../admission-review.ts';
import type { InjectorConfiguration } from './injector-configuration.ts';

/** What was decided about a review, and the answer that says so. */
export interface ReviewOutcome {
  readonly decision: 'inject' | 'skip' | 'reject';
  /** A code: `Injected`, a skip reason, or the reason of the error that refused the pod. */
  readonly reason: string;
  readonly answer: ReviewAnswer;
}

export interface ReviewContext {
  readonly configuration: InjectorConfiguration;
  /** Of the request's path. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Decides about one review. Changes the review's object: what its author did not write is taken out of it.
 * Throws what is a bug of ours; what is wrong with the pod, or with a template of the mesh, is an answer.
 *
 * The API server has looked at the labels of namespace and pod when it chose this webhook, and it knows them better
 * than any cache does: a pod that arrives is one that this mesh is responsible for.
 */
export function reviewPod({ namespace, request }: AdmissionReview, context: ReviewContext): ReviewOutcome {
  const { mesh, kubernetesMinor } = context.configuration;
  if (!isPodCreation(request)) {
    const answer = { allowed: true, explanation: 'Not injected: only pods that are created are.' };
    return { decision: 'skip', reason: 'NoPodCreation', answer };
  }
  try {
    const pod = withoutServerFields(request.object);
    const outcome = injectPod({
      pod,
      mesh,
      kubernetesMinor,
      namespace: { name: namespace },
      environment: context.environment,
    });
    const { explanation } = outcome;
    const warnings = warningsFor(pod, outcome.kind === 'skip' ? outcome.explanation : undefined);
    const answer = { allowed: true, warnings, explanation };
    return outcome.kind === 'skip'
      ? { decision: 'skip', reason: outcome.reason, answer }
      : { decision: 'inject', reason: 'Injected', answer: { ...answer, patch: outcome.patch } };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const answer = { allowed: false, message: error.message };
    return { decision: 'reject', reason: error.reason, answer };
  }
}

/** False for anything but the creation of a pod: there a sidecar cannot be added any more. */
function isPodCreation({ kind, operation, subResource }: AdmissionReview['request']): boolean {
  return (
    isRecord(kind) &&
    kind.kind === 'Pod' &&
    (kind.group ?? '') === '' &&
    (operation ?? 'CREATE') === 'CREATE' &&
    (subResource ?? '') === ''
  );
}

/** Half of what a workload controller sends, and nothing of it ours to read or to patch. */
function withoutServerFields(object: unknown): Pod {
  if (isRecord(object) && isRecord(object.metadata)) delete object.metadata.managedFields;
  return object as Pod;
}

/** What the pod's author should know although the pod is let through. */
function warningsFor(pod: Pod, skipped: string | undefined): string[] {
  const warnings: string[] = [];
  const label = labelOf(pod, names.inject);
  const asked = label ?? annotationOf(pod, names.inject);
  if (asked !== undefined && asked !== '' && asked !== 'true' && asked !== 'false') {
    const place = label === undefined ? 'annotation' : 'label';
    warnings.push(`${place} ${names.inject} counts only as "true" or "false"; another value says nothing`);
  }
  if (asked === 'true' && skipped !== undefined) warnings.push(skipped);
  return warnings;
}
