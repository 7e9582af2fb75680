import type { UpgradePhase, UpgradeStatus } from '../../../api/mesh-operator-status.ts';
import type { ResolvedUpgrade } from '../../../api/resolved-upgrade.ts';
import type { UpgradeDecision, UpgradeInput } from './decide-upgrade.ts';
import type { ErrorRateQuestion, MeasuredErrorRate } from './error-rate.ts';

const maxNamed = 10;
/** How soon the rate of errors is asked for again. */
const measureIntervalMs = 10_000;

/** What a step must hold for beyond having happened. */
export interface StepGates {
  readonly soakMs?: number;
  /** The namespaces whose requests are judged, where the spec says how. */
  readonly requestsTo?: readonly string[];
}

export type Verdict = 'done' | 'waiting' | 'failed';

/** The state under a decision: what is written at the end. */
export class UpgradeStep {
  state: UpgradeStatus;
  readonly #upgrade: ResolvedUpgrade;
  readonly #now: Date;
  readonly #measured: MeasuredErrorRate | undefined;
  /** What must be known before the step can be judged. */
  measure: ErrorRateQuestion | undefined;
  #blockers: readonly string[] = [];
  #againInMs: number | undefined;

  constructor(before: UpgradeStatus, { mesh, now, measured }: UpgradeInput) {
    this.state = before;
    this.#measured = measured;
    this.#upgrade = mesh.upgrade;
    this.#now = now;
  }

  get phase(): UpgradePhase {
    return this.state.phase;
  }

  /** Which step it is, of all that there ever are. */
  get name(): string {
    return `${this.phase}/${this.wave}/${this.state.since}`;
  }

  /** Counted from 1. */
  get wave(): number {
    return this.state.wave ?? 1;
  }

  get soakMs(): number {
    return this.#upgrade.waves[this.wave - 1]?.soakMs ?? 0;
  }

  enter(phase: UpgradePhase, fields: Partial<UpgradeStatus>): void {
    const { wellSince: _well, waitingFor: _waiting, ...kept } = this.state;
    const {
      wave: _wave,
      waves: _waves,
      failure: _failure,
      failedGeneration: _failed,
      moved: _moved,
      ...settled
    } = kept;
    this.#blockers = [];
    this.state = {
      ...(phase === 'Complete' ? settled : kept),
      ...fields,
      phase,
      since: this.#now.toISOString(),
      ...(phase === 'Moving' ? { waves: this.#upgrade.waves.length } : {}),
    };
    this.#againInMs = 0;
  }

  begin(active: string, target: string): void {
    const { retired = [], failure: _failure, failedGeneration: _failed, ...rest } = this.state;
    const left = retired.filter(({ revision }) => revision !== target);
    this.state = { ...rest, retired: left };
    this.enter('Installing', { active, target, gateways: active, moved: [] });
  }

  /** Goes on where a pause came. */
  resume(): void {
    const { failure: _failure, failedGeneration: _failed, wave, ...rest } = this.state;
    this.state = rest;
    if (wave === undefined) this.enter('Installing', {});
    else this.enter('Moving', { wave });
  }

  moved(names: readonly string[]): void {
    this.state = { ...this.state, moved: [...names].sort() };
  }

  /** `kept` is what the tags mean from now on; `left` goes when nothing uses it. */
  complete(kept: string, left: string): void {
    this.enter('Complete', { active: kept, target: kept, gateways: kept, ...this.#withRetired(left) });
  }

  rolledBack(left: string): void {
    this.enter('RolledBack', { moved: [], ...this.#withRetired(left) });
  }

  /**
   * Whether the step is over: `done` when nothing is waited for, the soak is over, and requests to the namespaces of
   * `requestsTo` did not fail too often; `failed` when they did, or when the step has waited for longer than it may.
   */
  judge(blockers: readonly string[], { soakMs = 0, requestsTo = [] }: StepGates = {}): Verdict {
    this.#blockers = blockers;
    const { wellSince, ...rest } = this.state;
    if (blockers.length > 0) {
      this.state = rest;
      return this.#overdue();
    }
    const since = wellSince ?? this.#now.toISOString();
    this.state = { ...rest, wellSince: since };
    const wellForMs = this.#now.getTime() - Date.parse(since);
    const verdict = this.#judgeRequests(requestsTo, wellForMs);
    if (verdict !== 'done' || wellForMs >= soakMs) return verdict;
    return this.#waitFor(soakMs - wellForMs);
  }

  fail(phase: 'RollingBack' | 'Paused', failedGeneration: number): void {
    const { active } = this.state;
    const failure = `${this.phase}: ${this.#blockers.slice(0, 3).join('; ')}`;
    this.enter(phase, {
      ...{ failure, failedGeneration },
      ...(phase === 'RollingBack' && active !== undefined ? { gateways: active } : {}),
    });
  }

  /** Lets go of control planes that nothing has used for long enough. */
  retire(following: (revision: string) => number, graceMs: number): void {
    const { retired = [], ...rest } = this.state;
    if (retired.length === 0) {
      this.state = rest;
      return;
    }
    const left = retired.flatMap(({ revision, unusedSince = this.#now.toISOString() }) => {
      if (following(revision) > 0) return [{ revision }];
      const leftMs = graceMs - (this.#now.getTime() - Date.parse(unusedSince));
      if (leftMs <= 0) return [];
      this.#lookAgainIn(leftMs);
      return [{ revision, unusedSince }];
    });
    this.state = { ...rest, ...(left.length === 0 ? {} : { retired: left }) };
  }

  rest(): Pick<UpgradeDecision, 'state' | 'againInMs' | 'measure'> {
    const { waitingFor: _before, ...state } = this.state;
    const waitingFor = this.#blockers.slice(0, maxNamed);
    return {
      state: waitingFor.length === 0 ? state : { ...state, waitingFor },
      ...(this.#againInMs === undefined ? {} : { againInMs: this.#againInMs }),
      ...(this.measure === undefined ? {} : { measure: this.measure }),
    };
  }

  /** `done` as well where nobody has said what is too much, or there are no namespaces. */
  #judgeRequests(namespaces: readonly string[], wellForMs: number): Verdict {
    const { errorRate } = this.#upgrade;
    if (errorRate === undefined || namespaces.length === 0) return 'done';
    const { windowMs, limit } = errorRate;
    if (wellForMs < windowMs) return this.#waitFor(windowMs - wellForMs);
    this.#lookAgainIn(measureIntervalMs);
    if (this.#measured === undefined) {
      this.measure = { namespaces, windowMs };
      return 'waiting';
    }
    if ('unknown' in this.#measured) {
      this.#blockers = [this.#measured.unknown];
      return this.#overdue();
    }
    if (this.#measured.ratio <= limit) return 'done';
    this.#blockers = [tooManyErrors(this.#measured.ratio, limit, namespaces)];
    return 'failed';
  }

  #waitFor(ms: number): Verdict {
    this.#lookAgainIn(ms);
    return 'waiting';
  }

  #overdue(): Verdict {
    const leftMs = this.#upgrade.waveTimeoutMs - (this.#now.getTime() - Date.parse(this.state.since));
    return leftMs > 0 ? this.#waitFor(leftMs) : 'failed';
  }

  #withRetired(revision: string): Pick<UpgradeStatus, 'retired'> {
    const { retired = [] } = this.state;
    return { retired: [...retired.filter((entry) => entry.revision !== revision), { revision }] };
  }

  #lookAgainIn(ms: number): void {
    this.#againInMs = Math.min(this.#againInMs ?? ms, ms);
  }
}

function tooManyErrors(ratio: number, limit: number, namespaces: readonly string[]): string {
  const names = namespaces.slice(0, maxNamed).join(', ');
  return `${percentText(ratio)} of the requests to ${names} fail, and ${percentText(limit)} may`;
}

function percentText(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))}%`;
}
