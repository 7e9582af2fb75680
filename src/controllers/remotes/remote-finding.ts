import { messageOf, NotFoundError, TerminalError, TransientError } from '../../base/errors.ts';
import { isUnauthorized } from '../../kube/errors.ts';
import type { CredentialStep } from './decide-credential.ts';
import type { RemoteProblem } from './judge-remote.ts';
import type { RemoteOutcome } from './remote-outcome.ts';
import type { RemotePass } from './remote-pass.ts';
import { probeIntervalMs } from './remote-prober.ts';

/** What there is to say of another cluster, but for what is known of it in any case. */
export type Finding = Pick<RemoteOutcome, 'state' | 'reason' | 'message' | 'againInMs'> & {
  /** RFC 3339: when istiod's credential will be replaced. */
  readonly renewAt?: string;
};

/** How soon to look again at what may take a moment. */
const pollMs = 500;
/** How soon to look again at what somebody has to mend. */
const troubleMs = 10_000;

/** Of a cluster that is not what the spec means. */
export function findingOfProblem({ reason, message }: RemoteProblem): Finding {
  return refused(reason, message);
}

/** Of a cluster that istiod does not know before it has started. */
export function findingWithheld(): Finding {
  return {
    ...{ state: 'Progressing', reason: 'Withheld', againInMs: pollMs * 4 },
    message: 'is kept from istiod until a replica of that is Ready',
  };
}

/** What else is known of a cluster whose credential waits at a step. */
export interface StepContext {
  /** What is wrong with the cluster otherwise. */
  readonly problem: RemoteProblem | undefined;
  /** Whether a replica of istiod is Ready: only such a one has read the cluster. */
  readonly isIstiodReady: boolean;
}

/** Of a cluster whose credential waits at a step. */
export function findingOfStep(step: CredentialStep, context: StepContext, now: Date): Finding {
  const { problem, isIstiodReady } = context;
  const finding = ofStep(step, isIstiodReady, now);
  if (problem === undefined || finding.state !== 'Ready') return finding;
  return { ...finding, state: 'Degraded', reason: problem.reason, message: problem.message };
}

function ofStep(step: CredentialStep, isIstiodReady: boolean, now: Date): Finding {
  switch (step.do) {
    case 'wait':
      return {
        ...{ state: 'Progressing', reason: 'Delivering', againInMs: pollMs },
        message: `waits for istiod to use the new credential: ${step.behind.slice(0, 5).join('; ')}`,
      };
    case 'queue':
      return {
        ...{ state: 'Progressing', reason: 'Delivering', againInMs: pollMs },
        message: 'waits for the credential of another cluster',
      };
    case 'hold':
      return findingWithheld();
    case 'settle':
      return {
        ...{ state: 'Ready', reason: 'Delivering', againInMs: step.until.getTime() - now.getTime() },
        message: 'is being given to istiod with a new credential; the one before is still valid',
      };
    case 'restart':
      return {
        ...{ state: 'Progressing', reason: 'RestartingIstiod', againInMs: 2 * pollMs },
        message:
          'has another kubeconfig, with which this version of istiod loses its endpoints: the replicas are being replaced',
      };
    case 'revoke':
      return {
        ...{ state: 'Ready', reason: 'Revoking', againInMs: 2 * pollMs },
        message: 'has a new credential in use; the previous one is taken back, and not refused yet',
      };
    default: {
      const dueAt = step.do === 'nothing' ? step.dueAt : undefined;
      const dueInMs = dueAt === undefined ? probeIntervalMs : dueAt.getTime() - now.getTime();
      return {
        state: 'Ready',
        ...(isIstiodReady ? connected : unread),
        againInMs: Math.min(probeIntervalMs, dueInMs),
        ...(dueAt === undefined ? {} : { renewAt: dueAt.toISOString() }),
      };
    }
  }
}

const connected = { reason: 'Connected', message: 'istiod reads it' };
const unread = {
  reason: 'IstiodNotReady',
  message: 'is ready to be read, but no replica of istiod is Ready that could have done so',
};

/** Of an attempt that has failed; undefined for an error that says nothing of the cluster. */
export function findingOfFailure(error: unknown, { mesh, remote }: RemotePass): Finding | undefined {
  if (error instanceof NotFoundError) {
    const message = `has no namespace ${mesh.namespace}, in which istiod looks: create it`;
    return refused('NamespaceMissing', message);
  }
  if (error instanceof TerminalError) return refused(error.reason, messageOf(error));
  if (isUnauthorized(error)) {
    const message = `no longer accepts what Secret ${remote.access.secretName} holds: put a kubeconfig or token there that is valid`;
    return refused('Unauthorized', message);
  }
  if (error instanceof TransientError) {
    const { reason } = error;
    const state = isConnectionTrouble(reason) ? 'Unreachable' : 'Progressing';
    return { state, reason, message: messageOf(error), againInMs: pollMs * 4 };
  }
  return undefined;
}

function refused(reason: string, message: string): Finding {
  return { state: 'Refused', reason, message, againInMs: troubleMs };
}

function isConnectionTrouble(reason: string): boolean {
  return reason === 'ApiServerUnreachable' || reason === 'ApiServerTimeout';
}
