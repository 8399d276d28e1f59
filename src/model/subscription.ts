/** What a consumer wants of a topic, as plain data that can cross threads. @module */

/** A compiled filter. `hashes` are Java string hashes of the tags, in the order of `tags`. */
export type Filter =
  | { readonly kind: "all" }
  | { readonly kind: "tags"; readonly tags: readonly string[]; readonly hashes: readonly number[] };

/** What a client asked for, before it is compiled. */
export type Expression = { readonly language: "TAG" | "SQL92"; readonly text: string };

/** The filter that lets everything through. */
export const everything: Filter = { kind: "all" };

/** One member's wish: what it wants of one topic. `version` is the client's own, milliseconds. */
export type Subscription = {
  readonly topic: string;
  readonly expression: Expression;
  readonly version: number;
};
