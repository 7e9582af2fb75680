import { readFile } from 'node:fs/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { uniqueName } from './test-client.ts';

/** One request as the API server answered it. */
export interface AuditedRequest {
  /** `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`. */
  readonly verb: string;
  readonly user: string;
  /** `deployments`, or `meshoperators/status` for a subresource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly code: number;
  /** True when the API server was asked not to store it. */
  readonly isDryRun: boolean;
}

const writes = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** True for a request that changes something. */
export function isWrite({ verb }: AuditedRequest): boolean {
  return writes.includes(verb);
}

/** `verb resource`, for comparisons that a person reads. */
export function requestText({ verb, resource, name }: AuditedRequest): string {
  return name === undefined ? `${verb} ${resource}` : `${verb} ${resource} ${name}`;
}

/** What the API server of a cluster was asked from now on. */
export class AuditLog {
  readonly #cluster: Cluster;
  #from = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Forgets all requests up to now. */
  async restart(): Promise<void> {
    await this.#read();
    this.#from = (await this.#lines()).length;
  }

  /** Every request of this user since `restart`, each once, in the order of their answers; a watch when it began. */
  async requestsOf(user: string): Promise<AuditedRequest[]> {
    return (await this.#read()).filter((request) => request.user === user);
  }

  /** Waits for a request of its own to appear, so that nothing answered before is missing. */
  async #read(): Promise<AuditedRequest[]> {
    const fence = uniqueName('fence');
    await this.#cluster.kubectl('get', 'namespace', fence, '--ignore-not-found');
    return waitUntil({ what: 'the audit log is up to date' }, async () => {
      const lines = await this.#lines();
      if (!lines.some((line) => line.includes(fence))) return undefined;
      return lines.slice(this.#from).flatMap(parseEntry);
    });
  }

  async #lines(): Promise<string[]> {
    const text = await readFile(this.#cluster.auditLogPath ?? '', 'utf8');
    return text.slice(0, text.lastIndexOf('\n')).split('\n');
  }
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly requestURI: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

function parseEntry(line: string): AuditedRequest[] {
  const { stage, verb, user, requestURI, objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
  // A watch is answered twice, when it begins and when it ends.
  if (stage !== (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete')) return [];
  const { resource = '', subresource, namespace, name } = objectRef ?? {};
  return [
    {
      verb,
      user: user.username,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      namespace,
      name,
      code: responseStatus?.code ?? 0,
      isDryRun: requestURI.includes('dryRun=All'),
    },
  ];
}
