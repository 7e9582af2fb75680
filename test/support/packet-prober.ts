/**
 * Sends packets from the network namespace that it is started in: see PodNetworks. Probes come as a JSON list on standard
 * input; the ids of those that somebody answered go to standard output.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Probe } from './packet-agent.ts';

/** Whose packets the rules of a sidecar let out as they are: the proxy's own user (Istio's `istio-iptables`). */
const proxyUser = 1337;
/** The kernel sends a packet without an answer again after one second, then after two more. */
const patienceMs = 4_000;
/** A question that a DNS server answers as well: RFC 1035, section 4.1, for the addresses of `.`. */
const question = Buffer.from('000101000001000000000000' + '00' + '00010001', 'hex');

if (process.argv[1] === import.meta.filename) {
  const probes = JSON.parse(await text(process.stdin)) as Probe[];
  process.setgid?.(proxyUser);
  process.setuid?.(proxyUser);
  process.stdout.write(JSON.stringify(await answeredOf(probes)), () => process.exit());
}

/** Answered is what is refused as well: the packet was there. */
async function answeredOf(probes: readonly Probe[]): Promise<number[]> {
  const answered = new Set<number>();
  const sent = probes.map((probe) => {
    const note = () => answered.add(probe.id);
    return probe.protocol === 'TCP' ? sendSegment(probe, note) : sendDatagrams(probe, note);
  });
  await new Promise((resolve) => setTimeout(resolve, patienceMs));
  // Answers that have come while this process had to wait are read first.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  for (const stop of sent) stop();
  return [...answered];
}

function sendSegment({ from, to, port }: Probe, note: () => void): () => void {
  const socket = connect({ host: to, port, localAddress: from });
  socket.once('connect', note).once('error', (error) => isRefusal(error) && note());
  return () => socket.destroy();
}

function sendDatagrams({ from, to, port }: Probe, note: () => void): () => void {
  const socket = createSocket('udp4');
  socket.once('message', note).on('error', (error) => isRefusal(error) && note());
  socket.bind(0, from, () => socket.connect(port, to, () => socket.send(question)));
  const again = setInterval(() => socket.send(question), patienceMs / 4);
  return () => {
    clearInterval(again);
    socket.close();
  };
}

function isRefusal(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNREFUSED';
}
