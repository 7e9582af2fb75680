/** What a panel draws, in Grafana's words. */
export type PanelKind = 'timeseries' | 'stat' | 'table' | 'state-timeline';

/** Units of Grafana that panels have (its `valueFormats`). */
export type Unit = 'reqps' | 'percentunit' | 'ms' | 's' | 'dtdurations' | 'bytes' | 'Bps' | 'short' | 'ops';

/** One question to Prometheus, and what its answers are called (`{{label}}` in Grafana's language). */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly kind: PanelKind;
  readonly unit: Unit;
  /** What it tells, where its title does not. */
  readonly description?: string;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  /** How many stand side by side. */
  readonly columns: 2 | 3 | 4 | 6;
  readonly panels: readonly Panel[];
}

/** What a person may choose, by the values of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** A metric of Prometheus with matchers, whose values of `values` there are. */
  readonly of: string;
  readonly values: string;
}

export interface Dashboard {
  /** Part of the names of everything that it is kept in. */
  readonly slug: 'overview' | 'workloads' | 'control-plane' | 'certificates';
  readonly title: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** The window of rates in panels: Grafana makes it at least four readings long. */
export const panelWindow = '$__rate_interval';

/** A panel of lines over time that asks one question. */
export function linePanel(
  title: string,
  unit: Unit,
  expr: string,
  legend: string,
  description?: string,
): Panel {
  return {
    ...{ title, kind: 'timeseries', unit },
    ...(description === undefined ? {} : { description }),
    queries: [{ expr, legend }],
  };
}
