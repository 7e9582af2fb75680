import { parser } from '@prometheus-io/lezer-promql';

/** One selector of series in an expression. */
export interface PromqlSelector {
  readonly metric: string;
  /** Labels that it matches by. */
  readonly labels: readonly string[];
  /** What it matches them with, in quotes. */
  readonly values: readonly string[];
}

/** The texts of all nodes of one type in Prometheus' own grammar. */
export function namesIn(expr: string, type: string): string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.name === type) names.push(expr.slice(node.from, node.to));
    },
  });
  return names;
}

/** True when Prometheus' own grammar takes it, without a mistake that its parser has repaired. */
export function isPromql(expr: string): boolean {
  let isWhole = expr.trim() !== '';
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) isWhole = false;
    },
  });
  return isWhole;
}

/** Every selector of series in an expression. */
export function selectorsIn(expr: string): PromqlSelector[] {
  return namesIn(expr, 'VectorSelector').map((selector) => ({
    metric: namesIn(selector, 'Identifier')[0] ?? '',
    labels: namesIn(selector, 'LabelName'),
    values: namesIn(selector, 'StringLiteral'),
  }));
}

/** Labels that results are grouped by. */
export function groupingLabelsIn(expr: string): string[] {
  return namesIn(expr, 'GroupingLabels').flatMap((text) => text.replace(/[()\s]/g, '').split(','));
}
