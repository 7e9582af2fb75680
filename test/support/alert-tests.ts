import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlertCase, type InputSeries, Promtool } from './promtool.ts';

/** What is known of a rule that alerts. */
export interface WrittenAlert {
  readonly alert: string;
  /** Absent: it fires at once. */
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What makes an alert fire, and what does not. */
export interface AlertRow {
  readonly alert: string;
  /** When it has fired; by default after 40 minutes. */
  readonly at?: string;
  readonly fires: readonly {
    readonly name: string;
    readonly series: readonly InputSeries[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly summary: string;
  }[];
  readonly silent: readonly { readonly name: string; readonly series: readonly InputSeries[] }[];
}

/**
 * Tests, in real promtool, that the rules of these groups that alert are valid and say what to do, and that each fires and is
 * silent as its row says; a rule without a row fails.
 */
export function testAlerts(
  what: string,
  groups: readonly { readonly rules: readonly (WrittenAlert | object)[] }[],
  rows: readonly AlertRow[],
): void {
  const rules = groups
    .flatMap((group) => group.rules)
    .filter((rule): rule is WrittenAlert => 'alert' in rule);
  const cases = alertCases(rows, rules);

  describe(`${what}, in real promtool`, () => {
    let promtool: Promtool;

    beforeAll(async () => {
      promtool = await Promtool.open(groups);
    });

    afterAll(() => promtool?.close());

    it('are valid, each once, and all of them are tried here', async () => {
      await promtool.check();

      expect(rules.map(({ alert }) => alert)).toEqual(rows.map(({ alert }) => alert));
    });

    it.each(cases.firing)('tell somebody: $alert, of $name', async (one) => {
      await promtool.expectAlert(one);
    });

    it.each(cases.silent)('leave people alone: $alert, of $name', async (one) => {
      await promtool.expectAlert(one);
    });

    it('say what to do', () => {
      for (const { alert, annotations, labels } of rules) {
        expect(
          Object.values(annotations).filter((text) => text.length < 10),
          alert,
        ).toEqual([]);
        expect(['warning', 'critical']).toContain(labels.severity);
      }
    });
  });
}

/** One test for each cause of each alert, and one for each that is none. */
function alertCases(
  rows: readonly AlertRow[],
  rules: readonly WrittenAlert[],
): { readonly firing: readonly NamedCase[]; readonly silent: readonly NamedCase[] } {
  return {
    firing: rows.flatMap(({ alert, at = '40m', fires }) =>
      fires.map(({ name, series, labels, summary }) => {
        const rule = rules.find((one) => one.alert === alert);
        const fired = {
          labels: { ...labels, ...rule?.labels },
          annotations: { ...rule?.annotations, summary },
        };
        const before = rule?.for === undefined ? {} : { '0m': [] };
        return { name, alert, series, expected: { ...before, [at]: [fired] } };
      }),
    ),
    silent: rows.flatMap(({ alert, at = '40m', silent }) =>
      silent.map(({ name, series }) => ({ name, alert, series, expected: { [at]: [] } })),
    ),
  };
}

type NamedCase = AlertCase & { readonly name: string };
