/**
 * Begins many writes at once and aborts them some turns of the event loop later, one more each time: while connections are
 * made, requests written, answers read. Prints how many were aborted. A process of its own, since what it must not do is
 * hang.
 *
 *   node test/support/aborted-writes.ts KUBECONFIG NAMESPACE
 */
import { nextTurn, systemClock } from '../../src/base/clock.ts';
import { openConnection } from '../../src/kube/api-connection.ts';
import { KubeClient } from '../../src/kube/client.ts';

const rounds = 20;
/** As many as the operator has under way by default. */
const atOnce = 128;

const [kubeconfig, namespace = ''] = process.argv.slice(2);
const connection = openConnection({ kubeconfig }, systemClock);
const client = new KubeClient({ connection, clock: systemClock, maxInFlight: atOnce });
await client.serverMinor(new AbortController().signal);
let aborted = 0;
for (let round = 0; round < rounds; round += 1) {
  const abort = new AbortController();
  const work = Array.from({ length: atOnce }, (_, index) => write(index, abort.signal));
  for (let turn = 0; turn < round; turn += 1) await nextTurn();
  abort.abort(new Error('aborted'));
  const ends = await Promise.allSettled(work);
  aborted += ends.filter(({ status }) => status === 'rejected').length;
}
await connection.close();
process.stdout.write(`${aborted}\n`);

function write(index: number, signal: AbortSignal): Promise<unknown> {
  const object = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `aborted-${index}`, namespace } },
    data: { text: 'x'.repeat(2_000 + index) },
  };
  return client.apply(object, { fieldManager: 'test', force: true }, signal);
}
