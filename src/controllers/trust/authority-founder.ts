import { TerminalError } from '../../base/errors.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import type { AuthorityStore } from './authority-store.ts';
import type { CertificateOrders } from './certificate-orders.ts';
import { type FirstAuthority, firstAuthority, firstOrdered, signsAlready } from './first-authority.ts';
import { readOrdered } from './ordered-material.ts';
import type { PluggedMaterial } from './plugged-material.ts';
import { requestOf, type TrustPass } from './trust-pass.ts';
import type { TrustReporter } from './trust-reporter.ts';

export interface AuthorityFounderDeps {
  readonly store: AuthorityStore;
  readonly orders: CertificateOrders;
  readonly reporter: TrustReporter;
}

/** Makes the first authority of a namespace, or adopts what its istiod signs with. */
export class AuthorityFounder {
  readonly #deps: AuthorityFounderDeps;

  constructor(deps: AuthorityFounderDeps) {
    this.#deps = deps;
  }

  /** The authority that a namespace without one begins with; undefined while its issuer has not signed. */
  async establish(
    pass: TrustPass,
    plugged: PluggedMaterial | undefined,
  ): Promise<AuthorityState | undefined> {
    const { mesh, observed, now } = pass;
    if (pass.refusal !== undefined) throw new TerminalError(pass.refusal, { reason: 'MaterialRefused' });
    const { issuer } = pass.policy;
    if (issuer === undefined || signsAlready(observed)) {
      return this.#found(pass, await firstAuthority(observed, mesh, plugged, now));
    }
    const material = await readOrdered(this.#deps.orders, pass);
    return material === undefined ? undefined : this.#found(pass, firstOrdered(material, issuer));
  }

  async #found(pass: TrustPass, first: FirstAuthority): Promise<AuthorityState> {
    const { store, reporter } = this.#deps;
    const { mesh, context } = pass;
    // What was asked for before there was an authority is no wish to replace it.
    const request = requestOf(pass);
    const state = request === undefined ? first.state : { ...first.state, answeredRequest: request };
    pass.version = await store.write(mesh.namespace, { state, over: undefined }, context.signal);
    reporter.note(pass, { type: 'Normal', reason: first.reason, message: first.message });
    return state;
  }
}
