import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { memoryMb } from '../bench/process-memory.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { ownNamespace, testClient } from '../support/test-client.ts';

/** Far more than the writes need: a process that has more hangs, and would take all that there is. */
const mostMemoryMb = 1_000;

test('writes that are aborted on their way to the API server leave the process alive', async () => {
  const cluster = await sharedCluster();
  const { client, connection } = testClient(cluster.kubeconfigPath);
  const namespace = await ownNamespace(client, 'aborted');
  await connection.close();
  const program = resolve(import.meta.dirname, '../support/aborted-writes.ts');
  const child = spawn(process.execPath, [program, cluster.kubeconfigPath, namespace], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const aborted = text(child.stdout);
  try {
    await waitUntil({ what: 'the writes have ended', intervalMs: 100 }, async () => {
      if (child.exitCode !== null || child.signalCode !== null) return true;
      if ((await memoryMb(child.pid ?? 0, 'VmRSS')) > mostMemoryMb) child.kill('SIGKILL');
      return false;
    });
  } finally {
    child.kill('SIGKILL');
  }

  expect(child.exitCode).toBe(0);
  expect(Number(await aborted)).toBeGreaterThan(100);
});
