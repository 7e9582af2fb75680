import { goDurationMs } from '../../base/duration.ts';
import type { Problem } from '../problem.ts';
import { profiles } from '../profiles.ts';
import { restartsWorkloads } from '../resolve-upgrade.ts';
import { checkPrometheusWindow } from './prometheus-window.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.upgrade';

/** Each setting has an effect with the strategy that is chosen, and there is something to upgrade. */
export function checkUpgrade({ spec }: SpecView): Problem[] {
  const { strategy = 'InPlace', waves, onFailure, gracePeriod, waveTimeout, errorRate } = spec.upgrade ?? {};
  const isRevisionBased = strategy === 'RevisionBased';
  const restarts = restartsWorkloads(spec.upgrade);
  const problems: Problem[] = [];
  const add = (field: string, message: string) => problems.push({ path: `${path}.${field}`, message });
  if (!isRevisionBased) {
    if (onFailure === 'Rollback') {
      add(
        'onFailure',
        'Rollback needs the control plane from before, which InPlace replaces: set strategy: RevisionBased, or Pause',
      );
    }
    if (gracePeriod !== undefined) {
      add('gracePeriod', 'has no effect with strategy InPlace, which leaves no old control plane: remove it');
    }
    if (!restarts) {
      for (const [field, value] of Object.entries({ waves, waveTimeout, errorRate, onFailure })) {
        if (value === undefined || (field === 'onFailure' && value === 'Rollback')) continue;
        add(field, 'has no effect while no workload is restarted: set restart: Waves, or remove it');
      }
    }
  }
  if (waveTimeout !== undefined && (goDurationMs(waveTimeout) ?? Number.NaN) < leastTimeoutMs) {
    add('waveTimeout', 'must be at least 10s: a control plane needs that to start');
  }
  problems.push(...checkPrometheusWindow(`${path}.errorRate.window`, errorRate?.window));
  if (isRevisionBased && !hasControlPlane(spec)) {
    add('strategy', 'RevisionBased needs a control plane: enable spec.components.pilot, or set InPlace');
  }
  const { revision = '' } = spec;
  if (isRevisionBased && revision.length > longestRevision) {
    const message = `must have at most ${longestRevision} characters with upgrade.strategy RevisionBased, which appends the version`;
    problems.push({ path: 'spec.revision', message });
  }
  return problems;
}

/** `-1.999.99` has nine characters, and a revision 56. */
const longestRevision = 47;
const leastTimeoutMs = 10_000;

function hasControlPlane({ components, profile = 'default' }: SpecView['spec']): boolean {
  const { pilot } = components ?? {};
  return pilot?.enabled ?? (pilot !== undefined || profiles[profile]?.pilot === true);
}

/** A scope without tags limits nothing. */
export function checkRevisionTagScope({ spec }: SpecView): Problem[] {
  const { revisionTagScope: scope, revisionTags = [] } = spec;
  if (scope === undefined) return [];
  const at = 'spec.revisionTagScope';
  if (revisionTags.length === 0) {
    return [{ path: at, message: 'has no effect without revisionTags: name the tags, or remove it' }];
  }
  if (spec.revision === undefined) {
    return [{ path: at, message: 'needs a revision: the default control plane is chosen everywhere' }];
  }
  return scope.namespaces !== undefined && scope.exceptNamespaces !== undefined
    ? [{ path: at, message: 'must have namespaces or exceptNamespaces, not both' }]
    : [];
}
