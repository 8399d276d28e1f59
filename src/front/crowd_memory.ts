/**
 * Keeps what a crowd's questions leave behind small, where the runtime does not by itself.
 *
 * Some runtimes let the heap double before they collect. With thousands of clients connected that
 * is most of the process's memory; with few, collecting seldom is right, and nothing is done here.
 *
 * @module
 */
import type { Memory } from "../ports/memory.ts";

/** How often `look` is to be called, and so how often there is a collection at most. */
export const crowdLookMs = 50;
/** So many connections are a crowd. */
const crowdMin = 1_000;
/** What so many chunks leave behind is left alone: some 3 kB each. */
const chunksMax = 750;

/** Collects when a crowd is connected and has asked something. */
export class CrowdMemory {
  readonly #memory: Memory;
  /** Chunks that had come at the last collection. */
  #collectedAt = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Collects if need be. `chunks`: how many came in all, over every connection. */
  look(connections: number, chunks: number): void {
    if (connections < crowdMin || chunks - this.#collectedAt < chunksMax) return;
    this.#collectedAt = chunks;
    this.#memory.collectYoung();
  }
}
