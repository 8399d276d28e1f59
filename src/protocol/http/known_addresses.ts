/**
 * Remembers where addresses led. Clients ask at the same few again and again, and where one leads
 * never changes; to walk Hono's tree, and to make what Hono makes for each request, costs as much
 * as all the rest of taking in a small message.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";

/** Longer addresses are looked up each time: what is remembered stays small. */
const urlLengthMax = 255;

/** What was found by method and URL; of each method the last `limits.httpPathsKnownMax`. */
export class KnownAddresses<T> {
  readonly #byMethod = new Map<string, Lru<string, T>>();

  find(method: string, url: string): T | undefined {
    return this.#byMethod.get(method)?.peek(url);
  }

  /** Not with a query: there are too many of them. */
  keep(method: string, url: string, found: T): void {
    if (url.length > urlLengthMax || url.includes("?")) return;
    let known = this.#byMethod.get(method);
    if (known === undefined) {
      known = new Lru({ countMax: limits.httpPathsKnownMax });
      this.#byMethod.set(method, known);
    }
    known.set(url, found);
  }
}
