/** How many pops wait for messages of a queue, for those who ask (POLLING_INFO). @module */

/** Counts waiting pops. Bounded by what may wait at all: each holds a place of its connection. */
export class WaitingPops {
  readonly #counts = new Map<string, number>();

  /** Counts one more. Returns how to take it back, once. */
  enter(group: string, topic: string, queueId: number): () => void {
    const key = `${group} ${topic} ${queueId}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    };
  }

  /** Pops that wait now; those for all queues of a topic are counted under -1. */
  count(group: string, topic: string, queueId: number): number {
    return this.#counts.get(`${group} ${topic} ${queueId}`) ?? 0;
  }
}
