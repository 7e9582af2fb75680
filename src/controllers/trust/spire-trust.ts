import type { ConditionUpdate } from '../../api/conditions.ts';
import { keyText } from '../../api/kubernetes-object.ts';
import type { ResolvedSpire } from '../../api/resolved-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { lastingRoot } from '../../pki/trusted-roots.ts';
import type { BundleConfigMaps } from './bundle-config-maps.ts';
import { bundleTrouble, type ForeignBundle } from './bundle-statement.ts';
import { trustConditionType } from './trust-status.ts';

type Statement = Omit<ConditionUpdate, 'observedGeneration'>;

/** Reads SPIRE's bundle; undefined where the spec names none and there is none by default. */
export async function readSpireBundle(
  mesh: ResolvedMesh,
  { bundle: source, isBundleNamed }: ResolvedSpire,
  configMaps: BundleConfigMaps,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<ForeignBundle | undefined> {
  const { roots, problem, isMissing } = await configMaps.read(mesh, source, { now, signal });
  if (isMissing && !isBundleNamed && roots === undefined) return undefined;
  return {
    configMap: keyText(source),
    keeper: 'SPIRE',
    ...(roots === undefined ? {} : { roots }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/**
 * What `TrustHealthy` says of a mesh whose workloads have SPIRE's certificates: what istiod's own authority says, with
 * what there is to say of SPIRE's roots; of two troubles that of the former.
 */
export function spireStatement(
  own: Statement,
  bundle: ForeignBundle | undefined,
  { meshConfig }: ResolvedMesh,
  now: Date,
): Statement {
  if (own.status === 'False') return own;
  if (bundle === undefined) {
    return {
      ...own,
      message: `${own.message}. SPIRE's own roots are not known: it keeps no bundle where it does by default`,
    };
  }
  const trouble = domainTrouble(bundle, String(meshConfig.trustDomain ?? '')) ?? bundleTrouble(bundle, now);
  if (trouble !== undefined) return trouble;
  const end = lastingRoot(bundle.roots ?? []).notAfter.toISOString();
  return { ...own, message: `${own.message}. SPIRE's roots are valid until ${end}` };
}

/** SPIRE writes its trust domain into a root that it makes itself; one that it is given need not have any. */
function domainTrouble({ roots = [], configMap }: ForeignBundle, meshDomain: string): Statement | undefined {
  const domains = [...new Set(roots.flatMap(({ trustDomain }) => trustDomain ?? []))];
  if (domains.length === 0 || domains.includes(meshDomain)) return undefined;
  return {
    type: trustConditionType,
    status: 'False',
    reason: 'TrustDomainDiffers',
    message: `The mesh is in trust domain ${meshDomain}, but the roots of ConfigMap ${configMap} are SPIRE's for ${domains.join(', ')}, so that workloads refuse each other: set spec.meshConfig.trustDomain to it`,
  };
}
