import { readFile } from 'node:fs/promises';

/** The memory that a process holds now (`VmRSS`), or the most it has held so far (`VmHWM`), in MB. */
export async function memoryMb(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1];
  return Number(kilobytes) / 1024;
}
