import { Agent, request } from 'undici';
import { z } from 'zod';
import { type ErrorRateQuestion, errorRateQuery, type MeasuredErrorRate } from './error-rate.ts';

const timeoutMs = 5_000;
const maxAnswerBytes = 65_536;
const dispatcher = new Agent({ maxResponseSize: maxAnswerBytes, connectTimeout: timeoutMs });

/** An instant vector, as Prometheus' HTTP API has it (`/api/v1/query`). */
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })).max(1),
  }),
});

/**
 * Asks a Prometheus. Never throws but for an abort: who cannot be asked, or does not answer as Prometheus does, is said in
 * the result, without anything of the answer.
 */
export async function measureErrorRate(
  address: string,
  question: ErrorRateQuestion,
  signal: AbortSignal,
): Promise<MeasuredErrorRate> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const { statusCode, body } = await request(`${address}/api/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'mesh-operator' },
      body: new URLSearchParams({ query: errorRateQuery(question) }).toString(),
      signal: deadline,
      dispatcher,
    });
    if (statusCode !== 200) {
      await body.dump();
      return unknown(address, `it answers ${statusCode}`);
    }
    const answer = answerSchema.safeParse(JSON.parse(await body.text()));
    if (!answer.success) return unknown(address, 'it does not answer as Prometheus does');
    const ratio = Number(answer.data.data.result[0]?.value[1] ?? 0);
    // No request at all is 0/0.
    return { ratio: Number.isNaN(ratio) ? 0 : ratio };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError) return unknown(address, 'it does not answer as Prometheus does');
    const { code } = error as { code?: unknown };
    const isLate = deadline.aborted || code === 'UND_ERR_ABORTED';
    return unknown(address, isLate ? `no answer in ${timeoutMs / 1000} s` : String(code ?? 'no connection'));
  }
}

function unknown(address: string, why: string): MeasuredErrorRate {
  return { unknown: `the rate of errors, which ${address} cannot be asked for: ${why}` };
}
