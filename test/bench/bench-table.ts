/** One measurement, with what it is compared with. */
export interface BenchRow {
  /** What was done, as a person would say it. */
  readonly name: string;
  readonly ours: number;
  /** Empty for a count. */
  readonly unit: string;
  /** The same work done by a rival, or without an operator, in the same run; in `unit`. */
  readonly baseline?: Baseline | undefined;
  /** What we promise: with a rival beside us how many times less we need, otherwise a most of `ours`. */
  readonly goal?: number | undefined;
  /** What we promise besides: at most so many times what is measured beside us, where that is no rival. */
  readonly goalRatio?: number | undefined;
  /** What the best rival is published to need. It was not measured in this run. */
  readonly published?: string | undefined;
}

/** What a row is measured beside. */
export interface Baseline {
  readonly name: string;
  readonly value: number;
  /** True when we promise to be faster by the row's goal; otherwise it is a floor that we cannot reach. */
  readonly isRival?: boolean;
}

/** A row of the older form: `rival` is measured in the same run, and `goal` then is a ratio. */
interface ComparedRow {
  readonly name: string;
  readonly ours: number;
  readonly rival: number | undefined;
  readonly goal: number | undefined;
  readonly unit: string;
}

/** A row from one measurement, or from two of the same unit. */
export function benchRow(row: BenchRow | ComparedRow): BenchRow {
  if (!('rival' in row)) return row;
  const { rival, ...rest } = row;
  return rival === undefined ? rest : { ...rest, baseline: { name: 'helm', value: rival, isRival: true } };
}

/** True unless the row misses its goal. */
export function meetsGoal({ goal, goalRatio, baseline, ours }: BenchRow): boolean {
  if (baseline?.isRival === true) return goal === undefined || baseline.value / ours >= goal;
  const meetsRatio = goalRatio === undefined || baseline === undefined || ours <= goalRatio * baseline.value;
  return meetsRatio && (goal === undefined || ours <= goal);
}

const headings = ['', 'ours', 'goal', 'measured beside it', 'ratio', 'rival, as published'];

/** The rows as aligned columns, one line each after the heading. */
export function benchTable(rows: readonly BenchRow[]): string {
  const lines = [headings, ...rows.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const aligned = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${aligned.join('\n')}\n`;
}

/** The same as a Markdown table. */
export function benchMarkdown(rows: readonly BenchRow[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [headings, headings.map(() => '---'), ...rows.map(cellsOf)].map(line).join('');
}

/** The middle of the measurements: one slow round does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('There is no median of no values');
  return (low + high) / 2;
}

/** The smallest value that at least this share (0 to 1) of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There is no percentile of no values');
  return value;
}

function cellsOf(row: BenchRow): string[] {
  const { name, ours, unit, baseline, published } = row;
  return [
    name,
    withUnit(ours, unit),
    `${goalText(row)}${meetsGoal(row) ? '' : ' MISSED'}`,
    baseline === undefined ? '' : `${baseline.name} ${withUnit(baseline.value, unit)}`,
    baseline === undefined ? '' : ratioText(ours, baseline),
    published ?? '',
  ];
}

function goalText({ goal, goalRatio, unit, baseline }: BenchRow): string {
  if (baseline?.isRival === true) return goal === undefined ? '' : `${goal} x less`;
  const parts = [
    ...(goal === undefined ? [] : [`<= ${withUnit(goal, unit)}`]),
    ...(goalRatio === undefined ? [] : [`<= ${goalRatio} x`]),
  ];
  return parts.join(', ');
}

function ratioText(ours: number, { value, isRival }: Baseline): string {
  return isRival === true ? `${figure(value / ours)} x less` : `${figure(ours / value)} x`;
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? figure(value) : `${figure(value)} ${unit}`;
}

/** Three significant digits, whole numbers as they are. */
function figure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
