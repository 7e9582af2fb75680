import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import type { TrustMetrics } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import type { RotationStep } from '../../pki/decide-rotation.ts';
import { isOfOthers } from '../../pki/gates.ts';
import { newToAuthority, outlastsInUse } from '../../pki/issued-material.ts';
import { signerOf } from '../../pki/istio-bundle.ts';
import type { RotationKind } from '../../pki/rotation-policy.ts';
import type { Due } from '../../pki/rotation-schedule.ts';
import {
  type Beginning,
  beginRotation,
  type NewMaterial,
  orderedFrom,
  recoverAuthority,
  renewSigner,
} from '../../pki/rotation-steps.ts';
import { type ReconcileResult, requeueAfter } from '../../runtime/reconciler.ts';
import type { AuthorityStore } from './authority-store.ts';
import type { CertificateOrders } from './certificate-orders.ts';
import { exchangeNotes, leftBehindNote, unansweredNote } from './exchange-notes.ts';
import { newIntermediate, newMaterial } from './new-material.ts';
import { orderOf, readOrdered } from './ordered-material.ts';
import type { PhaseMemories } from './phase-memories.ts';
import { rootUnchangedNote, rotationNote } from './rotation-note.ts';
import type { TrustPass } from './trust-pass.ts';
import type { TrustReporter } from './trust-reporter.ts';

export interface StepTakerDeps {
  readonly store: AuthorityStore;
  readonly orders: CertificateOrders;
  readonly memories: PhaseMemories;
  readonly reporter: TrustReporter;
  readonly metrics: TrustMetrics;
  readonly clock: Clock;
}

/** How soon to look again at what may take a moment. */
const pollMs = 500;

/** Does what `decideRotation` has decided: makes what is new, writes the next state, or says what is waited for. */
export class StepTaker {
  readonly #deps: StepTakerDeps;

  constructor(deps: StepTakerDeps) {
    this.#deps = deps;
  }

  /** Returns when to look again. */
  async take(pass: TrustPass, state: AuthorityState, step: RotationStep): Promise<ReconcileResult> {
    const { mesh, now, policy, context } = pass;
    const { memories, orders, clock, reporter } = this.#deps;
    memories.of(mesh.namespace, state).noteStep(step, clock.monotonicMs());
    const isToOrder = step.step === 'issue' || step.step === 'recover';
    if (policy.issuer !== undefined && !isToOrder) await orders.tidy(mesh, context.signal);
    switch (step.step) {
      case 'issue':
        if (policy.issuer !== undefined) return this.#beginOrdered(pass, state, step, policy.issuer);
        if (!mayIssue(step.kind, state, mesh)) {
          pass.needed = step;
          return reporter.report(pass, state);
        }
        return this.begin(pass, state, step, await newMaterial(step.kind, state, mesh, now));
      case 'renew': {
        const signer = await newIntermediate(step.root, mesh, now, signerOf(state));
        return this.#enter(pass, state, renewSigner(state, signer, now));
      }
      case 'recover': {
        if (policy.issuer !== undefined)
          return this.#recoverByOrder(pass, state, step.answers, policy.issuer);
        const { root, intermediate } = await newMaterial('root', state, mesh, now);
        if (root === undefined) throw new Error('A new authority came without a root');
        return this.#enter(pass, state, recoverAuthority(state, step.answers, { root, intermediate }, now));
      }
      case 'advance':
        for (const blocker of step.leftBehind) reporter.note(pass, leftBehindNote(state, blocker));
        return this.#enter(pass, state, step.state);
      case 'exchange':
        for (const blocker of step.leftBehind) reporter.note(pass, unansweredNote(blocker));
        return this.#exchange(pass, state, step.state);
      case 'soak':
        return reporter.report(pass, state, [], Math.min(step.remainingMs, pollMs));
      case 'wait': {
        // Other clusters wake us, and roots that come or go are no hurry.
        const isPatient = state.phase === 'Stable' || step.blockers.some(isOfOthers);
        const waitMs = isPatient ? step.againInMs : Math.min(step.againInMs ?? pollMs, pollMs);
        return reporter.report(pass, state, step.blockers, waitMs);
      }
    }
  }

  /** Begins the rotation that what the issuer has signed makes of it: one of the root when that is another one. */
  async #beginOrdered(
    pass: TrustPass,
    state: AuthorityState,
    { kind, reason, answers }: Due,
    issuer: string,
  ): Promise<ReconcileResult> {
    const { orders, reporter } = this.#deps;
    const { context, now } = pass;
    const issued = await readOrdered(orders, pass, answers);
    if (issued === undefined) return reporter.report(pass, state);
    const material = newToAuthority(state, issued);
    if (reason === 'Threshold' && !outlastsInUse(state, material)) {
      const { notAfter } = factsOf(material.intermediate.certPem);
      const problem = `${issuer} signs nothing that lasts longer than what is in use (${notAfter.toISOString()}): its root or intermediate has to be replaced first`;
      pass.order = await orders.refuse(orderOf(pass, answers), problem, context.signal);
      return reporter.report(pass, state);
    }
    const begun = beginRotation(
      state,
      { reason, ...(answers === undefined ? {} : { answers }) },
      material,
      now,
    );
    const result = await this.#enter(pass, state, { ...begun, ordered: orderedFrom(issuer, material) });
    if (kind === 'root' && material.root === undefined)
      reporter.note(pass, rootUnchangedNote(reason, issuer));
    return result;
  }

  /** Recovers with what the issuer has signed: of another root than the one that has ended, or of the one that signs. */
  async #recoverByOrder(
    pass: TrustPass,
    state: AuthorityState,
    answers: string,
    issuer: string,
  ): Promise<ReconcileResult> {
    const { orders, reporter } = this.#deps;
    const issued = await readOrdered(orders, pass, answers);
    if (issued === undefined) return reporter.report(pass, state);
    const material = newToAuthority(state, issued);
    const recovered =
      material.root === undefined
        ? { ...renewSigner(state, material.intermediate, pass.now), answeredRequest: answers }
        : recoverAuthority(state, answers, issued, pass.now);
    return this.#enter(pass, state, { ...recovered, ordered: orderedFrom(issuer, material) });
  }

  /** Begins a rotation with what is there. */
  async begin(
    pass: TrustPass,
    state: AuthorityState,
    beginning: Beginning,
    material: NewMaterial,
  ): Promise<ReconcileResult> {
    return this.#enter(pass, state, beginRotation(state, beginning, material, pass.now));
  }

  /** Writes what has happened between this cluster and others. */
  async #exchange(pass: TrustPass, before: AuthorityState, after: AuthorityState): Promise<ReconcileResult> {
    const { store, reporter } = this.#deps;
    const { mesh, context } = pass;
    await store.write(mesh.namespace, { state: after, over: pass.version }, context.signal);
    for (const note of exchangeNotes(before, after)) reporter.note(pass, note);
    return requeueAfter(0);
  }

  /** Writes the next state, tells of it, and goes on with it at once. */
  async #enter(pass: TrustPass, before: AuthorityState, after: AuthorityState): Promise<ReconcileResult> {
    const { store, metrics, reporter } = this.#deps;
    const { mesh, context } = pass;
    await store.write(mesh.namespace, { state: after, over: pass.version }, context.signal);
    reporter.note(pass, rotationNote(before, after));
    context.log.info('Authority moved on', { from: before.phase, to: after.phase });
    if (after.phase === 'Stable' && after.lastRotation !== undefined) {
      metrics.rotated(mesh, after.lastRotation);
    }
    return requeueAfter(0);
  }
}

/** Of what a user has plugged in we replace nothing but intermediates of a root whose key is plugged in as well. */
function mayIssue(kind: RotationKind, { roots }: AuthorityState, { authority }: ResolvedMesh): boolean {
  return (
    authority.provider !== 'PluggedIn' || (kind === 'intermediate' && roots.current.keyPem !== undefined)
  );
}
