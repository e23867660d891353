// The queue of a world's events: a binary heap ordered by (time, sequence), so that events of the same moment happen in
// the order in which they were scheduled. It has no clock and runs nothing.

export interface HeapEvent {
  readonly atMs: number;
  readonly sequence: number;
  /** Undefined once the event is cancelled or taken: it is skipped when its turn comes. */
  action: (() => void) | undefined;
}

export class EventHeap {
  readonly #events: HeapEvent[] = [];

  push(event: HeapEvent): void {
    const events = this.#events;
    let child = events.length;
    events.push(event);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[child] = events[parent]!;
      child = parent;
    }
    events[child] = event;
  }

  /** The next event that was not cancelled, left in the heap. */
  peek(): HeapEvent | undefined {
    while (this.#events.length > 0 && this.#events[0]!.action === undefined) this.#removeFirst();
    return this.#events[0];
  }

  /** Takes the next event that was not cancelled. */
  pop(): HeapEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const events = this.#events;
    const last = events.pop()!;
    if (events.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child += 1;
      if (!isBefore(events[child]!, last)) break;
      events[parent] = events[child]!;
      parent = child;
    }
    events[parent] = last;
  }
}

function isBefore(a: HeapEvent, b: HeapEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
