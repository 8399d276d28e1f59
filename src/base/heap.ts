/** A binary heap: the smallest priority first. @module */

/**
 * Hands out what was pushed, lowest priority number first; equals in no promised order.
 *
 * The owner bounds it: it knows whether a full heap refuses, or drops. Priorities are read when an
 * item moves, so they must not change while it is inside.
 */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #priorities: number[] = [];
  readonly #priorityOf: (item: T) => number;

  constructor(priorityOf: (item: T) => number) {
    this.#priorityOf = priorityOf;
  }

  /** How many items are inside. */
  get size(): number {
    return this.#items.length;
  }

  /** The item with the lowest priority, left in place. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item in logarithmic time. */
  push(item: T): void {
    const priority = this.#priorityOf(item);
    const items = this.#items;
    const priorities = this.#priorities;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = priorities[parent]!;
      if (above <= priority) break;
      items[at] = items[parent]!;
      priorities[at] = above;
      at = parent;
    }
    items[at] = item;
    priorities[at] = priority;
  }

  /** Takes out the item with the lowest priority. */
  pop(): T | undefined {
    const top = this.#items[0];
    const item = this.#items.pop();
    const priority = this.#priorities.pop();
    if (this.#items.length > 0) this.#sink(item as T, priority as number);
    return top;
  }

  /** Forgets everything. */
  clear(): void {
    this.#items.length = 0;
    this.#priorities.length = 0;
  }

  /** Puts an item in place of the top, and lets it sink to where it belongs. */
  #sink(item: T, priority: number): void {
    const items = this.#items;
    const priorities = this.#priorities;
    const size = items.length;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && priorities[child + 1]! < priorities[child]!) child++;
      const below = priorities[child]!;
      if (below >= priority) break;
      items[at] = items[child]!;
      priorities[at] = below;
      at = child;
    }
    items[at] = item;
    priorities[at] = priority;
  }
}
