import type { CertificateAuthorityStatus } from '../api/mesh-operator-status.ts';
import type { RequestName } from '../pki/rotation-request.ts';
import type { AuthorityOfMesh } from './authority-of.ts';

/** What one look at the status has brought. */
export interface ProgressStep {
  /** What is new, for a person. */
  readonly lines: readonly string[];
  readonly hasEnded: boolean;
}

const reasons = {
  root: 'Requested',
  intermediate: 'Requested',
  KeyCompromise: 'KeyCompromise',
  Recovery: 'Recovery',
} as const satisfies Readonly<Record<RequestName, string>>;

/** Follows the rotation that a request begins from one look at the status to the next. */
export class RotationProgress {
  readonly #reason: string;
  /** Start of the rotation that was the last one when the request was made. */
  readonly #before: string | undefined;
  #phaseSince: string | undefined;
  #trouble: string | undefined;

  constructor(request: RequestName, before: CertificateAuthorityStatus | undefined) {
    this.#reason = reasons[request];
    this.#before = before?.lastRotation?.startedAt;
  }

  next({ certificateAuthority, trustHealthy }: AuthorityOfMesh): ProgressStep {
    const lines: string[] = [];
    const { phase, rotation, lastRotation } = certificateAuthority ?? {};
    if (rotation !== undefined && rotation.phaseSince !== this.#phaseSince) {
      this.#phaseSince = rotation.phaseSince;
      lines.push(`${rotation.phaseSince} ${phase}: ${rotation.kind} (${rotation.reason})`);
    }
    const trouble = trustHealthy?.status === 'False' ? trustHealthy.reason : undefined;
    if (trouble !== undefined && trouble !== this.#trouble) {
      lines.push(`${trouble}: ${trustHealthy?.message}`);
    }
    this.#trouble = trouble;
    const isOurs = lastRotation !== undefined && lastRotation.reason === this.#reason;
    if (phase !== 'Stable' || !isOurs || lastRotation.startedAt === this.#before) {
      return { lines, hasEnded: false };
    }
    lines.push(
      `${lastRotation.finishedAt} Stable: the rotation of the ${lastRotation.kind} took ${lastRotation.seconds.toFixed(1)} s`,
    );
    if (lastRotation.reason === 'KeyCompromise') {
      lines.push(
        lastRotation.kind === 'root'
          ? 'For so long the old key could still be used; no proxy trusts its root any more.'
          : 'The old intermediate can still be used until it ends, since the issuer has kept its root: replace the root there, and ask again.',
      );
    }
    return { lines, hasEnded: true };
  }
}
