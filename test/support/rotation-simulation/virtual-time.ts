interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** A clock that jumps from event to event; those of one instant happen in the order in which they were set. */
export class VirtualTime {
  /** A binary heap, the next event first. */
  readonly #events: Event[] = [];
  #nowMs: number;
  #order = 0;
  #happened = 0;

  constructor(start: Date) {
    this.#nowMs = start.getTime();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have happened. */
  get happened(): number {
    return this.#happened;
  }

  after(delayMs: number, happen: () => void): void {
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, happen });
  }

  /** Lets all happen that is due until then, and calls `afterEach` after each event. */
  runUntil(endMs: number, afterEach: () => void): void {
    for (let next = this.#events[0]; next !== undefined && next.atMs <= endMs; next = this.#events[0]) {
      this.#pop();
      this.#nowMs = next.atMs;
      this.#happened += 1;
      next.happen();
      afterEach();
    }
    this.#nowMs = endMs;
  }

  #push(event: Event): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isSooner(event, events[parent] as Event)) break;
      events[at] = events[parent] as Event;
      at = parent;
    }
    events[at] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop() as Event;
    if (events.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      const other = events[child + 1];
      if (other !== undefined && isSooner(other, events[child] as Event)) child += 1;
      if (!isSooner(events[child] as Event, last)) break;
      events[at] = events[child] as Event;
      at = child;
    }
    events[at] = last;
  }
}

function isSooner(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
