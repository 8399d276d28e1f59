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
/** So many looks after the last of a crowd came, what its arrival has left is collected. */
const calmLooks = 40;

/** Collects when a crowd is connected and has asked something. */
export class CrowdMemory {
  readonly #memory: Memory;
  /** Chunks that had come at the last collection. */
  #collectedAt = 0;
  /** Connections at the last look, and how many looks found no more of them than the one before. */
  #connections = 0;
  #calm = 0;
  /** Connections when all was collected. */
  #settled = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Collects if need be. `chunks`: how many came in all, over every connection. */
  look(connections: number, chunks: number): void {
    this.#calm = connections > this.#connections ? 0 : this.#calm + 1;
    this.#connections = connections;
    this.#settled = Math.min(this.#settled, connections);
    if (connections < crowdMin) return;
    const hasArrived = connections - this.#settled >= crowdMin && this.#calm >= calmLooks;
    if (!hasArrived && chunks - this.#collectedAt < chunksMax) return;
    this.#collectedAt = chunks;
    if (!hasArrived) return this.#memory.collectYoung();
    this.#settled = connections;
    this.#memory.collectAll();
  }
}
