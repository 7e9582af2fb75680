import { open } from 'node:fs/promises';

/** How often one client asked the API server for what; watches and Leases, which cost the same at any size, left out. */
export interface RequestCounts {
  /** GET of one object. */
  readonly gets: number;
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

interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string };
  readonly responseStatus?: { readonly code?: number };
}

const noRequests: RequestCounts = {
  gets: 0,
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
  #offset = 0;

  constructor(path: string, username: string) {
    this.#path = path;
    this.#username = username;
  }

  /** What was asked since the last call. */
  async take(): Promise<RequestCounts> {
    const counts = { ...noRequests };
    for (const line of (await this.#newText()).split('\n')) {
      if (!line.includes(this.#username)) continue;
      count(counts, JSON.parse(line) as AuditEntry, this.#username);
    }
    return counts;
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

/** Requests that change something. */
export function writesOf(counts: RequestCounts): number {
  return counts.objectWrites + counts.crdWrites + counts.meshWrites + counts.eventWrites;
}

/** Requests that ask for something. */
export function readsOf(counts: RequestCounts): number {
  return counts.gets + counts.lists;
}

function count(
  counts: { -readonly [K in keyof RequestCounts]: number },
  entry: AuditEntry,
  username: string,
): void {
  const resource = entry.objectRef?.resource ?? '';
  if (entry.user.username !== username || entry.verb === 'watch' || resource === 'leases') return;
  if (entry.verb === 'get') counts.gets += 1;
  else if (entry.verb === 'list') counts.lists += 1;
  else if (resource === 'events') counts.eventWrites += 1;
  else if (resource === 'meshoperators') counts.meshWrites += 1;
  else if (resource === 'customresourcedefinitions') counts.crdWrites += 1;
  else counts.objectWrites += 1;
  if ((entry.responseStatus?.code ?? 0) >= 400) counts.refused += 1;
}
