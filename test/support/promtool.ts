import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { run } from '../cluster/toolchain/run-command.ts';
import { prometheusProgram } from './prometheus-program.ts';

/** A series as promtool writes them: its name with labels, and its values minute by minute. */
export type InputSeries = readonly [series: string, values: string];

/** An alert that is to fire. */
export interface ExpectedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What becomes of an alert at some times, such as `40m`; no expected ones means that it is silent. */
export interface AlertCase {
  readonly alert: string;
  readonly series: readonly InputSeries[];
  readonly expected: Readonly<Record<string, readonly ExpectedAlert[]>>;
}

/** What an expression gives after a while, its samples as `{labels} value`. */
export interface ExpressionCase {
  readonly expr: string;
  readonly series: readonly InputSeries[];
  readonly at: string;
  readonly expected: readonly { readonly labels: string; readonly value: number }[];
}

/** Real promtool, on rules of ours. */
export class Promtool {
  readonly #program: string;
  readonly #folder: string;

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  static async open(groups: readonly unknown[]): Promise<Promtool> {
    const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-promtool-'));
    await writeFile(join(folder, 'rules.yaml'), dump({ groups }));
    return new Promtool(await prometheusProgram('promtool'), folder);
  }

  /** Throws with what promtool says where a rule is not valid, or is there twice. */
  async check(): Promise<string> {
    return run(this.#program, ['check', 'rules', '--lint-fatal', join(this.#folder, 'rules.yaml')]);
  }

  /** Throws with what promtool says where an alert does otherwise. */
  async expectAlert({ alert, series, expected }: AlertCase): Promise<void> {
    await this.#test(series, {
      alert_rule_test: Object.entries(expected).map(([at, alerts]) => ({
        eval_time: at,
        alertname: alert,
        exp_alerts: alerts.map(({ labels, annotations }) => ({
          exp_labels: labels,
          exp_annotations: annotations,
        })),
      })),
    });
  }

  /** Throws with what promtool says where the expression gives something else. */
  async expectSamples({ expr, series, at, expected }: ExpressionCase): Promise<void> {
    await this.#test(series, { promql_expr_test: [{ expr, eval_time: at, exp_samples: expected }] });
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #test(series: readonly InputSeries[], expectations: object): Promise<void> {
    const file = join(this.#folder, 'test.yaml');
    const input = series.map(([name, values]) => ({ series: name, values }));
    const test = { interval: '1m', input_series: input, ...expectations };
    await writeFile(file, dump({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
    await run(this.#program, ['test', 'rules', file]);
  }
}
