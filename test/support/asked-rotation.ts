import type { CertificateAuthorityStatus } from '../../src/api/mesh-operator-status.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { TestMesh } from './test-mesh.ts';

/** A rotation that has ended. */
export interface EndedRotation {
  readonly kind: string;
  readonly reason: string;
  /** As the status says it. */
  readonly seconds: number;
  /** Seconds of each phase, in their order. */
  readonly phases: ReadonlyMap<string, number>;
}

/** What the status says of the authority; throws while it says nothing. */
export async function authorityOf(mesh: TestMesh): Promise<CertificateAuthorityStatus> {
  const { certificateAuthority } = await mesh.status();
  if (certificateAuthority === undefined) throw new Error('the status says nothing of an authority');
  return certificateAuthority;
}

/** A rotation that somebody has asked for, from the request on. */
export class AskedRotation {
  readonly #mesh: TestMesh;
  readonly #before: string | undefined;
  /** When each phase was entered, milliseconds since 1970. */
  readonly #entered = new Map<string, number>();

  private constructor(mesh: TestMesh, before: string | undefined) {
    this.#mesh = mesh;
    this.#before = before;
  }

  /** Asks as a person does, by annotation. Another text after the `/` is another request. */
  static async ask(mesh: TestMesh, request: string): Promise<AskedRotation> {
    const before = await authorityOf(mesh);
    await mesh.askFor(request);
    return new AskedRotation(mesh, before.lastRotation?.finishedAt);
  }

  /** Waits until it is in this phase. */
  async untilPhase(phase: CertificateAuthorityStatus['phase']): Promise<CertificateAuthorityStatus> {
    return this.#until(`is in ${phase}`, (status) => status.phase === phase);
  }

  /** Waits until nothing holds it but one thing, by the beginning of what is said of that, and returns what the status says then. */
  async untilItWaitsFor(beginning: string): Promise<CertificateAuthorityStatus> {
    return this.#until(`waits for ${beginning} alone`, ({ waitingFor: [first, ...others] = [] }) => {
      return first?.startsWith(`${beginning} `) === true && others.length === 0;
    });
  }

  async untilItEnds(): Promise<EndedRotation> {
    const { lastRotation } = await this.#until('ends', ({ phase, lastRotation }) => {
      return phase === 'Stable' && lastRotation !== undefined && lastRotation.finishedAt !== this.#before;
    });
    if (lastRotation === undefined) throw new Error('a rotation has ended without a trace');
    const { kind, reason, seconds, finishedAt } = lastRotation;
    return { kind, reason, seconds, phases: this.#phasesUntil(Date.parse(finishedAt)) };
  }

  async #until(
    what: string,
    isSo: (status: CertificateAuthorityStatus) => boolean,
  ): Promise<CertificateAuthorityStatus> {
    const explain = async () => JSON.stringify(await this.#mesh.status());
    return waitUntil({ what: `the rotation ${what}`, explain }, async () => {
      const status = await authorityOf(this.#mesh);
      if (status.rotation !== undefined) {
        this.#entered.set(status.phase, Date.parse(status.rotation.phaseSince));
      }
      return isSo(status) ? status : undefined;
    });
  }

  #phasesUntil(endMs: number): Map<string, number> {
    const entered = [...this.#entered];
    return new Map(
      entered.map(([phase, atMs], index) => [phase, ((entered[index + 1]?.[1] ?? endMs) - atMs) / 1000]),
    );
  }
}
