import { open } from 'node:fs/promises';

/** How often one client asked the API server for what; watches and Leases, which cost the same at any size, left out. */
export interface RequestCounts {
  /** GET of one object. */
  readonly gets: number;
  /** GET of the API server's version: once in ten minutes, however many meshes there are. */
  readonly versionReads: number;
  /** Commands run in pods. */
  readonly execs: number;
  /** Lists: what a cache is filled with. */
  readonly lists: number;
  /** Writes of owned objects. */
  readonly objectWrites: number;
  /** Writes of Istio's CRDs, once a cluster. */
  readonly crdWrites: number;
  /** Writes of MeshOperators: status and finalizer. */
  readonly meshWrites: number;
  readonly eventWrites: number;
  /** Answers of 400 and above, in whichever column the request was counted. */
  readonly refused: number;
}

/** One line of the audit log. */
export interface AuditEntry {
  /** What takes long is written twice: `ResponseStarted`, and as all others `ResponseComplete`. */
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  /** The program that asks; ours does not say. */
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  /** RFC 3339 with microseconds. */
  readonly requestReceivedTimestamp: string;
}

const noRequests: RequestCounts = {
  gets: 0,
  versionReads: 0,
  execs: 0,
  lists: 0,
  objectWrites: 0,
  crdWrites: 0,
  meshWrites: 0,
  eventWrites: 0,
  refused: 0,
};

/** Counts what one user asked, from the API server's audit log, piece by piece. */
export class AuditCounter {
  readonly #path: string;
  readonly #username: string;
  #offset: number;

  constructor(path: string, username: string, offset = 0) {
    this.#path = path;
    this.#username = username;
    this.#offset = offset;
  }

  /** Another one, which counts from what this one has not counted yet. */
  fork(): AuditCounter {
    return new AuditCounter(this.#path, this.#username, this.#offset);
  }

  /** What was asked since the last call. */
  async take(): Promise<RequestCounts> {
    return countsOf(await this.takeEntries());
  }

  /** The same in parts: each ends with a request that `isLast` picks, but for what came after the last of those. */
  async takeParts(isLast: (entry: AuditEntry) => boolean): Promise<RequestCounts[]> {
    const parts: AuditEntry[][] = [[]];
    // As they were asked: a command is written down only when it has ended.
    const entries = (await this.takeEntries()).sort((a, b) =>
      a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1,
    );
    for (const entry of entries) {
      parts.at(-1)?.push(entry);
      if (isLast(entry)) parts.push([]);
    }
    return parts.map(countsOf);
  }

  /** The requests since the last call, in the order of their answers. */
  async takeEntries(): Promise<AuditEntry[]> {
    return (await this.#newText())
      .split('\n')
      .filter((line) => line.includes(this.#username))
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ user, stage }) => user.username === this.#username && stage === 'ResponseComplete');
  }

  /** Whole lines since the last call; a line still being written is left for the next. */
  async #newText(): Promise<string> {
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(size - this.#offset);
      await file.read(bytes, 0, bytes.length, this.#offset);
      const end = bytes.lastIndexOf('\n') + 1;
      this.#offset += end;
      return bytes.subarray(0, end).toString('utf8');
    } finally {
      await file.close();
    }
  }
}

/** True for a request that changes something, and is counted. */
export function isCountedWrite({ verb, objectRef }: AuditEntry): boolean {
  return !['get', 'list', 'watch'].includes(verb) && objectRef?.resource !== 'leases';
}

/** Requests that change something. */
export function writesOf(counts: RequestCounts): number {
  return counts.objectWrites + counts.crdWrites + counts.meshWrites + counts.eventWrites;
}

/** Requests that ask for something, but for the version. */
export function readsOf(counts: RequestCounts): number {
  return counts.gets + counts.lists;
}

/** Requests of every sort. */
export function requestsOf(counts: RequestCounts): number {
  return readsOf(counts) + writesOf(counts) + counts.versionReads + counts.execs;
}

/** What several pieces come to. */
export function sumOf(pieces: readonly RequestCounts[]): RequestCounts {
  const total = { ...noRequests };
  for (const piece of pieces) {
    for (const name of Object.keys(noRequests) as (keyof RequestCounts)[]) total[name] += piece[name];
  }
  return total;
}

/** What entries come to. */
export function countsOf(entries: readonly AuditEntry[]): RequestCounts {
  const counts = { ...noRequests };
  for (const { verb, requestURI, objectRef, responseStatus } of entries) {
    const { resource = '', subresource } = objectRef ?? {};
    if (verb === 'watch' || resource === 'leases') continue;
    if (subresource === 'exec') counts.execs += 1;
    else if (requestURI === '/version') counts.versionReads += 1;
    else if (verb === 'get') counts.gets += 1;
    else if (verb === 'list') counts.lists += 1;
    else if (resource === 'events') counts.eventWrites += 1;
    else if (resource === 'meshoperators') counts.meshWrites += 1;
    else if (resource === 'customresourcedefinitions') counts.crdWrites += 1;
    else counts.objectWrites += 1;
    if ((responseStatus?.code ?? 0) >= 400) counts.refused += 1;
  }
  return counts;
}
