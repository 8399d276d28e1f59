/**
 * Latencies in little memory: buckets that double in width every 256 steps, so that every value is
 * kept within 1/256 of itself from a microsecond to over an hour.
 *
 * @module
 */

const stepsPerOctave = 256;
const octaves = 24;

/** Counts latencies. Recording is a few operations on integers. */
export class Histogram {
  readonly #counts = new Float64Array(stepsPerOctave * octaves);
  #total = 0;
  #maxUs = 0;

  /** How many were recorded. */
  get total(): number {
    return this.#total;
  }

  /** The longest, in milliseconds. */
  get maxMs(): number {
    return this.#maxUs / 1000;
  }

  /** Adds one latency. */
  record(latencyMs: number): void {
    const us = Math.max(0, Math.round(latencyMs * 1000));
    const shift = Math.max(0, 31 - Math.clz32(us) - 8);
    const at = Math.min(shift, octaves - 2) * stepsPerOctave + (us >>> shift);
    const counts = this.#counts;
    const index = Math.min(at, counts.length - 1);
    counts[index] = (counts[index] ?? 0) + 1;
    this.#total++;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The latency, in milliseconds, that the fraction `quantile` of all does not exceed. */
  quantileMs(quantile: number): number {
    const wanted = Math.max(1, Math.ceil(quantile * this.#total));
    let seen = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      seen += this.#counts[at] ?? 0;
      if (seen >= wanted) return Math.min(upperUs(at), this.#maxUs) / 1000;
    }
    return 0;
  }

  /** Forgets everything: what came before was warming up. */
  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxUs = 0;
  }
}

/** The largest value of a bucket. The first two octaves share the width of one microsecond. */
function upperUs(at: number): number {
  if (at < 2 * stepsPerOctave) return at;
  const shift = Math.floor(at / stepsPerOctave) - 1;
  const step = at - shift * stepsPerOctave;
  return (step + 1) * 2 ** shift - 1;
}
