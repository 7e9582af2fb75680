import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { freePorts } from '../cluster/free-ports.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { waitUntil } from '../cluster/wait-until.ts';

/** What a real Envoy that has nothing to do shows of itself at `/stats/prometheus`. */
export async function envoyMetrics(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-envoy-'));
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const file = join(folder, 'envoy.yaml');
  await writeFile(file, dump({ admin: { address } }));
  const flags = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1'];
  const program = await ensureTool('envoy');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags], { stdio: 'ignore' });
  const ended = new Promise((done) => child.once('close', done));
  const ask = () => fetch(`http://127.0.0.1:${port}/stats/prometheus`).then((answer) => answer.text());
  try {
    await waitUntil({ what: 'Envoy answers' }, async () => (await ask()) !== '');
    return await ask();
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}
