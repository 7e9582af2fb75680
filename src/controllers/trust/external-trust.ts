import { keyText } from '../../api/kubernetes-object.ts';
import type { ResolvedAuthority } from '../../api/resolved-authority.ts';
import type { ResolvedBundleSource } from '../../api/resolved-bundle-source.ts';
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
  /** Whether every namespace has the bundle, as far as that is ours to do. */
  readonly isComplete: boolean;
  /** Look again after this long, in milliseconds. */
  readonly againInMs?: number;
}

/** An authority that somebody else keeps, of whom we have the roots. */
export interface ForeignAuthority {
  /** Subject of a sentence: `The authority at ca.example.com:443`. */
  readonly keeper: string;
  readonly bundle: ResolvedBundleSource;
  /** Whether we bring the bundle to every namespace of the mesh. */
  readonly distributes: boolean;
  /** A clause: what to do where the bundle does not exist. */
  readonly remedy?: string;
  /** A clause: what to do where somebody else should bring the roots. */
  readonly otherwise?: string;
}

/** The authority of a mesh whose certificates somebody else issues; undefined where we keep it, or istiod does. */
export function foreignAuthority({ external, followed }: ResolvedAuthority): ForeignAuthority | undefined {
  if (followed !== undefined) {
    return {
      ...{ keeper: 'The cluster with the istiod', bundle: followed, distributes: true },
      remedy:
        'its operator writes it once this cluster is named there in spec.multiCluster.remotes with role Remote',
    };
  }
  if (external === undefined) return undefined;
  const { address, bundle, distributes } = external;
  return {
    ...{ keeper: `The authority at ${address}`, bundle, distributes },
    ...(distributes
      ? { otherwise: 'remove spec.certificateAuthority.external.trustBundle if it should bring the roots' }
      : {
          remedy:
            'the authority has to write it, or spec.certificateAuthority.external.trustBundle names the roots',
        }),
  };
}

/**
 * The part that we have in an authority of somebody else: its roots, seen and, where it does not do so itself, brought to every
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
    { keeper, bundle: source, distributes, remedy, otherwise }: ForeignAuthority,
    rivals: ReadonlySet<string>,
    { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
  ): Promise<ExternalReport> {
    const { configMaps, copies } = this.#deps;
    const remembered = () => copies.readOwn(mesh.namespace, signal);
    const { roots, problem, isMissing } = await configMaps.read(mesh, source, {
      ...{ now, signal },
      ...(distributes ? { remembered } : {}),
    });
    const hint = isMissing && remedy !== undefined ? `: ${remedy}` : '';
    const bundle: ForeignBundle = {
      ...{ configMap: keyText(source), keeper },
      ...(otherwise === undefined ? {} : { otherwise }),
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
      isComplete:
        roots !== undefined && problem === undefined && !report.isUnfinished && report.contested.length === 0,
      ...(waits.length === 0 ? {} : { againInMs: Math.min(...waits) }),
    };
  }
}
