import type { Cluster } from '../cluster/cluster.ts';

/** A container of the test app. */
export interface AppContainer {
  readonly namespace: string;
  /** `NAME` of a pod, or `deployment/NAME`. */
  readonly workload: string;
  /** Default `app`. */
  readonly container?: string;
}

/** What the test app saw of a request that it answered. */
export interface AppAnswer {
  readonly name: string;
  readonly protocol: string;
  /** Names as Go writes them, such as `X-Request-Id`. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}

interface RequestOptions {
  readonly method?: string;
  /** `name: value` each. */
  readonly headers?: readonly string[];
}

/** The answer to one request (default: GET) from inside a container; throws when there is none, or one outside 2xx. */
export async function askFrom(
  cluster: Cluster,
  from: AppContainer,
  url: string,
  { method = 'GET', headers = [] }: RequestOptions = {},
): Promise<string> {
  const flags = headers.flatMap((header) => ['-header', header]);
  return execIn(cluster, from, '/test-app', 'ask', '-method', method, '-url', url, ...flags);
}

/** One request (default: GET) from inside a container to a test app, and what that saw of it. */
export async function askAppFrom(
  cluster: Cluster,
  from: AppContainer,
  url: string,
  options: RequestOptions = {},
): Promise<AppAnswer> {
  return JSON.parse(await askFrom(cluster, from, url, options)) as AppAnswer;
}

/** What became of calls: of the test app's counts (`test/app/call_counts.go`), what is looked at here. */
export interface CallReport {
  readonly total: CallCounts;
  /** By URL. */
  readonly targets: Readonly<Record<string, CallCounts>>;
  readonly lastFailures: readonly { readonly message: string }[];
}

export interface CallCounts {
  readonly sent: number;
  readonly ok: number;
  readonly notSent: number;
  readonly failedBy: Readonly<Record<string, number>>;
  readonly answeredBy: Readonly<Record<string, number>>;
}

/** What becomes of calls from inside a container, by flags of `test-app call`. */
export async function callFrom(
  cluster: Cluster,
  from: AppContainer,
  ...flags: readonly string[]
): Promise<CallReport> {
  return JSON.parse(
    await execIn(cluster, from, '/test-app', 'call', '-allow-failures', ...flags),
  ) as CallReport;
}

/** How one request from inside a container ends: `ok`, or the kind of failure as the test app calls it. */
export async function outcomeFrom(cluster: Cluster, from: AppContainer, url: string): Promise<string> {
  const { total } = await callFrom(cluster, from, '-count', '1', '-timeout', '5s', '-url', url);
  return total.ok === 1 ? 'ok' : Object.keys(total.failedBy).join();
}

/**
 * Which of the URLs a container has got to: there was an answer, be it that nothing listens. Where a policy drops packets
 * there is none.
 */
export async function reachedFrom(
  cluster: Cluster,
  from: AppContainer,
  urls: readonly string[],
): Promise<ReadonlySet<string>> {
  const calls = ['-count', `${urls.length}`, '-rate', '100', '-timeout', '3s'];
  const report = await callFrom(cluster, from, ...calls, ...urls.flatMap((url) => ['-url', url]));
  return new Set(
    urls.filter((url) => report.targets[url]?.sent === 1 && !report.targets[url].failedBy.timeout),
  );
}

/** The URI of the client's certificate, as the proxy of the answering app has verified it; undefined without mTLS. */
export function clientIdentity({ headers }: Pick<AppAnswer, 'headers'>): string | undefined {
  const verified = headers['X-Forwarded-Client-Cert']?.join(',').split(',').at(-1) ?? '';
  return /(?:^|;)URI=([^;]+)/.exec(verified)?.[1];
}

/** What a command in a container prints. */
export function execIn(cluster: Cluster, from: AppContainer, ...command: readonly string[]): Promise<string> {
  const { namespace, workload, container = 'app' } = from;
  return cluster.kubectl('exec', '-n', namespace, workload, '-c', container, '--', ...command);
}
