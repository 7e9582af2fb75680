import type { ResolveContext } from './resolve-context.ts';
import { resolveWorkload } from './resolve-workload.ts';
import type { ResolvedInjector } from './resolved-mesh.ts';
import type { SidecarInjector } from './spec/sidecar-injector.ts';

/** The injector's workload with every default filled in: two replicas, and never fewer while one is replaced. */
export function resolveInjector(
  injector: SidecarInjector | undefined,
  hasControlPlane: boolean,
  { values }: ResolveContext,
): ResolvedInjector {
  return {
    ...resolveWorkload(
      {
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
        hpaSpec: undefined,
        replicas: 2,
        rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 },
      },
      injector?.k8s ?? {},
      values.global ?? {},
    ),
    enabled: injector?.enabled ?? hasControlPlane,
    failurePolicy: injector?.failurePolicy ?? 'Fail',
    barePods: injector?.barePods ?? 'Report',
  };
}
