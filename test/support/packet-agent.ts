/**
 * Sends and receives packets in the network namespace that it is started in: see packetNetwork. Requests come as lines of
 * JSON on standard input, and end with it; what it saw goes to standard output.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** One packet to send from here. */
export interface Probe {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

export type AgentRequest =
  | { readonly listen: readonly number[] }
  /** Opens a connection that is there before any policy. */
  | { readonly link: string }
  | { readonly send: readonly Probe[] };

export type AgentReport =
  | { readonly arrived: number }
  /** Answers every request. After `send`, what has not been reported as arrived will not arrive. */
  | { readonly done: true };

const linkPort = 1;
const links: Socket[] = [];

if (process.argv[1] === import.meta.filename) {
  createInterface({ input: process.stdin })
    .on('line', (line) => void answer(JSON.parse(line) as AgentRequest))
    .on('close', () => process.exit());
}

async function answer(request: AgentRequest): Promise<void> {
  if ('listen' in request) await listen(request.listen);
  else if ('link' in request) await openLink(request.link);
  else await send(request.send);
  report({ done: true });
}

async function listen(ports: readonly number[]): Promise<void> {
  // Echoes: what comes back says that everything sent before it has arrived as well.
  const echo = createServer((socket) =>
    socket.on('error', () => {}).on('data', (data) => afterReads(() => socket.write(data))),
  );
  await new Promise<void>((resolve) => echo.listen(linkPort, '0.0.0.0', resolve));
  for (const port of ports) {
    const datagrams = createSocket('udp4', (message) => report({ arrived: Number(message.toString()) }));
    await new Promise<void>((resolve) => datagrams.bind(port, '0.0.0.0', resolve));
    const connections = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => connections.listen(port, '0.0.0.0', resolve));
  }
}

async function openLink(address: string): Promise<void> {
  const link = connect({ host: address, port: linkPort, noDelay: true });
  await new Promise((resolve, reject) => link.once('connect', resolve).once('error', reject));
  links.push(link);
}

/** What is on its way when the echo of every link comes back, is dropped: it took the same way, and earlier. */
async function send(probes: readonly Probe[]): Promise<void> {
  const sockets = await Promise.all(probes.map(begin));
  await Promise.all(
    links.map((link) => new Promise((resolve) => link.once('data', resolve) && link.write('?'))),
  );
  await new Promise<void>(afterReads);
  for (const socket of sockets) 'destroy' in socket ? socket.destroy() : socket.close();
}

async function begin({ id, from, to, port, protocol }: Probe): Promise<DatagramSocket | Socket> {
  if (protocol === 'TCP') {
    const socket = connect({ host: to, port, localAddress: from });
    return socket.on('error', () => {}).on('connect', () => report({ arrived: id }));
  }
  const socket = createSocket('udp4').on('error', () => {});
  await new Promise<void>((resolve) => socket.bind(0, from, resolve));
  await new Promise<void>((resolve) => socket.send(String(id), port, to, () => resolve()));
  return socket;
}

/** After whatever can be read now has been read. */
function afterReads(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

function report(line: AgentReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
