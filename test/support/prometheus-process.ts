import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { freePorts } from '../cluster/free-ports.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { prometheusProgram } from './prometheus-program.ts';

/** One series of an answer, and its value now. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is read, and the labels that its figures get. */
export interface Target {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A rule, and what became of its last evaluation. */
export interface EvaluatedRule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

/** A real Prometheus on this machine's loopback address. */
export class PrometheusProcess {
  readonly address: string;
  readonly #end: () => Promise<void>;

  private constructor(address: string, end: () => Promise<void>) {
    this.address = address;
    this.#end = end;
  }

  /** Starts it with a configuration, and rules beside that, and returns when it is ready. */
  static async start(config: object, ruleGroups: readonly unknown[] = []): Promise<PrometheusProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-prometheus-'));
    const rules = join(folder, 'rules.yml');
    await writeFile(rules, dump({ groups: ruleGroups }));
    await writeFile(join(folder, 'prometheus.yml'), dump({ ...config, rule_files: [rules] }));
    const [port = 0] = await freePorts(1, '127.0.0.1');
    const program = await prometheusProgram('prometheus');
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags], { stdio: 'ignore' });
    const ended = new Promise((done) => child.once('close', done));
    const running = new PrometheusProcess(`http://127.0.0.1:${port}`, async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    });
    try {
      await waitUntil({ what: 'Prometheus is ready' }, async () => {
        if (child.exitCode !== null) throw new Error(`Prometheus has ended with ${child.exitCode}`);
        return (await fetch(`${running.address}/-/ready`)).ok;
      });
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** What an expression gives now. Throws with what Prometheus says of one that it cannot evaluate. */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#ask<{ result: { metric: Sample['labels']; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  /** What it reads, once relabelled, and how many others it has found and leaves alone. */
  async targets(): Promise<{ readonly read: readonly Target[]; readonly dropped: number }> {
    const { activeTargets, droppedTargets } = await this.#ask<{
      activeTargets: { scrapeUrl: string; labels: Target['labels'] }[];
      droppedTargets: unknown[];
    }>('targets');
    const read = activeTargets.map(({ scrapeUrl, labels }) => ({ url: scrapeUrl, labels }));
    return { read, dropped: droppedTargets.length };
  }

  async rules(): Promise<EvaluatedRule[]> {
    const { groups } = await this.#ask<{ groups: { rules: EvaluatedRule[] }[] }>('rules');
    return groups.flatMap((group) => group.rules);
  }

  async stop(): Promise<void> {
    await this.#end();
  }

  async #ask<Data>(question: string): Promise<Data> {
    const answer = await fetch(`${this.address}/api/v1/${question}`);
    const body = (await answer.json()) as { status: string; error?: string; data: Data };
    if (body.status !== 'success') throw new Error(`Prometheus answers ${question}: ${body.error}`);
    return body.data;
  }
}
