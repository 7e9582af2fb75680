import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { renderMonitoring } from './monitoring/monitoring.ts';
import { renderExposure } from './multicluster/exposure.ts';
import type { RenderContext } from './render-context.ts';
import { renderSecurity } from './security/security.ts';
import { renderTelemetry } from './telemetry/telemetry.ts';

/** What says how proxies behave, beside their configuration, what watches them, and what other clusters may reach; of a mesh of several control planes it is there once. */
export function renderPolicies(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return [
    ...renderSecurity(mesh, context),
    ...renderTelemetry(mesh, context),
    ...renderMonitoring(mesh, context),
    ...renderExposure(mesh, context),
  ];
}
