import { Cron } from 'croner';

/** What is wrong with a text as a cron schedule of five fields; undefined when nothing is. */
export function scheduleProblem(schedule: string): string | undefined {
  try {
    return parse(schedule).nextRun(new Date(0)) === null ? 'it never comes round' : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first occurrence after an instant, UTC; undefined when there is none. Throws when the schedule is none. */
export function nextOccurrence(schedule: string, after: Date): Date | undefined {
  return parse(schedule).nextRun(after) ?? undefined;
}

function parse(schedule: string): Cron {
  return new Cron(schedule, { mode: '5-part', utcOffset: 0 });
}
