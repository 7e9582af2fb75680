/** Takes one line for a person; without line end. */
export type Progress = (line: string) => void;

/** Prints progress to standard error, so that standard output stays for results. */
export const printProgress: Progress = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Says what is done, of how many, before it and how long it took after it. */
export async function withProgress<T>(progress: Progress, what: string, step: () => Promise<T>): Promise<T> {
  progress(`${what} ...`);
  const start = performance.now();
  const result = await step();
  progress(`${what} done in ${seconds(performance.now() - start)}`);
  return result;
}

/** `1.3 s`. */
export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
