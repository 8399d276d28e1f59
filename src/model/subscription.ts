/** What a consumer wants of a topic, as plain data that can cross threads. @module */
import type { SqlExpression } from "./sql_expression.ts";

/**
 * A compiled filter. `hashes` are Java string hashes of the tags, in the order of `tags`; `text` is
 * the SQL a consumer wrote, `expression` what it means.
 */
export type Filter =
  | { readonly kind: "all" }
  | { readonly kind: "tags"; readonly tags: readonly string[]; readonly hashes: readonly number[] }
  | { readonly kind: "sql"; readonly text: string; readonly expression: SqlExpression };

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

/** What a filter was compiled from, up to the order of tags. */
export function expressionOf(filter: Filter): Expression {
  if (filter.kind === "all") return { language: "TAG", text: "*" };
  if (filter.kind === "sql") return { language: "SQL92", text: filter.text };
  return { language: "TAG", text: [...filter.tags].sort().join(" || ") };
}

/** Equal for equal expressions, and only for them. */
export function expressionKey({ language, text }: Expression): string {
  return `${language} ${text}`;
}
