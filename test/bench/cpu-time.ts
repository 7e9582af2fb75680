import { readFile } from 'node:fs/promises';

/** Linux counts processor time in ticks of a hundredth of a second (USER_HZ). */
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used: unlike time on a clock, other processes hardly change it. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
