import { goDurationMs } from '../base/duration.ts';
import type { LabelSelector } from './resolved-injection.ts';
import { resolvePrometheus } from './resolved-prometheus.ts';
import type { ResolvedErrorRate, ResolvedTagScope, ResolvedUpgrade } from './resolved-upgrade.ts';
import type { ErrorRate, RevisionTagScope, Upgrade } from './spec/upgrade.ts';

const defaultTimeoutMs = 15 * 60_000;
const defaultWindowMs = 60_000;
const defaultGraceMs = 3_600_000;

/** The upgrade with every default filled in; a last wave takes whatever no other selects. */
export function resolveUpgrade(upgrade: Upgrade | undefined): ResolvedUpgrade {
  const { strategy = 'InPlace', waves = [] } = upgrade ?? {};
  const isRevisionBased = strategy === 'RevisionBased';
  return {
    strategy,
    restarts: restartsWorkloads(upgrade),
    waves: [
      ...waves.map(({ namespaceSelector, soak }) => ({
        namespaceSelector: namespaceSelector as LabelSelector,
        soakMs: goDurationMs(soak) ?? 0,
      })),
      { namespaceSelector: {}, soakMs: 0 },
    ],
    waveTimeoutMs: goDurationMs(upgrade?.waveTimeout) ?? defaultTimeoutMs,
    ...(upgrade?.errorRate === undefined ? {} : { errorRate: resolveErrorRate(upgrade.errorRate) }),
    onFailure: upgrade?.onFailure ?? (isRevisionBased ? 'Rollback' : 'Pause'),
    graceMs: goDurationMs(upgrade?.gracePeriod) ?? defaultGraceMs,
  };
}

function resolveErrorRate({ limit, ...asked }: ErrorRate): ResolvedErrorRate {
  return { ...resolvePrometheus(asked, defaultWindowMs), limit: Number.parseFloat(limit) / 100 };
}

export function resolveTagScope(scope: RevisionTagScope | undefined): ResolvedTagScope | undefined {
  if (scope === undefined) return undefined;
  const { namespaces, exceptNamespaces = [] } = scope;
  return { ...(namespaces === undefined ? {} : { only: namespaces }), except: exceptNamespaces };
}

/** Whether workloads are restarted for another version. */
export function restartsWorkloads({
  strategy,
  restart,
}: Pick<Upgrade, 'strategy' | 'restart'> = {}): boolean {
  return (restart ?? (strategy === 'RevisionBased' ? 'Waves' : 'Never')) === 'Waves';
}
