/** What a dead letter says of itself: where it came from, why it died, how often tried. @module */
import { originFacts } from "./origin.ts";
import { propertyNames, readProperty } from "./properties.ts";
import { readRecord } from "./record.ts";

/**
 * `attempts-exhausted`: every delivery the group allows failed; `given-up`: a consumer sent it
 * there at once; `buried`: an operator did.
 */
export type DeathReason = "attempts-exhausted" | "given-up" | "buried";

/** A dead letter's story. `null`: the record had no room for it, or an older broker wrote it. */
export type DeathFacts = {
  readonly messageId: string;
  readonly originTopic: string;
  readonly originQueueId: number | null;
  readonly originOffset: number | null;
  readonly reason: DeathReason | null;
  readonly attempts: number;
  readonly diedMs: number;
  /** The operator who buried it. */
  readonly by: string | null;
};

const reasons: readonly string[] = [
  "attempts-exhausted",
  "given-up",
  "buried",
] satisfies DeathReason[];

/** Reads the story of a record of a dead-letter topic. @throws {WireError} It is damaged. */
export function deathFacts(record: Uint8Array): DeathFacts {
  const fields = readRecord(record);
  const origin = originFacts(record);
  const read = (name: string) => readProperty(fields.properties, name);
  const number = (name: string) => {
    const text = read(name);
    return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : null;
  };
  const reason = read(propertyNames.deadLetterReason);
  return {
    messageId: read(propertyNames.uniqueKey) ?? "",
    originTopic: origin.topic,
    originQueueId: origin.queueId,
    originOffset: origin.offset,
    reason: reasons.includes(reason ?? "") ? reason as DeathReason : null,
    attempts: number(propertyNames.deadLetterAttempts) ?? fields.reconsumeTimes,
    diedMs: number(propertyNames.deadLetterTimeMs) ?? fields.storedMs,
    by: read(propertyNames.deadLetterBy) ?? null,
  };
}
