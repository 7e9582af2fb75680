import type { JsonObject } from '../../../api/resolved-mesh.ts';
import type { Dashboard, Panel, Row, Variable } from './dashboard.ts';

/** How a dashboard is found in Grafana. */
export interface DashboardIdentity {
  /** At most 40 characters of `[A-Za-z0-9_-]`, no two in one Grafana. */
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
}

/** Grafana is 24 units wide. */
const fullWidth = 24;
const panelHeight = 8;

/** Of Grafana 11, which newer ones migrate by themselves. */
const schemaVersion = 39;

const datasource = { type: 'prometheus', uid: '$datasource' };

/** The dashboard in Grafana's JSON model (grafana.com, "Dashboard JSON model"), laid out row by row. */
export function grafanaJson({ rows, variables }: Dashboard, identity: DashboardIdentity): JsonObject {
  const { uid, title, tags } = identity;
  return {
    ...{ uid, title, tags: [...tags], schemaVersion, editable: false, graphTooltip: 1 },
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    annotations: { list: [] },
    templating: { list: [datasourceVariable, ...variables.map(variableJson)] },
    panels: layOut(rows),
  };
}

const datasourceVariable: JsonObject = {
  ...{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
};

function variableJson({ name, label, of, values }: Variable): JsonObject {
  const query = `label_values(${of}, ${values})`;
  return {
    ...{ name, label, datasource, type: 'query', definition: query, query: { query, refId: name } },
    // New values appear, and old ones go, with the time that is looked at.
    ...{ refresh: 2, sort: 1, multi: true, includeAll: true, allValue: '.*' },
    current: { text: 'All', value: '$__all' },
  };
}

function layOut(rows: readonly Row[]): JsonObject[] {
  const panels: JsonObject[] = [];
  let y = 0;
  for (const { title, columns, panels: inRow } of rows) {
    panels.push({
      ...{ id: panels.length + 1, type: 'row', title, collapsed: false },
      ...{ gridPos: { x: 0, y, w: fullWidth, h: 1 }, panels: [] },
    });
    y += 1;
    const width = fullWidth / columns;
    const height = inRow.every(({ kind }) => kind === 'stat') ? panelHeight / 2 : panelHeight;
    for (const [index, panel] of inRow.entries()) {
      const line = Math.floor(index / columns);
      const gridPos = { x: (index % columns) * width, y: y + line * height, w: width, h: height };
      panels.push({ id: panels.length + 1, ...panelJson(panel), gridPos });
    }
    y += Math.ceil(inRow.length / columns) * height;
  }
  return panels;
}

function panelJson({ title, kind, unit, description, queries }: Panel): JsonObject {
  const isMoment = kind === 'stat' || kind === 'table';
  return {
    ...{ title, type: kind, datasource },
    ...(description === undefined ? {} : { description }),
    // A part of a whole has nothing above one.
    fieldConfig: { defaults: { unit, ...(unit === 'percentunit' ? { min: 0, max: 1 } : {}) }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource, expr, legendFormat: legend },
      ...(isMoment ? { instant: true, range: false } : {}),
      ...(kind === 'table' ? { format: 'table' } : {}),
    })),
  };
}
