/**
 * What a consumer wants, compiled once and applied twice: to the entry of a queue's index, which
 * only knows the hash of the tag, and to the record, which knows every property.
 *
 *     mightMatch ──no──▶ passed over, the record is never read
 *         └─yes─▶ accepts: certain for SQL; for tags as far as hashes can tell
 *
 * @module
 */
import type { Expression, Filter } from "../model/subscription.ts";
import { readProperty } from "../model/properties.ts";
import { compileSql, type SqlPredicate } from "./sql_filter.ts";
import { parseSql } from "./sql_parser.ts";
import { compileTags, matches } from "./tag_filter.ts";

type SqlFilter = Extract<Filter, { kind: "sql" }>;

/** A filter is data and crosses threads; its function stays here, as long as the filter lives. */
const predicates = new WeakMap<SqlFilter, SqlPredicate>();

/** The filter of an expression. @throws {BrokerError} `filter_invalid`. */
export function compileExpression({ language, text }: Expression): Filter {
  if (language === "TAG") return compileTags(text);
  return { kind: "sql", text, expression: parseSql(text) };
}

/** Whether a message with this hash of its tag may be wanted. SQL needs the record to tell. */
export function mightMatch(filter: Filter, tagHash: number): boolean {
  return filter.kind === "sql" || matches(filter, tagHash);
}

/**
 * Whether a message is wanted. `properties` is its text of properties, asked for only if the answer
 * depends on it.
 */
export function accepts(filter: Filter, tagHash: number, properties: () => string): boolean {
  if (filter.kind !== "sql") return matches(filter, tagHash);
  const text = properties();
  return predicateOf(filter)((name) => readProperty(text, name));
}

function predicateOf(filter: SqlFilter): SqlPredicate {
  const known = predicates.get(filter);
  if (known !== undefined) return known;
  const predicate = compileSql(filter.expression);
  predicates.set(filter, predicate);
  return predicate;
}
