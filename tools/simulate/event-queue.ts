/** What is due at a time, in milliseconds. */
type TimedEvent = { readonly at: number; readonly order: number; readonly action: () => void };

/** Events by their time; those of one time in the order in which they were added. */
export type EventQueue = {
  readonly add: (at: number, action: () => void) => void;
  readonly next: () => TimedEvent | undefined;
  readonly removeNext: () => void;
};

/** Creates a queue of events: a binary heap, which stays quick with many thousands. */
export function createEventQueue(): EventQueue {
  const heap: TimedEvent[] = [];
  let added = 0;

  return {
    add(at, action) {
      const event = { at, order: added, action };
      added += 1;
      heap.push(event);
      rise(event, heap.length - 1);
    },
    next: () => heap[0],
    removeNext() {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) sink(last, 0);
    },
  };

  function rise(event: TimedEvent, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  function sink(event: TimedEvent, from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const [first, second] = [heap[left], heap[left + 1]];
      if (first === undefined) break;
      const isSecond = second !== undefined && isBefore(second, first);
      const child = isSecond ? second : first;
      if (isBefore(event, child)) break;
      heap[index] = child;
      index = isSecond ? left + 1 : left;
    }
    heap[index] = event;
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
