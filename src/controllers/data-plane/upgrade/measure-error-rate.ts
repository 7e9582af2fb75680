import { queryPrometheus } from '../../../observability/prometheus-query.ts';
import { type ErrorRateQuestion, errorRateQuery, type MeasuredErrorRate } from './error-rate.ts';

/** Asks the Prometheus at `address`. Never throws but for an abort: that nobody knows is said in the result. */
export async function measureErrorRate(
  address: string,
  question: ErrorRateQuestion,
  signal: AbortSignal,
): Promise<MeasuredErrorRate> {
  const answer = await queryPrometheus(address, errorRateQuery(question), signal);
  if ('unknown' in answer) {
    return { unknown: `the rate of errors, which ${address} cannot be asked for: ${answer.unknown}` };
  }
  const ratio = answer.samples[0]?.value ?? 0;
  // No request at all is 0/0.
  return { ratio: Number.isNaN(ratio) ? 0 : ratio };
}
