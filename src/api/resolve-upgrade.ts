import { goDurationMs } from '../base/duration.ts';
import type { LabelSelector } from './resolved-injection.ts';
import type { ResolvedTagScope, ResolvedUpgrade } from './resolved-upgrade.ts';
import type { RevisionTagScope, Upgrade } from './spec/upgrade.ts';

const defaultTimeoutMs = 15 * 60_000;
const defaultGraceMs = 3_600_000;

/** The upgrade with every default filled in; a last wave takes whatever no other selects. */
export function resolveUpgrade(upgrade: Upgrade | undefined): ResolvedUpgrade {
  const { strategy = 'InPlace', waves = [] } = upgrade ?? {};
  const isRevisionBased = strategy === 'RevisionBased';
  return {
    strategy,
    restarts: (upgrade?.restart ?? (isRevisionBased ? 'Waves' : 'Never')) === 'Waves',
    waves: [
      ...waves.map(({ namespaceSelector, soak }) => ({
        namespaceSelector: namespaceSelector as LabelSelector,
        soakMs: durationMs(soak) ?? 0,
      })),
      { namespaceSelector: {}, soakMs: 0 },
    ],
    waveTimeoutMs: durationMs(upgrade?.waveTimeout) ?? defaultTimeoutMs,
    onFailure: upgrade?.onFailure ?? (isRevisionBased ? 'Rollback' : 'Pause'),
    graceMs: durationMs(upgrade?.gracePeriod) ?? defaultGraceMs,
  };
}

export function resolveTagScope(scope: RevisionTagScope | undefined): ResolvedTagScope | undefined {
  if (scope === undefined) return undefined;
  const { namespaces, exceptNamespaces = [] } = scope;
  return { ...(namespaces === undefined ? {} : { only: namespaces }), except: exceptNamespaces };
}

function durationMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : goDurationMs(text);
}
