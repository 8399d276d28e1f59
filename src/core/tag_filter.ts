/**
 * Tag expressions: `""` and `"*"` want everything, `"A || B"` wants two tags.
 *
 * A shard compares hashes, which it keeps beside each entry; two tags may share one. Whoever holds
 * the message itself compares the tag.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { javaHash } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { Filter } from "../model/subscription.ts";

/** @throws {BrokerError} `filter_invalid`: above `limits.filterBytesMax`, or without a tag. */
export function compileTags(text: string): TagFilter {
  const bytes = text.length > limits.filterBytesMax ? text.length : utf8(text).length;
  if (bytes > limits.filterBytesMax) {
    throw new BrokerError(
      "filter_invalid",
      `Cannot compile tag expression ${shown(text)}: it has ${bytes} bytes or more, and at most ` +
        `${limits.filterBytesMax} are allowed`,
    );
  }
  const wanted = text.trim();
  if (wanted === "" || wanted === "*") return { kind: "all" };
  const tags = [...new Set(wanted.split("||").map((tag) => tag.trim()))].filter((tag) =>
    tag !== ""
  );
  if (tags.length === 0) {
    throw new BrokerError(
      "filter_invalid",
      `Cannot compile tag expression ${shown(text)}: it names no tag; use "*" for everything`,
    );
  }
  return { kind: "tags", tags, hashes: tags.map(javaHash) };
}

/** What filters by tag, or not at all. */
export type TagFilter = Exclude<Filter, { kind: "sql" }>;

/** Whether a message with this hash of its tag may be wanted; 0 stands for no tag. */
export function matches(filter: TagFilter, tagHash: number): boolean {
  return filter.kind === "all" || filter.hashes.includes(tagHash);
}

/** Whether a message with this very tag is wanted. */
export function matchesTag(filter: TagFilter, tag: string | null): boolean {
  return filter.kind === "all" || (tag !== null && filter.tags.includes(tag));
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
