import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a TCP server that can be shut; it is open at first. Ends with `stop`. */
export class TcpGate {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: Socket[] = [];
  #isOpen = true;
  #knock = Promise.withResolvers<void>();

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#receive(socket));
  }

  /** Listens at a free port of 127.0.0.1, and leads to the server of a URL. */
  static async start(target: URL): Promise<TcpGate> {
    const server = createServer();
    const gate = new TcpGate(server, target);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return gate;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** Whoever comes from now on is let in and waits. Returns a promise that resolves when somebody does. */
  shut(): Promise<void> {
    this.#isOpen = false;
    this.#knock = Promise.withResolvers<void>();
    return this.#knock.promise;
  }

  /** Lets all on who wait, and whoever comes. */
  open(): void {
    this.#isOpen = true;
    for (const socket of this.#waiting.splice(0)) this.#lead(socket);
  }

  /** Cuts all connections there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #receive(socket: Socket): void {
    this.#keep(socket);
    if (this.#isOpen) {
      this.#lead(socket);
      return;
    }
    this.#waiting.push(socket);
    this.#knock.resolve();
  }

  #lead(socket: Socket): void {
    const onward = connect(Number(this.#target.port), this.#target.hostname);
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Both ends learn of it by the end of the connection.
    socket.on('error', () => {});
  }
}
