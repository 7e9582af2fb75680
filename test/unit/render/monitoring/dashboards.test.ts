import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { meshDashboards } from '../../../../src/render/monitoring/dashboards/dashboards.ts';
import { renderMonitoring } from '../../../../src/render/monitoring/monitoring.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { isPromql } from '../../../support/promql.ts';
import { aRenderContext } from '../../../support/render-context.ts';

interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

interface GrafanaDashboard {
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly GrafanaPanel[];
}

function dashboardsOf(spec: MeshOperatorSpec = {}, metadata: { name?: string; namespace?: string } = {}) {
  const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: {} }, ...spec }, metadata));
  return renderMonitoring(mesh, aRenderContext())
    .filter(({ kind }) => kind === 'ConfigMap')
    .map((object) => {
      const [[file, text] = ['', '']] = Object.entries(object.data as Record<string, string>);
      return { object, file, dashboard: JSON.parse(text) as GrafanaDashboard };
    });
}

const all = dashboardsOf();

describe('dashboards', () => {
  it('are ConfigMaps that the sidecar of Grafana finds', () => {
    expect(all.map(({ object }) => object.metadata.name)).toEqual(
      ['overview', 'workloads', 'control-plane', 'certificates'].map((slug) => `mesh-dashboard-${slug}`),
    );
    for (const { object } of all) expect(object.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  });

  it('are left out where nobody wants them', () => {
    expect(dashboardsOf({ telemetry: { monitoring: { dashboards: { enabled: false } } } })).toEqual([]);
  });

  it('of several meshes take no name from each other', () => {
    const meshes = [
      all,
      dashboardsOf({}, { namespace: 'tenant' }),
      dashboardsOf({ revision: 'canary' }, { name: 'canary' }),
    ].flat();
    const [files, uids, titles] = [
      meshes.map(({ file }) => file),
      meshes.map(({ dashboard }) => dashboard.uid),
      meshes.map(({ dashboard }) => dashboard.title),
    ];

    for (const names of [files, uids, titles]) expect(new Set(names).size).toBe(12);
    for (const uid of uids) expect(uid).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
    expect(titles).toContain('Mesh tenant/mesh: Control plane');
  });

  it.each(all)('of $dashboard.title let a person choose the Prometheus', ({ dashboard }) => {
    const [variable] = dashboard.templating.list;

    expect(variable).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    expect(panelsOf(dashboard).map(({ datasource }) => datasource?.uid)).toEqual(
      panelsOf(dashboard).map(() => '$datasource'),
    );
  });

  it.each(all)(
    'of $dashboard.title have questions, words for the answers and a unit in each panel',
    ({ dashboard }) => {
      const panels = panelsOf(dashboard);

      expect(panels.length).toBeGreaterThan(8);
      for (const { title, targets = [], fieldConfig } of panels) {
        expect(targets.length, title).toBeGreaterThan(0);
        expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
        for (const { expr, legendFormat } of targets) {
          expect(isPromql(asPromql(expr)), `${title}: ${expr}`).toBe(true);
          expect(legendFormat, title).not.toBe('');
        }
        expect(fieldConfig?.defaults.unit, title).toMatch(/^[a-z]+$/i);
      }
    },
  );

  it.each(all)('of $dashboard.title use no variable but their own', ({ dashboard }) => {
    const own = dashboard.templating.list.map(({ name }) => name);
    const used = JSON.stringify(dashboard).matchAll(/\$([a-z]\w*)/g);

    expect([...used].map(([, name = '']) => name).filter((name) => !own.includes(name))).toEqual([]);
  });

  it.each(all)('of $dashboard.title have panels beside each other, none over another', ({ dashboard }) => {
    const { panels } = dashboard;
    const overlap = panels.filter((one, index) =>
      panels.slice(index + 1).some((other) => overlaps(one.gridPos, other.gridPos)),
    );

    expect(overlap).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24 || !Number.isInteger(w))).toEqual([]);
  });

  it('are the same bytes for the same mesh', () => {
    const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: {} } }));

    expect(meshDashboards(mesh)).toEqual(meshDashboards(mesh));
  });
});

function panelsOf({ panels }: GrafanaDashboard): readonly GrafanaPanel[] {
  return panels.filter(({ type }) => type !== 'row');
}

/** Grafana puts a duration where its variable is. */
function asPromql(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m');
}

function overlaps(a: GrafanaPanel['gridPos'], b: GrafanaPanel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
