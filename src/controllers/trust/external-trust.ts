import { keyText } from '../../api/kubernetes-object.ts';
import type { ResolvedExternalAuthority } from '../../api/resolved-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { bundlePemOf } from '../../pki/trusted-roots.ts';
import type { BundleConfigMaps } from './bundle-config-maps.ts';
import type { BundleCopies } from './bundle-copies.ts';
import { bundleChangesInMs, type ForeignBundle } from './bundle-statement.ts';
import type { ContestedCopy } from './plan-copies.ts';

export interface ExternalTrustDeps {
  readonly configMaps: BundleConfigMaps;
  readonly copies: BundleCopies;
}

/** What one pass has found and done. */
export interface ExternalReport {
  readonly bundle: ForeignBundle;
  readonly contested: readonly ContestedCopy[];
  /** Look again after this long, in milliseconds. */
  readonly againInMs?: number;
}

/**
 * The part that we have in an external authority: its roots, seen and, where it does not do so itself, brought to every
 * namespace of the mesh. A bundle that fails lint goes nowhere.
 */
export class ExternalTrust {
  readonly #deps: ExternalTrustDeps;

  constructor(deps: ExternalTrustDeps) {
    this.#deps = deps;
  }

  /** One pass for the mesh that keeps the authority of its namespace. */
  async keep(
    mesh: ResolvedMesh,
    external: ResolvedExternalAuthority,
    rivals: ReadonlySet<string>,
    { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
  ): Promise<ExternalReport> {
    const { configMaps, copies } = this.#deps;
    const { bundle: source, distributes, address } = external;
    const remembered = () => copies.readOwn(mesh.namespace, signal);
    const { roots, problem, isMissing } = await configMaps.read(mesh, source, {
      ...{ now, signal },
      ...(distributes ? { remembered } : {}),
    });
    const hint =
      isMissing && !distributes
        ? ': the authority has to write it, or spec.certificateAuthority.external.trustBundle names the roots'
        : '';
    const bundle: ForeignBundle = {
      configMap: keyText(source),
      keeper: `The authority at ${address}`,
      ...(roots === undefined ? {} : { roots }),
      ...(problem === undefined ? {} : { problem: `${problem}${hint}` }),
    };
    const report =
      distributes && roots !== undefined
        ? await copies.bring(mesh, bundlePemOf(roots), rivals, signal)
        : { contested: [], isUnfinished: false };
    const waits = [
      ...(report.isUnfinished ? [0] : []),
      ...report.contested.map(({ againInMs }) => againInMs),
      bundleChangesInMs(bundle, now),
    ].filter((wait) => wait !== undefined);
    return {
      bundle,
      contested: report.contested,
      ...(waits.length === 0 ? {} : { againInMs: Math.min(...waits) }),
    };
  }
}
