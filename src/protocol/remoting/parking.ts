/** How many pulls of a connection wait for messages. @module */
import { assert } from "../../base/assert.ts";
import { limits } from "../../base/limits.ts";

/**
 * Counts waiting pulls. They are no work, so they do not count against the requests a connection
 * may have; they have a bound of their own.
 */
export class Parking {
  readonly #onChange: () => void;
  #count = 0;

  /** `onChange` is called after each pull that came or went. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Pulls that wait now. */
  get count(): number {
    return this.#count;
  }

  /** Takes a place. False: all are taken, and the pull must be answered at once. */
  enter(): boolean {
    if (this.#count >= limits.parkedPerConnectionMax) return false;
    this.#count++;
    this.#onChange();
    return true;
  }

  /** Gives the place back. */
  leave(): void {
    assert(this.#count > 0, "a pull leaves only after it entered");
    this.#count--;
    this.#onChange();
  }
}
