import type { Readable } from 'node:stream';
import { type Dispatcher, request as httpRequest } from 'undici';
import { type KindInfo, kindInfo } from '../api/kinds.ts';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../api/kubernetes-object.ts';
import type { PolicyRule } from '../api/policy-rule.ts';
import type { Right } from '../api/right.ts';
import type { UserInfo } from '../api/user-info.ts';
import type { Clock } from '../base/clock.ts';
import { NotFoundError, TransientError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import type { ApiConnection } from './api-connection.ts';
import { errorOfAnswer, errorOfTimeout, errorOfTransport, parseRetryAfterMs } from './errors.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import { resourcePath } from './resource-path.ts';
import { linesOf, parseWatchLine, type WatchEvent } from './watch-stream.ts';

/** What happened to one request; for metrics. */
export interface RequestReport {
  /** `get`, `list`, `watch`, `apply`, `create`, `patch` or `delete`. */
  readonly verb: string;
  readonly kind: string;
  /** HTTP status code, or `error` when there was no answer. */
  readonly code: string;
  readonly durationMs: number;
}

export interface KubeClientDeps {
  readonly connection: ApiConnection;
  readonly clock: Clock;
  /** Requests under way at once, watches not counted; default 32. */
  readonly maxInFlight?: number;
  /** Bound of one request, waiting for a place excluded; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Called after each request, and for a watch when it has started. */
  readonly onRequest?: (report: RequestReport) => void;
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Items a page. */
  readonly limit?: number | undefined;
  readonly resourceVersion?: string | undefined;
  /** `continueToken` of the page before. */
  readonly continueToken?: string | undefined;
  /** Nothing but the metadata of each object; default false. */
  readonly metadataOnly?: boolean | undefined;
}

export interface ListPage {
  readonly items: KubernetesObject[];
  readonly resourceVersion: string;
  /** Present when there are more pages. */
  readonly continueToken: string | undefined;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** The server ends the watch after this many seconds. */
  readonly timeoutSeconds?: number | undefined;
  /** The watch fails when nothing, not even a bookmark, came for this long; default 100 s (the server's bookmarks come every 60 s). */
  readonly idleTimeoutMs?: number | undefined;
  /** As for a list. */
  readonly metadataOnly?: boolean | undefined;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Take fields from other managers instead of failing with FieldConflictError; default false. */
  readonly force?: boolean;
  readonly subresource?: string;
  readonly dryRun?: boolean;
}

export interface CreateOptions {
  readonly fieldManager: string;
  /** Let the API server, its webhooks included, answer as if it were created; default false. */
  readonly dryRun?: boolean;
}

/** One JSON patch operation (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** The body of a patch, with its type. A merge patch with `metadata.resourceVersion` is an optimistic lock. */
export type PatchBody =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly merge: Readonly<Record<string, unknown>> };

export interface PatchOptions {
  readonly fieldManager: string;
  readonly subresource?: string;
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  /** Refused with ConflictError when the object is another one (uid) or has changed (resourceVersion). */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Default Background. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

export interface TokenOptions {
  /** At least 600 (Kubernetes, TokenRequest). */
  readonly expirationSeconds: number;
  /** The token ends with this object; absent: with the ServiceAccount alone. */
  readonly boundTo?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
  };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface ServerFacts {
  /** `v1.35.1` */
  readonly version: string;
  /** To the second (HTTP `Date`); absent when it does not say. */
  readonly time?: Date;
}

export interface PodLogOptions {
  readonly container: string;
  /** At most so many lines, the last ones. */
  readonly tailLines: number;
  /** Of the container before the last restart; default false. */
  readonly previous?: boolean;
}

const defaultMaxInFlight = 32;
const defaultRequestTimeoutMs = 30_000;
const defaultIdleTimeoutMs = 100_000;

/**
 * The only way to an API server. Knows paths from the table of kinds, so it never asks for discovery.
 * Every method throws the classes of `base/errors.ts` and `kube/errors.ts`, or the signal's reason when aborted.
 */
export class KubeClient {
  readonly #deps: KubeClientDeps;
  readonly #limit: InFlightLimit;
  readonly #timeoutMs: number;

  constructor(deps: KubeClientDeps) {
    this.#deps = deps;
    this.#limit = new InFlightLimit(deps.maxInFlight ?? defaultMaxInFlight);
    this.#timeoutMs = deps.requestTimeoutMs ?? defaultRequestTimeoutMs;
  }

  /** Throws NotFoundError when there is no such object. */
  async get(id: ObjectId, signal: AbortSignal): Promise<KubernetesObject> {
    const path = this.#pathOf(id);
    return this.#object(
      { verb: 'get', method: 'GET', kind: id.kind, action: `read ${idText(id)}`, path },
      signal,
    );
  }

  /** Like `get`, but undefined when there is no such object. */
  async find(id: ObjectId, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    try {
      return await this.get(id, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** One page; items carry `apiVersion` and `kind`, which the API server leaves out of lists. */
  async list(kind: KindInfo, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    const path = withQuery(resourcePath(kind, { namespace: options.namespace }), {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: options.limit?.toString(),
      continue: options.continueToken,
      resourceVersion: options.resourceVersion,
    });
    const accept = options.metadataOnly === true ? metadataOf('PartialObjectMetadataList') : undefined;
    const list = await this.#json(
      { verb: 'list', method: 'GET', kind: kind.kind, action: `list ${kind.plural}`, path, accept },
      signal,
    );
    const metadata = isRecord(list.metadata) ? list.metadata : {};
    const items = Array.isArray(list.items) ? (list.items as KubernetesObject[]) : [];
    return {
      items: items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind })),
      resourceVersion: String(metadata.resourceVersion ?? ''),
      continueToken:
        typeof metadata.continue === 'string' && metadata.continue !== '' ? metadata.continue : undefined,
    };
  }

  /**
   * Events after `resourceVersion`, with bookmarks. Ends when the server ends it; throws GoneError when that
   * version is no longer kept, TransientError when the connection breaks or stays silent for `idleTimeoutMs`.
   */
  async *watch(kind: KindInfo, options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const action = `watch ${kind.plural}`;
    const path = withQuery(resourcePath(kind, { namespace: options.namespace }), {
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds?.toString(),
    });
    const idle = new Deadline(this.#deps.clock, options.idleTimeoutMs ?? defaultIdleTimeoutMs, signal);
    try {
      const accept = options.metadataOnly === true ? metadataOf('PartialObjectMetadata') : undefined;
      const answer = await this.#send(
        { verb: 'watch', method: 'GET', kind: kind.kind, action, path, accept },
        idle,
      );
      for await (const line of linesOf(idle.watching(answer.body))) yield parseWatchLine(action, line);
    } catch (error) {
      throw this.#explain(error, action, idle, signal);
    } finally {
      idle.end();
    }
  }

  /** Server-side apply; creates the object when it does not exist. Unknown fields are refused. */
  async apply(
    object: KubernetesObject,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const id = idOf(object);
    const path = withQuery(this.#pathOf(id, options.subresource), {
      fieldManager: options.fieldManager,
      force: options.force === true ? 'true' : undefined,
      dryRun: options.dryRun === true ? 'All' : undefined,
      fieldValidation: 'Strict',
    });
    const what = options.subresource === undefined ? 'apply' : `apply ${options.subresource} of`;
    return this.#object(
      {
        verb: 'apply',
        method: 'PATCH',
        kind: id.kind,
        action: `${what} ${idText(id)}`,
        path,
        body: JSON.stringify(object),
        contentType: 'application/apply-patch+yaml',
      },
      signal,
    );
  }

  /** Throws ConflictError with reason AlreadyExists when there is one of that name. */
  async create(
    object: KubernetesObject,
    options: CreateOptions,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const id = idOf(object);
    const path = withQuery(resourcePath(kindInfo(id.apiVersion, id.kind), { namespace: id.namespace }), {
      fieldManager: options.fieldManager,
      dryRun: options.dryRun === true ? 'All' : undefined,
      fieldValidation: 'Strict',
    });
    return this.#object(
      {
        verb: 'create',
        method: 'POST',
        kind: id.kind,
        action: `create ${idText(id)}`,
        path,
        body: JSON.stringify(object),
        contentType: 'application/json',
      },
      signal,
    );
  }

  async patch(
    id: ObjectId,
    body: PatchBody,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const path = withQuery(this.#pathOf(id, options.subresource), {
      fieldManager: options.fieldManager,
      dryRun: options.dryRun === true ? 'All' : undefined,
    });
    const what = options.subresource === undefined ? 'patch' : `patch ${options.subresource} of`;
    return this.#object(
      {
        verb: 'patch',
        method: 'PATCH',
        kind: id.kind,
        action: `${what} ${idText(id)}`,
        path,
        body: JSON.stringify(body.type === 'json' ? body.operations : body.merge),
        contentType: body.type === 'json' ? 'application/json-patch+json' : 'application/merge-patch+json',
      },
      signal,
    );
  }

  /**
   * Asks for a pod to be removed within its disruption budgets (policy/v1 Eviction). Throws TransientError with reason
   * `TooManyRequests` while a budget does not allow it, and NotFoundError when the pod is gone or another one.
   */
  async evict(id: ObjectId, uid: string, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: id.name, namespace: id.namespace },
      deleteOptions: { preconditions: { uid } },
    });
    await this.#json(
      {
        verb: 'create',
        method: 'POST',
        kind: id.kind,
        action: `evict ${idText(id)}`,
        path: this.#pathOf(id, 'eviction'),
        body,
        contentType: 'application/json',
      },
      signal,
    );
  }

  /** Returns when the object is deleted, marked for deletion, or was not there. */
  async delete(id: ObjectId, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation ?? 'Background',
      ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    });
    try {
      await this.#json(
        {
          verb: 'delete',
          method: 'DELETE',
          kind: id.kind,
          action: `delete ${idText(id)}`,
          path: this.#pathOf(id),
          body,
          contentType: 'application/json',
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** Whether the API server would let a user do something (authorization.k8s.io/v1 SubjectAccessReview). */
  async isAllowed(user: UserInfo, right: Right, signal: AbortSignal): Promise<boolean> {
    const { apiVersion, kind } = accessReviewKind;
    const { username, ...others } = user;
    const spec = { user: username, ...others, resourceAttributes: right };
    const { status } = await this.#json(
      {
        verb: 'create',
        method: 'POST',
        kind,
        action: `ask what user ${username} may do`,
        path: resourcePath(accessReviewKind, {}),
        body: JSON.stringify({ apiVersion, kind, spec }),
        contentType: 'application/json',
      },
      signal,
    );
    return isRecord(status) && status.allowed === true;
  }

  /** The minor version of the API server: 35 for Kubernetes 1.35. Providers may write it as `35+`. */
  async serverMinor(signal: AbortSignal): Promise<number> {
    const { minor } = await this.#json(versionCall, signal);
    return Number.parseInt(String(minor), 10);
  }

  /** The version of the API server as it names itself, such as `v1.35.1`. */
  async serverVersion(signal: AbortSignal): Promise<string> {
    const { gitVersion } = await this.#json(versionCall, signal);
    return String(gitVersion);
  }

  /** Whether the API server lets us do something ourselves (authorization.k8s.io/v1 SelfSubjectAccessReview). */
  async mayI(right: Right, signal: AbortSignal): Promise<boolean> {
    const status = await this.#reviewSelf(selfReviewKind, { resourceAttributes: right }, signal);
    return isRecord(status) && status.allowed === true;
  }

  /**
   * What roles let us do in the whole cluster (authorization.k8s.io/v1 SelfSubjectRulesReview). What another authorizer
   * than RBAC allows need not be among it.
   */
  async myRules(signal: AbortSignal): Promise<PolicyRule[]> {
    const status = await this.#reviewSelf(selfRulesKind, { namespace: noNamespace }, signal);
    const { resourceRules = [] } = status as { readonly resourceRules?: Partial<PolicyRule>[] };
    return resourceRules.map((rule) => ({ apiGroups: [], resources: [], verbs: [], ...rule }));
  }

  async #reviewSelf(info: KindInfo, spec: object, signal: AbortSignal): Promise<unknown> {
    const { apiVersion, kind } = info;
    const { status } = await this.#json(
      {
        verb: 'create',
        method: 'POST',
        kind,
        action: 'ask what we may do',
        path: resourcePath(info, {}),
        body: JSON.stringify({ apiVersion, kind, spec }),
        contentType: 'application/json',
      },
      signal,
    );
    return status;
  }

  /**
   * A token of a ServiceAccount that is valid for the API server while that exists, and the object that it is bound to
   * (authentication.k8s.io/v1 TokenRequest). The server may give another lifetime than was asked for.
   */
  async requestToken(account: ObjectId, options: TokenOptions, signal: AbortSignal): Promise<IssuedToken> {
    const { expirationSeconds, boundTo } = options;
    const { status } = await this.#json(
      {
        verb: 'create',
        method: 'POST',
        kind: 'TokenRequest',
        action: `request a token of ${idText(account)}`,
        path: this.#pathOf(account, 'token'),
        body: JSON.stringify({
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds, boundObjectRef: boundTo },
        }),
        contentType: 'application/json',
      },
      signal,
    );
    const { token, expirationTimestamp } = isRecord(status) ? status : {};
    if (typeof token !== 'string' || typeof expirationTimestamp !== 'string') {
      throw new TransientError(`The answer to a token request for ${idText(account)} has no token`, {
        reason: 'NoToken',
      });
    }
    return { token, expiresAt: new Date(expirationTimestamp) };
  }

  /** How the API server names its version, and what its clock shows: one question for both. */
  async serverFacts(signal: AbortSignal): Promise<ServerFacts> {
    const deadline = new Deadline(this.#deps.clock, this.#timeoutMs, signal);
    try {
      const { headers, body } = await this.#send(versionCall, deadline);
      const answer: unknown = JSON.parse(await textOf(body));
      const date = Date.parse(String(headers.date));
      return {
        version: isRecord(answer) ? String(answer.gitVersion) : '',
        ...(Number.isNaN(date) ? {} : { time: new Date(date) }),
      };
    } catch (error) {
      throw this.#explain(error, versionCall.action, deadline, signal);
    } finally {
      deadline.end();
    }
  }

  /** The last lines that a container has printed, or its predecessor in the pod. */
  async podLog(pod: ObjectId, options: PodLogOptions, signal: AbortSignal): Promise<string> {
    const path = withQuery(this.#pathOf(pod, 'log'), {
      container: options.container,
      tailLines: options.tailLines.toString(),
      previous: options.previous === true ? 'true' : undefined,
    });
    const action = `read the log of container ${options.container} of ${idText(pod)}`;
    return this.#text({ verb: 'get', method: 'GET', kind: pod.kind, action, path }, signal);
  }

  #pathOf(id: ObjectId, subresource?: string): string {
    return resourcePath(kindInfo(id.apiVersion, id.kind), {
      namespace: id.namespace,
      name: id.name,
      subresource,
    });
  }

  async #object(call: Call, signal: AbortSignal): Promise<KubernetesObject> {
    return (await this.#json(call, signal)) as unknown as KubernetesObject;
  }

  async #json(call: Call, signal: AbortSignal): Promise<Record<string, unknown>> {
    return this.#read(call, signal, (text) => JSON.parse(text) as Record<string, unknown>);
  }

  async #text(call: Call, signal: AbortSignal): Promise<string> {
    return this.#read(call, signal, (text) => text);
  }

  async #read<T>(call: Call, signal: AbortSignal, parse: (text: string) => T): Promise<T> {
    return this.#limit.run(signal, async () => {
      const deadline = new Deadline(this.#deps.clock, this.#timeoutMs, signal);
      try {
        const answer = await this.#send(call, deadline);
        return parse(await textOf(answer.body));
      } catch (error) {
        throw this.#explain(error, call.action, deadline, signal);
      } finally {
        deadline.end();
      }
    });
  }

  /** The answer of a success, its body unread; throws the class of any other answer. */
  async #send(call: Call, deadline: Deadline): Promise<Dispatcher.ResponseData> {
    const { connection, clock, onRequest } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    let code = 'error';
    try {
      const grant = await connection.grant();
      const answer = await httpRequest(connection.baseUrl + call.path, {
        method: call.method,
        dispatcher: grant.dispatcher,
        signal: deadline.signal,
        // Our own deadlines bound the wait; a watch may be quiet for longer than undici's default.
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: {
          accept: call.accept ?? 'application/json',
          'user-agent': 'mesh-operator',
          ...grant.headers,
          ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
        },
        ...(call.body === undefined ? {} : { body: call.body }),
      });
      code = String(answer.statusCode);
      if (answer.statusCode < 200 || answer.statusCode > 299) throw await this.#failureOf(call, answer);
      return answer;
    } finally {
      onRequest?.({ verb: call.verb, kind: call.kind, code, durationMs: clock.monotonicMs() - startedAtMs });
    }
  }

  async #failureOf(call: Call, answer: Dispatcher.ResponseData): Promise<Error> {
    if (answer.statusCode === 401) this.#deps.connection.forgetCredentials();
    const text = await textOf(answer.body);
    const header = answer.headers['retry-after'];
    const failure = errorOfAnswer(call.action, {
      code: answer.statusCode,
      status: statusOf(text),
      text: text.slice(0, 200),
      retryAfterMs: parseRetryAfterMs(Array.isArray(header) ? header[0] : header),
    });
    return new AnsweredError(failure);
  }

  /** Tells apart: aborted by the caller, too late, refused by the server, no connection. */
  #explain(error: unknown, action: string, deadline: Deadline, signal: AbortSignal): unknown {
    if (error instanceof AnsweredError) return error.failure;
    if (signal.aborted) return signal.reason;
    if (deadline.isOver) return errorOfTimeout(action, deadline.timeoutMs);
    return isExplained(error) ? error : errorOfTransport(action, error);
  }
}

interface Call {
  readonly verb: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly kind: string;
  readonly action: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Default JSON as it is stored. */
  readonly accept?: string | undefined;
}

/** What asks an API server for metadata alone (Kubernetes API concepts, "Metadata-only fetches"). */
function metadataOf(kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string {
  return `application/json;as=${kind};g=meta.k8s.io;v=v1`;
}

const selfReviewKind = kindInfo('authorization.k8s.io/v1', 'SelfSubjectAccessReview');
const selfRulesKind = kindInfo('authorization.k8s.io/v1', 'SelfSubjectRulesReview');
/** The review is of a namespace; of one that cannot be, only what is given in all of them is told. */
const noNamespace = '-';
const accessReviewKind = kindInfo('authorization.k8s.io/v1', 'SubjectAccessReview');

const versionCall: Call = {
  verb: 'get',
  method: 'GET',
  kind: 'version',
  action: 'read the version',
  path: '/version',
};

/** Carries an error that is already explained past the code that explains. */
class AnsweredError extends Error {
  readonly failure: Error;

  constructor(failure: Error) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Aborts its signal when the caller does, or when nothing moved for `timeoutMs`. */
class Deadline {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onParentAbort = () => this.#controller.abort(this.#parent.reason);
  #movedAtMs: number;
  #isOver = false;
  #cancelTimer: () => void;

  constructor(clock: Clock, timeoutMs: number, parent: AbortSignal) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#parent = parent;
    this.#movedAtMs = clock.monotonicMs();
    this.#cancelTimer = clock.setTimer(timeoutMs, () => this.#check());
    if (parent.aborted) this.#onParentAbort();
    else parent.addEventListener('abort', this.#onParentAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Passes chunks through; each one starts the wait anew. */
  async *watching(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.#movedAtMs = this.#clock.monotonicMs();
    for await (const chunk of body) {
      this.#movedAtMs = this.#clock.monotonicMs();
      yield chunk;
    }
  }

  end(): void {
    this.#cancelTimer();
    this.#parent.removeEventListener('abort', this.#onParentAbort);
  }

  /** One timer that is set again for what is left, since a busy watch moves thousands of times a second. */
  #check(): void {
    const leftMs = this.#movedAtMs + this.timeoutMs - this.#clock.monotonicMs();
    if (leftMs > 0) {
      this.#cancelTimer = this.#clock.setTimer(leftMs, () => this.#check());
      return;
    }
    this.#isOver = true;
    this.#controller.abort(new Error('deadline'));
  }
}

/** True for an error of our own classes: they carry a reason. */
function isExplained(error: unknown): boolean {
  return error instanceof Error && 'reason' in error;
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

async function textOf(body: Readable & { text(): Promise<string> }): Promise<string> {
  return body.text();
}

function statusOf(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) && parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    // Not JSON: `404 page not found`, or a page of some proxy. The caller shows its first words.
    return undefined;
  }
}
