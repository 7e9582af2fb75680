import { randomBytes } from 'node:crypto';
import { issuerText } from '../../api/issuer-text.ts';
import { kindInfo } from '../../api/kinds.ts';
import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { ownershipLabels } from '../../api/labels.ts';
import type { ResolvedIssuer } from '../../api/resolved-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf, NotFoundError, TerminalError, TransientError } from '../../base/errors.ts';
import { stableHash } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { clockSkewMs } from '../../pki/clock-skew.ts';
import { judgeIssued } from '../../pki/issued-material.ts';
import { generateKeyPair, type KeyPair, privateKeyPem } from '../../pki/key-pair.ts';
import type { NewMaterial } from '../../pki/rotation-steps.ts';
import { backOffMs, type RandomSource } from '../../runtime/back-off.ts';
import { certificateRequest, readAnswer } from './certificate-request.ts';
import { objectManager } from './field-managers.ts';

export interface CertificateOrdersDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** An intermediate to have signed. */
export interface Order {
  readonly mesh: ResolvedMesh;
  readonly issuer: ResolvedIssuer;
  readonly owner: KubernetesObject;
  /** What somebody has asked for: another text is another order. */
  readonly answers?: string;
}

/** Why what was ordered is not there yet: a reason of condition `TrustHealthy`. */
export interface OrderTrouble {
  readonly reason: 'OrderWaiting' | 'OrderRefused' | 'MaterialRefused' | 'CertManagerMissing';
  /** A sentence without its full stop, which names the request and the issuer. */
  readonly message: string;
  /** When it was ordered. */
  readonly since: Date;
  readonly retryAfterMs: number;
}

/** What a look at an order has brought. */
export type OrderReading =
  | { readonly material: Required<NewMaterial>; readonly trouble?: undefined }
  | { readonly material?: undefined; readonly trouble: OrderTrouble };

type Refusal = Pick<OrderTrouble, 'reason' | 'message'>;

/** An order that is open. Its private key is in no other place. */
interface OpenOrder {
  /** What it is for: a mesh that wants something else begins anew. */
  readonly wants: string;
  readonly since: Date;
  placed?: { readonly id: ObjectId; readonly keys: KeyPair };
  /** The issuer ends then, and so must what it signs. */
  issuerEnds?: Date;
  refusals: number;
  /** By the monotonic clock. */
  refusal?: Refusal & { readonly untilMs: number };
}

const requestKind = kindInfo('cert-manager.io/v1', 'CertificateRequest');
/** A person may have to approve it. */
const waits = { leastMs: 500, mostMs: 30_000 } as const;
const backOff = { firstMs: 5_000, capMs: 10 * 60_000 } as const;

/**
 * The CertificateRequests of meshes whose intermediates an issuer signs, at most one of each mesh. Keys are kept in memory
 * until the certificate is there: a process that finds a request of another one deletes it and places its own. Nothing
 * is asked of the API server unless something is ordered.
 */
export class CertificateOrders {
  readonly #deps: CertificateOrdersDeps;
  readonly #open = new Map<string, OpenOrder>();
  /** Meshes of which this process has seen that no request of an earlier one is left. */
  readonly #tidied = new Set<string>();

  constructor(deps: CertificateOrdersDeps) {
    this.#deps = deps;
  }

  /**
   * Places the order unless it is placed, and gives what has come of it. What was issued is given again until the order is
   * closed. After a refusal nothing is asked until the time has come for another try.
   */
  async look(order: Order, signal: AbortSignal): Promise<OrderReading> {
    const open = await this.#openFor(order, signal);
    const { refusal } = open;
    if (refusal !== undefined) {
      if (this.#deps.clock.monotonicMs() < refusal.untilMs) return this.#refusedBefore(open, refusal);
      delete open.refusal;
    }
    const { placed } = open;
    const found = placed === undefined ? undefined : await this.#deps.client.find(placed.id, signal);
    return placed === undefined || found === undefined
      ? this.#place(open, order, signal)
      : this.#read(open, order, found, placed.keys, signal);
  }

  /** Takes what was issued for unusable: it is ordered again later. */
  async refuse(order: Order, problem: string, signal: AbortSignal): Promise<OrderTrouble> {
    const open = await this.#openFor(order, signal);
    return this.#refuse(open, { reason: 'MaterialRefused', message: problem }, signal);
  }

  /** Ends the order of a mesh: removes its request and forgets its key. Costs nothing when there is none. */
  async close(mesh: ObjectKey, signal: AbortSignal): Promise<void> {
    const open = this.#open.get(keyText(mesh));
    if (open === undefined) return;
    await this.#remove(open, signal);
    this.#open.delete(keyText(mesh));
  }

  /** The same for a mesh that orders at times: of the requests of an earlier process none is left, either. */
  async tidy(mesh: ObjectKey, signal: AbortSignal): Promise<void> {
    await this.close(mesh, signal);
    if (this.#tidied.has(keyText(mesh))) return;
    try {
      await this.#removeAll(mesh, signal);
    } catch (error) {
      // Without cert-manager there are none.
      if (!(error instanceof NotFoundError)) throw error;
    }
    this.#tidied.add(keyText(mesh));
  }

  async #openFor(order: Order, signal: AbortSignal): Promise<OpenOrder> {
    const { mesh, issuer, owner, answers } = order;
    const { algorithm, lifetimeMs } = mesh.authority.intermediate;
    const wants = stableHash([issuer, algorithm, lifetimeMs, owner.metadata.uid, answers]);
    const known = this.#open.get(keyText(mesh));
    if (known?.wants === wants) return known;
    await this.close(mesh, signal);
    const open: OpenOrder = { wants, since: this.#deps.clock.now(), refusals: 0 };
    this.#open.set(keyText(mesh), open);
    return open;
  }

  async #place(open: OpenOrder, order: Order, signal: AbortSignal): Promise<OrderReading> {
    const { mesh, issuer } = order;
    const { client } = this.#deps;
    const keys = await generateKeyPair(mesh.authority.intermediate.algorithm);
    const lifetimeMs = this.#lifetimeMs(open, mesh);
    const mark = randomBytes(4).toString('hex');
    const request = certificateRequest({ ...order, keys, lifetimeMs, mark });
    try {
      await this.#removeAll(mesh, signal);
      const created = await client.create(request, { fieldManager: objectManager }, signal);
      open.placed = { id: idOf(created), keys };
    } catch (error) {
      return { trouble: await this.#refuse(open, refusalOf(error, issuer), signal) };
    }
    return this.#waiting(open, order, 'is not approved yet');
  }

  async #read(
    open: OpenOrder,
    order: Order,
    request: KubernetesObject,
    keys: KeyPair,
    signal: AbortSignal,
  ): Promise<OrderReading> {
    const answer = readAnswer(request);
    if (answer.state === 'waiting') return this.#waiting(open, order, answer.says);
    const refuse = async (refusal: Refusal): Promise<OrderReading> => ({
      trouble: await this.#refuse(open, refusal, signal),
    });
    const sentence = (says: string) => this.#sentence(open, order, says);
    if (answer.state === 'refused') {
      return refuse({ reason: 'OrderRefused', message: sentence(answer.says) });
    }
    const now = this.#deps.clock.now();
    const judged = judgeIssued({ ...answer, keyPem: privateKeyPem(keys) }, now);
    switch (judged.verdict) {
      case 'usable':
        return { material: judged.material };
      case 'early':
        return this.#waiting(open, order, `is signed and valid from ${judged.validFrom.toISOString()}`);
      case 'long': {
        const { issuerEnds } = judged;
        if (open.issuerEnds !== undefined) {
          const says = `gave what outlives its issuer, which ends at ${issuerEnds.toISOString()}`;
          return refuse({ reason: 'MaterialRefused', message: sentence(says) });
        }
        open.issuerEnds = issuerEnds;
        return this.#place(open, order, signal);
      }
      case 'refused':
        return refuse({
          reason: 'MaterialRefused',
          message: sentence(`gave what cannot be used: ${judged.problem}`),
        });
    }
  }

  #waiting(open: OpenOrder, order: Order, says: string): OrderReading {
    const { since } = open;
    const ageMs = this.#deps.clock.now().getTime() - since.getTime();
    const retryAfterMs = Math.min(waits.mostMs, Math.max(waits.leastMs, ageMs / 10));
    return {
      trouble: { reason: 'OrderWaiting', message: this.#sentence(open, order, says), since, retryAfterMs },
    };
  }

  /** Removes the request, so that none piles up; the sentence has what it said. */
  async #refuse(open: OpenOrder, refusal: Refusal, signal: AbortSignal): Promise<OrderTrouble> {
    const { clock, random } = this.#deps;
    await this.#remove(open, signal);
    open.refusals += 1;
    const retryAfterMs = backOffMs(open.refusals, backOff, random);
    open.refusal = { ...refusal, untilMs: clock.monotonicMs() + retryAfterMs };
    return { ...refusal, since: open.since, retryAfterMs };
  }

  #refusedBefore(
    { since }: OpenOrder,
    { reason, message, untilMs }: NonNullable<OpenOrder['refusal']>,
  ): OrderReading {
    return { trouble: { reason, message, since, retryAfterMs: untilMs - this.#deps.clock.monotonicMs() } };
  }

  #sentence({ placed }: OpenOrder, { mesh, issuer }: Order, says: string): string {
    return `CertificateRequest ${mesh.namespace}/${placed?.id.name ?? ''} to ${issuerText(issuer)} ${says}`;
  }

  /** As the spec has it, but so that it ends before what signs it, by any clock that is not too wrong. */
  #lifetimeMs({ issuerEnds }: OpenOrder, mesh: ResolvedMesh): number {
    const { lifetimeMs } = mesh.authority.intermediate;
    if (issuerEnds === undefined) return lifetimeMs;
    const leftMs = issuerEnds.getTime() - this.#deps.clock.now().getTime() - clockSkewMs;
    return Math.max(1_000, Math.min(lifetimeMs, leftMs));
  }

  async #remove(open: OpenOrder, signal: AbortSignal): Promise<void> {
    if (open.placed === undefined) return;
    await this.#deps.client.delete(open.placed.id, {}, signal);
    delete open.placed;
  }

  async #removeAll(mesh: ObjectKey, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const labelSelector = Object.entries(ownershipLabels(mesh))
      .map(([label, value]) => `${label}=${value}`)
      .join(',');
    const { items } = await client.list(requestKind, { namespace: mesh.namespace, labelSelector }, signal);
    for (const item of items) await client.delete(idOf(item), {}, signal);
  }
}

/** Why nothing could be ordered. Throws what is no answer of the API server. */
function refusalOf(error: unknown, issuer: ResolvedIssuer): Refusal {
  if (error instanceof NotFoundError) {
    return {
      reason: 'CertManagerMissing',
      message: `${issuerText(issuer)} is to sign intermediates, and the API server has no cert-manager.io/v1: install cert-manager, or choose another provider`,
    };
  }
  if (!(error instanceof TerminalError || error instanceof TransientError)) throw error;
  return {
    reason: 'OrderRefused',
    message: `No intermediate can be ordered from ${issuerText(issuer)}: ${messageOf(error)}`,
  };
}
