/**
 * A router that remembers where paths led. Clients ask for the same few paths again and again, and
 * what a path leads to never changes once all routes are added; walking Hono's tree for each
 * request costs as much as reading a small message.
 *
 * @module
 */
import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";

/** Longer paths are looked up each time: what is remembered stays small. */
const pathLengthMax = 255;

/** Hono's tree, asked once a path. Routes are added before the first request. */
export class KnownPaths<T> implements Router<T> {
  readonly name = "KnownPaths";
  readonly #tree = new TrieRouter<T>();
  readonly #known = new Map<string, Lru<string, Result<T>>>();

  add(method: string, path: string, handler: T): void {
    this.#tree.add(method, path, handler);
    this.#known.set(method, new Lru({ countMax: limits.httpPathsKnownMax }));
  }

  match(method: string, path: string): Result<T> {
    const known = this.#known.get(method);
    const before = known?.peek(path);
    if (before !== undefined) return before;
    const found = this.#tree.match(method, path);
    if (found[0].length > 0 && path.length <= pathLengthMax) known?.set(path, found);
    return found;
  }
}
