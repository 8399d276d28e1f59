/**
 * The entry of each thread, in one place: whoever bundles the program rewrites this file's URLs.
 *
 * @module
 */

/** Entry modules; each exports `runRole`. */
export const workerEntries = {
  shard: new URL("./shard/main.ts", import.meta.url),
  coordinator: new URL("./coordinator/main.ts", import.meta.url),
} as const;
