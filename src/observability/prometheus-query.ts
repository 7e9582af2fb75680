import { Agent, request } from 'undici';
import { z } from 'zod';

const usualTimeoutMs = 5_000;
/** Some ten thousand series; a query that may have more sums them up, or takes the largest (`topk`). */
const maxAnswerBytes = 4 * 1_048_576;
/** HTTP/1.1 alone, since a question is aborted at its deadline: see `ApiConnection`. */
const dispatcher = new Agent({
  allowH2: false,
  maxResponseSize: maxAnswerBytes,
  connectTimeout: usualTimeoutMs,
});

/** One row of an answer. */
export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN for what is no finite number, such as 0/0. */
  readonly value: number;
}

/** All rows of an instant vector, in the order of the answer; or why there is none, as the end of a sentence. */
export type PrometheusAnswer =
  | { readonly samples: readonly PrometheusSample[] }
  | { readonly unknown: string };

/** An instant vector, as Prometheus' HTTP API has it (`/api/v1/query`). */
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/**
 * Asks the Prometheus at `address`, which is without a slash at its end, for an instant vector as of now. Never throws but
 * for an abort: who cannot be asked, does not answer in `timeoutMs` (five seconds), or not as Prometheus does, is said in
 * the result, without anything of the answer.
 */
export async function queryPrometheus(
  address: string,
  query: string,
  signal: AbortSignal,
  timeoutMs = usualTimeoutMs,
): Promise<PrometheusAnswer> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const { statusCode, body } = await request(`${address}/api/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'mesh-operator' },
      body: new URLSearchParams({ query }).toString(),
      signal: deadline,
      dispatcher,
    });
    if (statusCode !== 200) {
      await body.dump();
      return { unknown: `it answers ${statusCode}` };
    }
    const answer = answerSchema.safeParse(JSON.parse(await body.text()));
    if (!answer.success) return { unknown: 'it does not answer as Prometheus does' };
    return {
      samples: answer.data.data.result.map(({ metric, value: [, text] }) => ({
        labels: metric,
        value: Number(text),
      })),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError) return { unknown: 'it does not answer as Prometheus does' };
    const { code } = error as { code?: unknown };
    const isLate = deadline.aborted || code === 'UND_ERR_ABORTED';
    return { unknown: isLate ? `no answer in ${timeoutMs / 1000} s` : String(code ?? 'no connection') };
  }
}
