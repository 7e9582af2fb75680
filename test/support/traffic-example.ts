import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { load } from 'js-yaml';
import { type Bounds, binomialBounds } from './binomial.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = 'examples/traffic';

/**
 * An example of the traffic guide, `examples/traffic/NAME`: what is applied, and what becomes of counted requests then.
 * The page of the guide and the test on a real node are both made of it.
 */
export interface TrafficExample {
  /** Name of the folder. */
  readonly name: string;
  /** What a team wants, as heading of the page. */
  readonly title: string;
  /** The page's text before the manifests; Markdown. */
  readonly text: string;
  /** In the order in which they are applied. */
  readonly steps: readonly TrafficStep[];
}

/** Manifests, and the checks that hold once the proxies have acknowledged them. */
export interface TrafficStep {
  /** Path from the root of the repository. */
  readonly manifest: string;
  /** Text of the manifest. */
  readonly yaml: string;
  readonly checks: readonly TrafficCheck[];
}

/** Calls of one URL, and what becomes of them. */
export interface TrafficCheck {
  /** The deployment that calls. */
  readonly from: Caller;
  /** http, https or tcp. */
  readonly url: string;
  readonly times: number;
  /** `name: value` each. */
  readonly headers?: readonly string[];
  /** Default GET. */
  readonly method?: string;
  /** `host:port` that is connected to, whatever the URL says. */
  readonly through?: string;
  /** All at once; default: 50 a second. */
  readonly atOnce?: boolean;
  /** Seconds after which the caller gives up; default 60. */
  readonly patience?: number;
  /** Certificates of the caller: the CA that it trusts, or its own as well. */
  readonly certificates?: 'trusted' | 'own';
  /** How many calls end how: `ok`, `cut` (no answer, the connection ends), `timeout`, `tls`, or an HTTP status. */
  readonly ends: Readonly<Record<string, Amount>>;
  /** How many are answered by which version of an app, `NAME/VERSION`. */
  readonly answeredBy?: Readonly<Record<string, Amount>>;
  /** How many requests arrive at which deployment, which retries and mirrors make another number than that of the calls. */
  readonly arriveAt?: Readonly<Record<string, Amount>>;
  /** Lines that the calls leave in the log of whose proxy. */
  readonly logged?: Readonly<Record<string, LoggedLines>>;
  /** Of how many calls the caller's proxy reports a span. */
  readonly traced?: Amount;
}

/** Lines of a log: JSON with exactly these fields, whose values may be `*` for any. */
export interface LoggedLines {
  readonly lines: Amount;
  /** Left out where there is no line. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Exactly so many, a share that each request has by chance, or a range. */
export type Amount = number | string | readonly [least: number, most: number];

/** Who can call: apps of the mesh, one of another namespace of it, and one without a sidecar. */
export const callers = {
  client: 'shop/client',
  'web-v1': 'shop/web-v1',
  old: 'legacy/old',
  outside: 'external/outside',
} as const;
export type Caller = keyof typeof callers;

/** All examples, in the order of their names. */
export function readTrafficExamples(): TrafficExample[] {
  return readdirSync(resolve(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readExample(name))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function readExample(name: string): TrafficExample {
  const read = (file: string) => readFileSync(resolve(root, folder, name, file), 'utf8');
  const { steps, ...rest } = load(read('example.yaml')) as Omit<TrafficExample, 'name' | 'steps'> & {
    steps: readonly { readonly apply: string; readonly checks: readonly TrafficCheck[] }[];
  };
  return {
    name,
    ...rest,
    steps: steps.map(({ apply, checks }) => ({
      manifest: `${folder}/${name}/${apply}`,
      yaml: read(apply),
      checks,
    })),
  };
}

/** The numbers that an amount allows when so many requests are made. A share is written `20%`. */
export function boundsOf(amount: Amount, times: number): Bounds {
  if (typeof amount === 'number') return { least: amount, most: amount };
  if (typeof amount !== 'string') return { least: amount[0], most: amount[1] };
  const percent = /^(\d+)%$/.exec(amount)?.[1];
  if (percent === undefined) throw new Error(`"${amount}" is no share such as 20%`);
  return binomialBounds(times, Number(percent) / 100);
}

/** The check as a sentence of the page, and as the name of its test. Markdown. */
export function sentenceOf(check: TrafficCheck): string {
  const { from, url, times, method = 'GET', headers = [], through, atOnce, certificates, patience } = check;
  const how = [
    ...(method === 'GET' ? [] : [`method ${method}`]),
    ...headers.map((header) => `\`${shortened(header)}\``),
    ...(through === undefined ? [] : [`connected to \`${through}\``]),
    ...(certificates === 'own' ? ['with a certificate of its own'] : []),
    ...(patience === undefined ? [] : [`giving up after ${patience} s`]),
  ];
  const calls = times === 1 ? 'once' : `${times} times${atOnce ? ' at once' : ''}`;
  const asked = [`\`${from}\` calls \`${url}\` ${calls}`, ...how].join(', ');
  return `${asked}: ${outcomesOf(check).join('; ')}`;
}

function outcomesOf(check: TrafficCheck): string[] {
  const { times, ends, answeredBy = {}, arriveAt = {}, logged = {}, traced } = check;
  const each = (amounts: Readonly<Record<string, Amount>>, wordsFor: (key: string) => string) =>
    Object.entries(amounts).map(([key, amount]) => `${amountText(amount, times)} ${wordsFor(key)}`);
  return [
    ...each(ends, (end) => endWords[end] ?? `get status ${end}`),
    ...each(answeredBy, (app) => `are answered by \`${app}\``),
    ...each(arriveAt, (app) => `arrive at \`${app}\``),
    ...Object.entries(logged).map(
      ([app, { lines, fields }]) =>
        `${amountText(lines, times)} leave a line in the log of \`${app}\`${fields === undefined ? '' : `, \`${JSON.stringify(fields)}\``}`,
    ),
    ...(traced === undefined ? [] : [`${amountText(traced, times)} are traced`]),
  ];
}

const endWords: Readonly<Record<string, string>> = {
  ok: 'succeed',
  cut: 'are cut off without an answer',
  timeout: 'are given up',
  tls: 'fail in the TLS handshake',
};

function amountText(amount: Amount, times: number): string {
  const { least, most } = boundsOf(amount, times);
  if (typeof amount === 'string') return `${amount} (${least} to ${most})`;
  if (least !== most) return `${least} to ${most}`;
  return least === 0 ? 'none' : least === times ? `all ${times}` : String(least);
}

/** Tokens are long, and how a trace goes on is said at its end. */
function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 28)}...${text.slice(-3)}` : text;
}
