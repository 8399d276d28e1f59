/** Where a copy of a message first was: what it says among retries and dead letters. @module */
import { propertyNames, readProperty } from "./properties.ts";
import { recordProperties } from "./record.ts";

/** A first place. `topic` empty or a `null`: the record had no room for it, or was never copied. */
export type OriginFacts = {
  readonly topic: string;
  readonly queueId: number | null;
  readonly offset: number | null;
};

/** Reads it from the properties of a record. */
export function originFacts(record: Uint8Array): OriginFacts {
  const properties = recordProperties(record, 0);
  const read = (name: string) => readProperty(properties, name);
  return {
    topic: read(propertyNames.deadLetterOriginTopic) ?? read(propertyNames.retryTopic) ?? "",
    queueId: numberOf(read(propertyNames.originQueueId)),
    offset: numberOf(read(propertyNames.originQueueOffset)),
  };
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : null;
}
