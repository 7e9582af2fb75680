import { join } from 'node:path';
import { type ApiEndpoint, apiGet } from './api-request.ts';
import type { NodeKind } from './cluster-plan.ts';
import { controlGroupName, joinControlGroupScript } from './control-group.ts';
import { apiServerUrl, auditLogFile, kubeconfigFile } from './control-plane.ts';
import type { ImageArchive } from './images/image-cache.ts';
import { enterNamespaces } from './namespaces.ts';
import { ctr } from './real-node.ts';
import { type ClusterState, isRunning, readState, runFolder, writeState } from './run-folder.ts';
import { isServerReady } from './server-readiness.ts';
import {
  endServer,
  findServer,
  logTail,
  type SupervisedProcess,
  setHeld,
  supervise,
} from './supervised-process.ts';
import { tearDown } from './tear-down.ts';
import { type RunOptions, run } from './toolchain/run-command.ts';
import { ensureTool } from './toolchain/tools.ts';
import { waitUntil } from './wait-until.ts';

/** A cluster on this machine. Every process that knows its name can have one of these. */
export class Cluster {
  #state: ClusterState;

  constructor(state: ClusterState) {
    this.#state = state;
  }

  get name(): string {
    return this.#state.name;
  }

  get nodes(): NodeKind {
    return this.#state.nodes;
  }

  /** Folder of everything the cluster writes: `logs/<server>.log`, `pki/`, `kubeconfig`. */
  get rundir(): string {
    return runFolder(this.name);
  }

  /** Kubeconfig of the cluster's admin. */
  get kubeconfigPath(): string {
    return kubeconfigFile(this.rundir, 'admin');
  }

  /** The API server's audit log, level Metadata, one JSON object a line; undefined when it was not asked for. */
  get auditLogPath(): string | undefined {
    return this.#state.audit ? auditLogFile(this.rundir) : undefined;
  }

  get apiServerUrl(): string {
    return apiServerUrl(this.#state.plan);
  }

  /** The address at which processes and pods of the cluster reach this machine, for example its webhooks. */
  get hostAddress(): string {
    return this.#state.plan.hostAddress;
  }

  /** The real node's address, where NodePorts answer; with other kinds nothing listens there. */
  get nodeAddress(): string {
    return this.#state.plan.nodeAddress;
  }

  get podCidr(): string {
    return this.#state.plan.podCidr;
  }

  get serviceCidr(): string {
    return this.#state.plan.serviceCidr;
  }

  /** Addresses for Services of type LoadBalancer; the host routes them to the node. */
  get loadBalancerCidr(): string {
    return this.#state.plan.loadBalancerCidr;
  }

  /** What is written about the cluster. */
  get state(): ClusterState {
    return this.#state;
  }

  /** True when it has been started completely and its processes live. */
  isUsable(): boolean {
    return this.#state.ready && isRunning(this.#state);
  }

  /** Runs kubectl as the cluster's admin and returns its standard output. */
  async kubectl(...args: readonly string[]): Promise<string> {
    return run(await ensureTool('kubectl'), ['--kubeconfig', this.kubeconfigPath, ...args]);
  }

  /** Server-side applies a manifest (YAML or JSON, any number of documents); another field manager leaves what others said. */
  async apply(manifest: string, fieldManager = 'kubectl'): Promise<void> {
    const flags = ['--server-side', '--force-conflicts', '--field-manager', fieldManager];
    await run(
      await ensureTool('kubectl'),
      ['--kubeconfig', this.kubeconfigPath, 'apply', ...flags, '-f', '-'],
      { input: manifest },
    );
  }

  /** Ends a server with SIGTERM and returns when it is back and ready. */
  async restart(server: string): Promise<void> {
    await this.#endAndAwait(server, 'SIGTERM');
  }

  /** Ends a server with SIGKILL and returns when it is back and ready. */
  async kill(server: string): Promise<void> {
    await this.#endAndAwait(server, 'SIGKILL');
  }

  /** Ends a server with SIGKILL and keeps it down until startServer. */
  async stopServer(server: string): Promise<void> {
    const { shell, program } = this.#supervisor(server);
    await setHeld(this.rundir, server, true);
    await endServer(shell, program, 'SIGKILL');
  }

  /** Lets a server that stopServer ended run again and returns when it is ready. */
  async startServer(server: string): Promise<void> {
    await setHeld(this.rundir, server, false);
    await this.awaitServer(server);
  }

  /** Pid of a server as seen from this machine; undefined while it does not run. */
  serverPid(server: string): number | undefined {
    const { shell, program } = this.#supervisor(server);
    return findServer(shell, program);
  }

  /**
   * Imports an image so that pods can use it under the names written in its archive (OCI or docker).
   * An ImageArchive whose digest the node has is not imported again. Real node only.
   */
  async importImage(image: string | ImageArchive): Promise<void> {
    if (typeof image !== 'string' && (await this.#hasImage(image))) return;
    await this.execInNode([...ctr, 'images', 'import', typeof image === 'string' ? image : image.archive]);
  }

  /** Runs a command in the node's network, mount and pid namespaces and returns its standard output. Real node only. */
  async execInNode(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const [file = 'nsenter', ...args] = [...this.#enter(), ...command];
    return run(file, args, options);
  }

  /** Ends everything and removes all of it from this machine, including this cluster's files. */
  async stop(): Promise<void> {
    const latest = await readState(this.name);
    await tearDown(latest?.id === this.#state.id ? latest : this.#state);
  }

  /** Starts a server and records it. For the code that starts clusters. */
  async launch(process: SupervisedProcess): Promise<void> {
    const shell = await supervise(process, {
      rundir: this.rundir,
      prefix: await this.#serverPrefix(),
      diesWithParent: this.#state.diesWithParent && this.#state.holder === undefined,
    });
    await this.record({
      supervisors: { ...this.#state.supervisors, [process.name]: { shell, program: process.program } },
    });
  }

  /** Changes what is written about the cluster. For the code that starts clusters. */
  async record(change: Partial<ClusterState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    await writeState(this.#state);
  }

  /** Returns when a server runs and, where it can be asked, says that it is ready. */
  async awaitServer(server: string): Promise<void> {
    const explain = () => logTail(this.rundir, server);
    await waitUntil({ what: `${server} of cluster ${this.name} is ready`, explain }, async () => {
      return this.serverPid(server) !== undefined && (await isServerReady(this, server));
    });
  }

  /** One GET to the API server as its admin, parsed; throws unless the answer is 200. */
  async get(path: string): Promise<unknown> {
    const answer = await apiGet(this.#endpoint(), path);
    if (answer.status !== 200) throw new Error(`GET ${path} of cluster ${this.name}: HTTP ${answer.status}`);
    return JSON.parse(answer.body);
  }

  /** True when the API server answers a GET of its admin with 200; throws when it does not answer. */
  async answersOk(path: string): Promise<boolean> {
    return (await apiGet(this.#endpoint(), path)).status === 200;
  }

  async #endAndAwait(server: string, signalName: NodeJS.Signals): Promise<void> {
    const { shell, program } = this.#supervisor(server);
    await endServer(shell, program, signalName);
    await this.awaitServer(server);
  }

  async #hasImage({ reference, digest }: ImageArchive): Promise<boolean> {
    const list = await this.execInNode([...ctr, 'images', 'ls', `name==${reference}`]);
    return list.includes(digest);
  }

  #supervisor(server: string) {
    const found = this.#state.supervisors[server];
    if (found === undefined) {
      const known = Object.keys(this.#state.supervisors).join(', ');
      throw new Error(`cluster ${this.name} (${this.nodes}) has no server ${server}; it has ${known}`);
    }
    return found;
  }

  #endpoint(): ApiEndpoint {
    return { url: this.apiServerUrl, pkiFolder: join(this.rundir, 'pki') };
  }

  #enter(): string[] {
    const { holder } = this.#state;
    if (holder === undefined) {
      throw new Error(`cluster ${this.name} has no real node (its nodes are "${this.nodes}", not "kubelet")`);
    }
    return enterNamespaces(holder);
  }

  async #serverPrefix(): Promise<string[]> {
    if (this.#state.holder === undefined) return [];
    const join = await joinControlGroupScript(controlGroupName(this.name));
    return [...this.#enter(), 'sh', '-c', `${join}\nexec "$@"`, 'server'];
  }
}
