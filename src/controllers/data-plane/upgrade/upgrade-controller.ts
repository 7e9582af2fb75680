import { StatusWriter } from '../../../kube/status-writer.ts';
import { Controller } from '../../../runtime/controller.ts';
import type { DataPlaneControllerDeps } from '../data-plane-controller.ts';
import type { DataPlaneInformers } from '../data-plane-reconciler.ts';
import { upgradeStatusManager } from '../field-managers.ts';
import { UpgradeReconciler } from './upgrade-reconciler.ts';
import { leastStatusIntervalMs, upgradeConditionType } from './upgrade-status.ts';

/** Wires the controller that takes meshes to other versions; whoever has the caches wakes it. */
export function createUpgradeController(
  deps: DataPlaneControllerDeps,
  informers: DataPlaneInformers,
): Controller {
  const { client, clock, events, mayAct } = deps;
  const status = new StatusWriter(
    {
      ...{ fieldManager: upgradeStatusManager, fields: ['upgrade'], conditions: [upgradeConditionType] },
      leastIntervalMs: leastStatusIntervalMs,
    },
    { client, clock },
  );
  const reconciler = new UpgradeReconciler({ client, clock, events, status, informers, mayAct });
  return new Controller({ name: 'upgrade' }, { ...deps, metrics: deps.upgradeMetrics, reconciler });
}
