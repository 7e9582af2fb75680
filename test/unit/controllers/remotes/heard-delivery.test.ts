import { describe, expect, test } from 'vitest';
import type { CredentialState, Delivery } from '../../../../src/controllers/remotes/credential-state.ts';
import { decideCredential } from '../../../../src/controllers/remotes/decide-credential.ts';
import { DeliveryTurns } from '../../../../src/controllers/remotes/delivery-turns.ts';
import { mayBegin } from '../../../../src/controllers/remotes/heard-delivery.ts';
import { type ReplicaAnswer, replicasFor } from '../../../../src/controllers/remotes/observe-replicas.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../../support/random.ts';

const counted: Delivery = { before: { u1: { startedAt: 'monday', secretEvents: 1 } } };
const isNew: Delivery = {};
const inFile: Delivery = { ...counted, fileSince: '2030-01-01T00:00:00Z' };

function anAnswer(secretEvents: number, knows: readonly string[], rest: Partial<ReplicaAnswer> = {}) {
  const syncStatuses = new Map(knows.map((name) => [name, 'timeout']));
  return {
    pod: 'istio-system/istiod-1',
    uid: 'u1',
    startedAt: 'monday',
    secretEvents,
    syncStatuses,
    ...rest,
  };
}

describe('a delivery beside that for cluster west', () => {
  test.each([
    { what: 'a count', next: counted, west: counted, answer: anAnswer(1, ['west']), may: false },
    { what: 'a count', next: counted, west: counted, answer: anAnswer(2, ['west']), may: true },
    { what: 'a count', next: counted, west: isNew, answer: anAnswer(1, []), may: false },
    { what: 'a count', next: counted, west: isNew, answer: anAnswer(1, ['west']), may: true },
    { what: 'a new cluster', next: isNew, west: counted, answer: anAnswer(1, ['west']), may: false },
    { what: 'a new cluster', next: isNew, west: counted, answer: anAnswer(2, ['west']), may: true },
    { what: 'a new cluster', next: isNew, west: isNew, answer: anAnswer(1, []), may: true },
    { what: 'a count', next: counted, west: inFile, answer: anAnswer(1, ['west']), may: true },
    { what: 'a file', next: inFile, west: inFile, answer: anAnswer(1, []), may: true },
    {
      ...{ what: 'a count', next: counted, west: counted, may: false },
      answer: anAnswer(2, ['west'], { problem: 'cannot be asked' }),
    },
  ])('that is told by $what: $west, $answer: $may', ({ next, west, answer, may }) => {
    expect(mayBegin(next, new Map([['west', west]]), [answer])).toBe(may);
  });

  test('waits for each replica', () => {
    const answers = [anAnswer(2, ['west']), anAnswer(1, ['west'], { uid: 'u2' })];
    const before = {
      u1: { startedAt: 'monday', secretEvents: 1 },
      u2: { startedAt: 'monday', secretEvents: 1 },
    };
    expect(mayBegin(counted, new Map([['west', { before }]]), answers)).toBe(false);
    expect(mayBegin(counted, new Map([['west', { before }]]), answers.slice(0, 1))).toBe(true);
  });
});

const spec = { credential: { type: 'Bound' as const, lifetimeMs: 24 * 3_600_000 } };
const now = new Date('2030-01-01T00:00:00Z');

/** What a replica has of a cluster: the next client is in use beside the one of before until it has read everything. */
interface Client {
  readonly token: string;
  readonly before?: string | undefined;
  readonly isSynced: boolean;
}

class Replica {
  readonly uid: string;
  startedAt = '0';
  events = 0;
  /** How many of all changes it has heard of. */
  heard = 0;
  readonly clients = new Map<string, Client>();

  constructor(uid: string) {
    this.uid = uid;
  }
}

class Remote {
  readonly name: string;
  state: CredentialState = {};
  readonly valid = new Set<string>();
  isAlive = true;
  minted = 0;
  request = 'none';

  constructor(name: string) {
    this.name = name;
  }
}

/** Some other clusters of one mesh, replicas that count changes of all their Secrets, and an operator with passes for each. */
class World {
  readonly remotes = ['west', 'north', 'south'].map((name) => new Remote(name));
  readonly replicas = ['u1', 'u2'].map((uid) => new Replica(uid));
  /** Every change of a Secret that istiod reads. */
  readonly changes: { readonly name: string; readonly token: string }[] = [];
  readonly #random: RandomNumbers;
  readonly #passes = new Map<string, Generator<undefined, void>>();
  #turns = new DeliveryTurns(() => {});
  #isWriting = false;

  constructor(random: RandomNumbers) {
    this.#random = random;
  }

  /** One of the passes goes on until it waits for somebody. */
  step(remote: Remote): void {
    const pass = this.#passes.get(remote.name) ?? this.#pass(remote);
    if (pass.next().done === true) this.#passes.delete(remote.name);
    else this.#passes.set(remote.name, pass);
  }

  /** Another operator follows. */
  kill(): void {
    this.#passes.clear();
    this.#turns = new DeliveryTurns(() => {});
    this.#isWriting = false;
  }

  /** As CredentialKeeper takes steps; it waits at each `yield`. */
  *#pass(remote: Remote): Generator<undefined, void> {
    for (;;) {
      const delivered = (['next', 'current'] as const).find(
        (slot) => remote.state[slot] !== undefined && remote.state[slot].token === this.#secretOf(remote),
      );
      const { state, request } = remote;
      const replicas = replicasFor(remote.name, this.#answers());
      const step = decideCredential(
        { state, delivered, replicas, isRefused: false, request, isStarting: false },
        spec,
        now,
      );
      yield;
      if (step.do === 'promote') {
        const { current, next, delivery: _done, ...kept } = state;
        const previous = current === undefined ? {} : { previous: current };
        remote.state = { ...kept, ...(next === undefined ? {} : { current: next }), ...previous };
      } else if (step.do === 'deliver') {
        if (step.slot === 'current') throw new Error('nobody has changed what istiod reads');
        if (!(yield* this.#deliver(remote))) return;
      } else if (!remote.isAlive) return;
      else if (step.do === 'mint') yield* this.#mint(remote);
      else if (step.do === 'revoke') {
        remote.valid.delete(state.previous?.token ?? '');
        yield;
        const { previous: _gone, ...kept } = state;
        remote.state = kept;
      } else return;
    }
  }

  *#mint(remote: Remote): Generator<undefined, void> {
    remote.minted += 1;
    const token = `${remote.name}-${remote.minted}`;
    const { request } = remote;
    remote.valid.add(token);
    yield;
    remote.state = { ...remote.state, next: { holder: token, token, issuedAt: now.toISOString() }, request };
  }

  *#deliver(remote: Remote): Generator<undefined, boolean> {
    if (!remote.isAlive) return false;
    const isNew = remote.state.current === undefined && this.#secretOf(remote) === undefined;
    const endTurn = this.#turns.take({ mesh: { namespace: '', name: '' }, clusterName: remote.name }, !isNew);
    if (endTurn === undefined) return false;
    this.#isWriting = true;
    const others = this.remotes.flatMap((other) => {
      const { delivery, next } = other.state;
      const isThere = other !== remote && delivery !== undefined && this.#secretOf(other) === next?.token;
      return isThere ? [[other.name, delivery] as const] : [];
    });
    const answers = this.#answers();
    yield;
    const before = Object.fromEntries(
      answers.map(({ uid, startedAt = '', secretEvents }) => [uid, { startedAt, secretEvents }]),
    );
    const delivery = isNew ? {} : { before };
    if (!mayBegin(delivery, new Map(others), answers)) {
      this.#isWriting = false;
      endTurn();
      return false;
    }
    remote.state = { ...remote.state, delivery };
    yield;
    this.changes.push({ name: remote.name, token: remote.state.next?.token ?? '' });
    this.#isWriting = false;
    endTurn();
    return true;
  }

  #secretOf({ name }: Remote): string | undefined {
    return this.changes.findLast((change) => change.name === name)?.token;
  }

  #answers(): ReplicaAnswer[] {
    return this.replicas.map(({ uid, startedAt, events, clients }) => ({
      ...{ pod: uid, uid, startedAt, secretEvents: events },
      syncStatuses: new Map(
        [...clients].map(([name, { isSynced }]) => [name, isSynced ? 'synced' : 'syncing']),
      ),
    }));
  }

  hear(replica: Replica): void {
    const change = this.changes[replica.heard];
    if (change === undefined) return;
    replica.heard += 1;
    replica.events += 1;
    const old = replica.clients.get(change.name);
    const before = old?.isSynced === true ? old.token : old?.before;
    replica.clients.set(change.name, { token: change.token, before, isSynced: false });
  }

  /** It reads the clusters that answer. */
  read(replica: Replica): void {
    for (const remote of this.remotes) {
      const client = replica.clients.get(remote.name);
      if (client === undefined || !remote.isAlive || !remote.valid.has(client.token)) continue;
      replica.clients.set(remote.name, { token: client.token, isSynced: true });
    }
  }

  /** Takes longer than the writes of a delivery. */
  restart(replica: Replica): void {
    if (this.#isWriting) return;
    replica.clients.clear();
    for (const { name, token } of this.changes) replica.clients.set(name, { token, isSynced: false });
    Object.assign(replica, {
      ...{ startedAt: String(this.#random()), events: replica.clients.size, heard: this.changes.length },
    });
  }

  /** Tokens that replicas use and clusters do not accept. */
  refused(): string[] {
    return this.replicas.flatMap(({ clients }) =>
      this.remotes.flatMap(({ name, valid }) => {
        const client = clients.get(name);
        const uses = client?.isSynced === true ? client.token : client?.before;
        return uses === undefined || valid.has(uses) ? [] : [uses];
      }),
    );
  }
}

describe('credentials of several clusters of one mesh, whatever happens in whatever order,', () => {
  test('are never taken back while a replica uses them, and a cluster that does not answer holds up no other', () => {
    let rotations = 0;
    let heldBack = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = randomNumbers(seed);
      const world = new World(random);
      for (let count = 0; count < 400; count += 1) {
        const remote = pick(random, world.remotes);
        const replica = pick(random, world.replicas);
        const event = random();
        if (event < 0.6) world.step(remote);
        else if (event < 0.78) world.hear(replica);
        else if (event < 0.92) world.read(replica);
        else if (event < 0.96) remote.request = String(count);
        else if (event < 0.97) world.restart(replica);
        else if (event < 0.98) world.kill();
        else remote.isAlive = !remote.isAlive;
        const refused = world.refused();
        if (refused.length > 0)
          throw new Error(`seed ${seed}: a replica uses ${refused}, which is not valid`);
      }
      const dead = pick(random, world.remotes);
      if (dead.state.delivery !== undefined) heldBack += 1;
      for (const remote of world.remotes)
        Object.assign(remote, { isAlive: remote !== dead, request: 'last' });
      for (let count = 0; count < 80; count += 1) {
        for (const remote of world.remotes) world.step(remote);
        for (const replica of world.replicas) {
          world.hear(replica);
          world.read(replica);
        }
      }
      for (const { name, state, valid } of world.remotes) {
        if (name === dead.name) continue;
        expect(state, `seed ${seed}, ${name}`).toEqual({ current: state.current, request: 'last' });
        expect(valid.has(state.current?.token ?? ''), `seed ${seed}, ${name}`).toBe(true);
      }
      rotations += world.remotes.reduce((sum, { minted }) => sum + minted, 0);
    }
    expect(rotations).toBeGreaterThan(100 * 5);
    expect(heldBack).toBeGreaterThan(5);
  });
});
