import { describe, expect, test } from 'vitest';
import type {
  CredentialSlot,
  CredentialState,
} from '../../../../src/controllers/remotes/credential-state.ts';
import {
  decideCredential,
  type ObservedCredential,
} from '../../../../src/controllers/remotes/decide-credential.ts';
import type { ObservedReplica } from '../../../../src/controllers/remotes/observe-replicas.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../../support/random.ts';

const hourMs = 3_600_000;
const start = new Date('2030-01-01T00:00:00Z');
const bound = { credential: { type: 'Bound' as const, lifetimeMs: 24 * hourMs } };
const longLived = { credential: { type: 'LongLived' as const } };

function aSlot(name: string, hours = 24): CredentialSlot {
  return {
    ...{ holder: `holder-${name}`, token: `token-${name}`, issuedAt: start.toISOString() },
    expiresAt: hoursOn(hours).toISOString(),
  };
}

function hoursOn(hours: number): Date {
  return new Date(start.getTime() + hours * hourMs);
}

function observed(state: CredentialState, rest: Partial<ObservedCredential> = {}): ObservedCredential {
  return {
    ...{ state, delivered: 'current', replicas: [], isRefused: false, request: undefined },
    isStarting: false,
    ...rest,
  };
}

function aReplica(rest: Partial<ObservedReplica> = {}): ObservedReplica {
  return {
    ...{
      pod: 'istio-system/istiod-1',
      uid: 'u1',
      startedAt: 'monday',
      secretEvents: 1,
      syncStatus: 'synced',
    },
    ...rest,
  };
}

const delivery = { before: { u1: { startedAt: 'monday', secretEvents: 1 } } };
const delivering: CredentialState = { current: aSlot('a'), next: aSlot('b'), delivery };

describe('a credential', () => {
  test('is made where there is none', () => {
    expect(decideCredential(observed({}, { delivered: undefined }), bound, start)).toEqual({
      do: 'mint',
      why: 'first',
    });
  });

  test('is kept from an istiod that starts and does not have it, but not taken from one that has', () => {
    const starting = (state: CredentialState, delivered?: 'current') =>
      decideCredential(observed(state, { delivered, isStarting: true }), bound, start).do;
    expect(starting({ next: aSlot('a') })).toBe('hold');
    expect(starting({ current: aSlot('a') })).toBe('hold');
    expect(starting({ current: aSlot('a') }, 'current')).toBe('nothing');
    expect(starting({ current: aSlot('a'), next: aSlot('b') }, 'current')).toBe('deliver');
  });

  test('is used for half of its life', () => {
    const state = { current: aSlot('a') };
    expect(decideCredential(observed(state), bound, hoursOn(11.9))).toEqual({
      do: 'nothing',
      dueAt: hoursOn(12),
    });
    expect(decideCredential(observed(state), bound, hoursOn(12))).toEqual({ do: 'mint', why: 'due' });
  });

  test('is replaced sooner when the spec now wants shorter ones', () => {
    const hourly = { credential: { type: 'Bound' as const, lifetimeMs: hourMs } };
    expect(decideCredential(observed({ current: aSlot('a') }), hourly, hoursOn(0.5))).toEqual({
      do: 'mint',
      why: 'due',
    });
  });

  test('without an end stays until somebody asks', () => {
    const { expiresAt: _end, ...endless } = aSlot('a');
    const state = { current: endless, request: 'monday' };
    expect(decideCredential(observed(state, { request: 'monday' }), longLived, hoursOn(99_999))).toEqual({
      do: 'nothing',
    });
    expect(decideCredential(observed(state, { request: 'tuesday' }), longLived, start)).toEqual({
      do: 'mint',
      why: 'requested',
    });
  });

  test('with an end is replaced at once where the spec wants one without, and the other way round', () => {
    const { expiresAt: _end, ...endless } = aSlot('a');
    expect(decideCredential(observed({ current: aSlot('a') }), longLived, start)).toEqual({
      do: 'mint',
      why: 'due',
    });
    expect(decideCredential(observed({ current: endless }), bound, hoursOn(12))).toEqual({
      do: 'mint',
      why: 'due',
    });
  });

  test('that the other cluster refuses is replaced', () => {
    expect(decideCredential(observed({ current: aSlot('a') }, { isRefused: true }), bound, start)).toEqual({
      do: 'mint',
      why: 'refused',
    });
  });

  test('is put back where somebody has changed what istiod reads', () => {
    expect(
      decideCredential(observed({ current: aSlot('a') }, { delivered: undefined }), bound, start),
    ).toEqual({ do: 'deliver', slot: 'current' });
  });

  test('is delivered anew when it was not written, or was overwritten', () => {
    expect(decideCredential(observed(delivering), bound, start)).toEqual({ do: 'deliver', slot: 'next' });
  });

  test('of before is taken back only when every replica uses its successor', () => {
    const decide = (...replicas: ObservedReplica[]) =>
      decideCredential(observed(delivering, { delivered: 'next', replicas }), bound, hoursOn(12));
    expect(decide(aReplica())).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 has not heard of it'],
    });
    expect(decide(aReplica({ secretEvents: 2, syncStatus: 'syncing' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 says syncing'],
    });
    expect(
      decide(aReplica({ secretEvents: 2 }), aReplica({ uid: 'u2', problem: 'cannot be asked' })),
    ).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 cannot be asked'],
    });
    expect(decide(aReplica({ secretEvents: 2 }))).toEqual({ do: 'promote' });
  });

  test('of a cluster that is new to istiod is used as soon as that reads it, whatever it counts', () => {
    const decide = (...replicas: ObservedReplica[]) =>
      decideCredential(
        observed({ next: aSlot('a'), delivery: {} }, { delivered: 'next', replicas }),
        bound,
        start,
      );
    const { syncStatus: _none, ...stranger } = aReplica({ secretEvents: 9 });
    expect(decide(aReplica(), stranger)).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 has not heard of it'],
    });
    expect(decide(aReplica({ syncStatus: 'syncing' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 says syncing'],
    });
    expect(decide(aReplica())).toEqual({ do: 'promote' });
  });

  test('is known to be used by a replica that has started since, and by one that has started anew', () => {
    const decide = (replica: ObservedReplica) =>
      decideCredential(observed(delivering, { delivered: 'next', replicas: [replica] }), bound, hoursOn(13));
    expect(decide(aReplica({ uid: 'u9' }))).toEqual({ do: 'promote' });
    expect(decide(aReplica({ startedAt: 'tuesday' }))).toEqual({ do: 'promote' });
    expect(decide(aReplica({ startedAt: 'tuesday', syncStatus: 'timeout' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 says timeout'],
    });
  });

  test('in a file is known to be used once kubelets and client-go have surely read it, by replicas that are well', () => {
    const state: CredentialState = {
      ...{ ...delivering, isInFile: true, delivery: { before: {}, fileSince: start.toISOString() } },
    };
    const decide = (seconds: number, ...replicas: ObservedReplica[]) =>
      decideCredential(observed(state, { delivered: 'next', replicas }), bound, hoursOn(seconds / 3600));
    const until = hoursOn(240 / 3600);
    expect(decide(239, aReplica())).toEqual({ do: 'settle', until });
    expect(decide(240, aReplica({ problem: 'cannot be asked' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 cannot be asked'],
    });
    expect(decide(240, aReplica({ syncStatus: 'timeout' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 says timeout'],
    });
    expect(decide(240, aReplica())).toEqual({ do: 'promote' });
  });

  test('in a file that is the first one is used as soon as the cluster is read', () => {
    const { current: _none, ...first } = delivering;
    const state = { ...first, isInFile: true, delivery: { before: {}, fileSince: start.toISOString() } };
    const decide = (replica: ObservedReplica) =>
      decideCredential(observed(state, { delivered: 'next', replicas: [replica] }), bound, start);
    expect(decide(aReplica({ syncStatus: 'syncing' }))).toEqual({
      do: 'wait',
      behind: ['istio-system/istiod-1 says syncing'],
    });
    expect(decide(aReplica())).toEqual({ do: 'promote' });
  });

  test('waits until replicas have started anew that have lost the cluster, once they have what they shall read', () => {
    const restart = { at: start.toISOString(), pods: ['u1'] };
    const decide = (state: CredentialState, delivered: 'current' | 'next' | undefined) =>
      decideCredential(observed({ ...state, restart }, { delivered }), bound, hoursOn(99));
    expect(decide({ current: aSlot('a') }, undefined)).toEqual({ do: 'deliver', slot: 'current' });
    expect(decide({ current: aSlot('a') }, 'current')).toEqual({ do: 'restart' });
    expect(decide(delivering, 'next')).toEqual({ do: 'restart' });
  });

  test('of before goes before the next one comes', () => {
    const state = { current: aSlot('b'), previous: aSlot('a') };
    expect(decideCredential(observed(state, { request: 'now' }), bound, hoursOn(99))).toEqual({
      do: 'revoke',
    });
  });
});

/** From the write of a file until a replica uses it: a kubelet's look, its cache, and client-go's look. */
const longestReadMs = 210_000;

/** What there is in both clusters, by the rules of Kubernetes and istiod. */
class World {
  state: CredentialState = {};
  /** The token in the Secret that istiod reads, and how often that was written. */
  secret: string | undefined;
  version = 0;
  readonly valid = new Set<string>();
  readonly replicas = [1, 2].map((number) => ({
    uid: `u${number}`,
    startedAt: '0',
    events: 0,
    version: 0,
    uses: undefined as string | undefined,
    /** What it will have read of the file, by when. */
    reads: [] as { readonly token: string | undefined; readonly atMs: number }[],
  }));
  nowMs = start.getTime();
  minted = 0;
  readonly #random: RandomNumbers;
  readonly #isInFile: boolean;

  constructor(random: RandomNumbers, isInFile: boolean) {
    this.#random = random;
    this.#isInFile = isInFile;
  }

  /** One look and one step of the operator, which may end after any of its writes. */
  step(): void {
    const { state } = this;
    const delivered = (['next', 'current'] as const).find(
      (slot) => state[slot] !== undefined && state[slot].token === this.secret,
    );
    const step = decideCredential(
      {
        ...{ state, delivered, request: undefined, isStarting: false },
        isRefused: state.current !== undefined && !this.valid.has(state.current.token),
        replicas: this.replicas.map(({ uid, startedAt, events, uses }) => ({
          ...{ pod: uid, uid, startedAt, secretEvents: events },
          syncStatus: uses !== undefined && this.valid.has(uses) ? 'synced' : 'syncing',
        })),
      },
      bound,
      new Date(this.nowMs),
    );
    if (step.do === 'mint') this.#mint();
    if (step.do === 'deliver') this.#deliver(step.slot);
    if (step.do === 'promote') {
      const { current, next, delivery: _done, ...kept } = state;
      if (next !== undefined)
        this.state = { ...kept, current: next, ...(current === undefined ? {} : { previous: current }) };
    }
    if (step.do === 'revoke' && state.previous !== undefined) {
      this.valid.delete(state.previous.token);
      if (this.#lives()) {
        const { previous: _gone, ...kept } = state;
        this.state = kept;
      }
    }
  }

  #mint(): void {
    this.minted += 1;
    const token = `token-${this.minted}`;
    this.valid.add(token);
    if (!this.#lives()) return;
    const [issuedAt, expiresAt] = [this.nowMs, this.nowMs + 24 * hourMs].map((ms) =>
      new Date(ms).toISOString(),
    );
    const { delivery: _old, ...kept } = this.state;
    this.state = {
      ...kept,
      next: { holder: token, token, issuedAt: issuedAt ?? '', expiresAt: expiresAt ?? '' },
    };
  }

  #deliver(name: 'current' | 'next'): void {
    const slot = this.state[name];
    if (name === 'next') {
      const before = Object.fromEntries(
        this.replicas.map(({ uid, startedAt, events }) => [uid, { startedAt, secretEvents: events }]),
      );
      const fileSince = this.#isInFile ? { fileSince: new Date(this.nowMs).toISOString() } : {};
      this.state = { ...this.state, isInFile: this.#isInFile, delivery: { before, ...fileSince } };
      if (!this.#lives()) return;
    }
    this.#write(slot?.token);
  }

  #write(secret: string | undefined): void {
    this.secret = secret;
    this.version += 1;
    if (!this.#isInFile) return;
    for (const replica of this.replicas) {
      replica.reads.push({ token: secret, atMs: this.nowMs + this.#random() * longestReadMs });
    }
  }

  /** A replica reads its file again, or hears of another kubeconfig and counts it. */
  hear(replica: World['replicas'][number]): void {
    if (this.#isInFile) this.pass(0);
    else {
      if (replica.version !== this.version) replica.events += 1;
      Object.assign(replica, { version: this.version, uses: this.secret });
    }
  }

  /** Time goes by, in which files are read; what is newer is never followed by what is older. */
  pass(ms: number): void {
    this.nowMs += ms;
    for (const replica of this.replicas) {
      const last = replica.reads.findLastIndex(({ atMs }) => atMs <= this.nowMs);
      if (last < 0) continue;
      replica.uses = replica.reads[last]?.token;
      replica.reads.splice(0, last + 1);
    }
  }

  /** False where the operator ends before its next write. */
  #lives(): boolean {
    return this.#random() > 0.2;
  }

  /** What others do. */
  disturb(): void {
    const random = this.#random;
    const event = pick(random, [
      'hear',
      'hear',
      'hear',
      'restart',
      'edit',
      'delete',
      'wait',
      'wait',
    ] as const);
    const replica = pick(random, this.replicas);
    if (event === 'hear') this.hear(replica);
    if (event === 'restart')
      Object.assign(replica, {
        ...{ startedAt: String(random()), events: 1, uses: this.secret, version: this.version, reads: [] },
      });
    if (event === 'edit' && random() < 0.2) this.#write('edited');
    if (event === 'delete' && random() < 0.2) this.#write(undefined);
    if (event === 'wait') this.pass(random() * (random() < 0.5 ? longestReadMs : 3 * hourMs));
  }
}

describe('the credential of a mesh, whatever happens in whatever order,', () => {
  test.each([
    { where: 'in a kubeconfig', isInFile: false },
    { where: 'in a file', isInFile: true },
  ])('and $where, is never taken back while a replica uses it, and comes to rest', ({ isInFile }) => {
    const rotations: number[] = [];
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomNumbers(seed);
      const world = new World(random, isInFile);
      for (let count = 0; count < 300; count += 1) {
        if (random() < 0.5) world.step();
        else world.disturb();
        for (const { uses } of world.replicas) {
          const isOurs = uses?.startsWith('token-') === true;
          if (isOurs && !world.valid.has(uses))
            throw new Error(`seed ${seed}: a replica uses ${uses}, which is not valid`);
        }
      }
      for (let count = 0; count < 40; count += 1) {
        world.step();
        if (world.state.delivery?.fileSince !== undefined) world.pass(longestReadMs);
        for (const replica of world.replicas) world.hear(replica);
      }
      expect(world.state.next, `seed ${seed}`).toBeUndefined();
      expect(world.state.previous, `seed ${seed}`).toBeUndefined();
      expect(world.secret).toBe(world.state.current?.token);
      rotations.push(world.minted);
    }
    expect(Math.max(...rotations)).toBeGreaterThan(5);
  });
});
