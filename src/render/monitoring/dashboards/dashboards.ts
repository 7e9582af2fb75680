import { type JsonObject, type ResolvedMesh, revisionSuffix } from '../../../api/resolved-mesh.ts';
import { stableHash } from '../../../base/stable-json.ts';
import { MeshSeries } from '../mesh-series.ts';
import { certificatesDashboard } from './certificates.ts';
import { controlPlaneDashboard } from './control-plane.ts';
import type { Dashboard } from './dashboard.ts';
import { grafanaJson } from './grafana-json.ts';
import { overviewDashboard } from './overview.ts';
import { workloadsDashboard } from './workloads.ts';

/** A dashboard of one mesh, and the names it is kept under. */
export interface MeshDashboard {
  /** Of the ConfigMap, in the namespace of the mesh. */
  readonly name: string;
  /** Of the file: Grafana's sidecar puts those of all meshes into one folder. */
  readonly file: string;
  readonly json: JsonObject;
}

/** Every dashboard, as it looks at the series of one mesh. */
export function dashboardsOf(series: MeshSeries): readonly Dashboard[] {
  return [
    overviewDashboard(series),
    workloadsDashboard(series),
    controlPlaneDashboard(series),
    certificatesDashboard(series),
  ];
}

/** The dashboards of a mesh. Those of several meshes stand side by side in one Grafana. */
export function meshDashboards(mesh: ResolvedMesh): readonly MeshDashboard[] {
  const { namespace, name, revision } = mesh;
  const id = stableHash({ namespace, name });
  return dashboardsOf(new MeshSeries(mesh)).map((dashboard) => {
    const { slug, title } = dashboard;
    return {
      name: `mesh-dashboard-${slug}${revisionSuffix(revision)}`,
      file: `mesh-${slug}-${id}.json`,
      json: grafanaJson(dashboard, {
        uid: `mesh-${slug}-${id}`,
        title: `Mesh ${namespace}/${name}: ${title}`,
        tags: ['mesh-operator', `mesh ${namespace}/${name}`],
      }),
    };
  });
}
