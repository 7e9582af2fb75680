/** One comparison: the same work done by us and by a rival, in the same run. */
export interface BenchRow {
  /** What was done, as a person would say it. */
  readonly name: string;
  readonly ours: number;
  /** Undefined where there is no rival to run here. */
  readonly rival: number | undefined;
  /** rival / ours: how many times less we need. */
  readonly ratio: number | undefined;
  /** What we promise: a least `ratio`, or a most of `ours` where there is no rival. */
  readonly goal: number | undefined;
  readonly unit: string;
}

/** A row from two measurements of the same unit; more than `goal` times less is what we promise. */
export function benchRow(row: Omit<BenchRow, 'ratio'>): BenchRow {
  return { ...row, ratio: row.rival === undefined ? undefined : row.rival / row.ours };
}

/** True unless the row misses its goal. */
export function meetsGoal({ goal, ratio, ours }: BenchRow): boolean {
  if (goal === undefined) return true;
  return ratio === undefined ? ours <= goal : ratio >= goal;
}

/** The rows as a table of aligned columns, one line each after the heading. */
export function benchTable(rows: readonly BenchRow[]): string {
  const lines = [
    ['', 'ours', 'rival', 'unit', 'ratio', 'goal', ''],
    ...rows.map((row) => [
      row.name,
      figure(row.ours),
      figure(row.rival),
      row.unit,
      row.ratio === undefined ? '-' : `${figure(row.ratio)} x`,
      row.goal === undefined ? '-' : row.ratio === undefined ? `<= ${row.goal}` : `>= ${row.goal} x`,
      meetsGoal(row) ? '' : 'MISSED',
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths?.[0] ?? 0) : cell.padStart(widths?.[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

/** The middle of the measurements: one slow round does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('There is no median of no values');
  return (low + high) / 2;
}

/** Three significant digits; `-` for no figure. */
function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
