import type { ConditionUpdate } from '../../api/conditions.ts';
import type { TrustBundleStatus } from '../../api/mesh-operator-status.ts';
import { lastingRoot, noticeAt, type TrustedRoot } from '../../pki/trusted-roots.ts';
import type { ContestedCopy } from './plan-copies.ts';
import { trustConditionType } from './trust-status.ts';

/** What is known of the bundle of an authority that somebody else keeps. */
export interface ForeignBundle {
  /** Namespace and name of its ConfigMap. */
  readonly configMap: string;
  /** The last good ones; absent until there have been any. */
  readonly roots?: readonly TrustedRoot[];
  /** Why what the ConfigMap holds now is not used. */
  readonly problem?: string;
  /** Whoever has to bring other roots: `The authority at ca.example.com:443`. */
  readonly keeper: string;
  /** A clause: what to do where that one should bring the copies. */
  readonly otherwise?: string;
}

type Statement = Omit<ConditionUpdate, 'observedGeneration'>;

const maxNamed = 3;

/** What is wrong with a bundle, as condition `TrustHealthy` says it; undefined when nothing is. */
export function bundleTrouble(bundle: ForeignBundle, now: Date): Statement | undefined {
  const { configMap, roots, problem, keeper } = bundle;
  const isFalse = { type: trustConditionType, status: 'False' } as const;
  if (roots === undefined) {
    const message = problem ?? `ConfigMap ${configMap} has not been read yet`;
    return { ...isFalse, reason: 'BundleRefused', message };
  }
  const last = lastingRoot(roots);
  const end = last.notAfter.toISOString();
  if (last.notAfter <= now) {
    const message = `Every root of ConfigMap ${configMap} has ended, the last one on ${end}: nothing verifies any more. ${keeper} has to bring another`;
    return { ...isFalse, reason: 'Expired', message };
  }
  if (problem !== undefined) {
    return { ...isFalse, reason: 'BundleRefused', message: `${problem}. The roots in use stay` };
  }
  if (noticeAt(last) > now) return undefined;
  const message = `The last root of ConfigMap ${configMap} ends on ${end}, and none follows yet. ${keeper} has to bring another`;
  return { ...isFalse, reason: 'RootEndsSoon', message };
}

/** What `TrustHealthy` says when others change copies of the bundle back; undefined when nobody does. */
export function contestedStatement(
  contested: readonly ContestedCopy[],
  { otherwise }: Pick<ForeignBundle, 'otherwise'>,
): Statement | undefined {
  if (contested.length === 0) return undefined;
  const named = contested.slice(0, maxNamed).map(({ namespace, by }) => `${namespace} by ${by}`);
  const others = contested.length > maxNamed ? ` and ${contested.length - maxNamed} more` : '';
  return {
    type: trustConditionType,
    status: 'False',
    reason: 'BundleContested',
    message: `ConfigMap istio-ca-root-cert is changed back in namespace ${named.join(', ')}${others}, and left so for now: end the other writer${otherwise === undefined ? '' : `, or ${otherwise}`}`,
  };
}

/** How long until time alone changes what is said of a bundle, in milliseconds; undefined without roots. */
export function bundleChangesInMs({ roots }: ForeignBundle, now: Date): number | undefined {
  if (roots === undefined) return undefined;
  const last = lastingRoot(roots);
  const instants = [noticeAt(last), last.notAfter].filter((instant) => instant > now);
  const [next] = instants;
  return next === undefined ? undefined : next.getTime() - now.getTime();
}

/** What `status.trustBundle` says; undefined without roots. */
export function bundleStatus({ configMap, roots }: ForeignBundle): TrustBundleStatus | undefined {
  if (roots === undefined) return undefined;
  return {
    configMap,
    roots: roots.map(({ serial, fingerprint, notAfter }) => ({
      serial,
      fingerprint,
      notAfter: notAfter.toISOString(),
    })),
  };
}
