/** What all simulated clients share: the way in, and how an answer is judged and noted. @module */
import { utf8 } from "../../src/base/bytes.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { asBrokerError, type BrokerError } from "../../src/model/errors.ts";
import type { NewMessage } from "../../src/model/message.ts";
import { encodeProperties, propertyNames } from "../../src/model/properties.ts";
import { readRecord, splitRecords } from "../../src/model/record.ts";
import type { MessageFacts, Outcome, Seen, Spot } from "./events.ts";
import { amountMax } from "./groups.ts";
import type { Journal } from "./journal.ts";
import type { SimOptions } from "./options.ts";
import type { Scheduler } from "./scheduler.ts";
import type { World } from "./world.ts";

/** What a client is made of. */
export type ClientParts = {
  /** What was put into each message, by the name its producer gave it. */
  readonly facts: Map<string, MessageFacts>;
  readonly options: SimOptions;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly world: World;
  /** Groups that begin with what is new → their topics, as far as they have begun there. */
  readonly beginnings: ReadonlyMap<string, Map<string, "asked" | "placed">>;
  /** What members were handed last, newest last. */
  readonly handedOut: { readonly group: string; readonly spot: Spot }[];
  /** Topics that are there now, beside those of the groups. */
  readonly topics: Set<string>;
  /** True once all is over: clients finish what they are doing. */
  readonly isOver: () => boolean;
  /** Whether what is made to fail does so still; later than the storm operators put it right. */
  readonly isFailing: () => boolean;
};

/** What makes a message: its facts, and what only its record carries. */
export type Draft = MessageFacts & {
  readonly bodyBytes: number;
  /** Its producer chose its id. */
  readonly ownId: boolean;
};

/** The address everybody dialled. */
export const dialled = { ip: "127.0.0.1", port: 9876 };
const decoder = new TextDecoder();

/** Carries a request out. `null`: it failed, which was noted under `what`. */
export async function attempt<T>(
  { journal, world }: ClientParts,
  what: string,
  ask: (broker: Broker) => Promise<T>,
): Promise<{ answer: T } | { error: BrokerError; outcome: Outcome }> {
  const broker = await world.broker();
  try {
    return { answer: await ask(broker) };
  } catch (thrown) {
    const error = asBrokerError(thrown);
    // Only a store that failed in the middle, or a process that ended, leaves the end open.
    const outcome = error.code === "storage_failed" ? "unknown" : "refused";
    journal.note({ kind: "failed", what, code: error.code });
    if (error.code === "internal" && error.cause instanceof Error) throw error.cause;
    return { error, outcome };
  }
}

/** A message of one's own making, noted before it is sent. */
export function newMessage(parts: ClientParts, draft: Draft): NewMessage {
  const { bodyBytes, ownId, ...facts } = draft;
  const { id, tag, key, amount, ttlMs } = facts;
  parts.facts.set(id, facts);
  parts.journal.note({ kind: "message", ...facts });
  const properties: [string, string][] = [
    [propertyNames.keys, id],
    ["amount", String(amount)],
  ];
  if (ownId) properties.push([propertyNames.uniqueKey, id]);
  if (tag !== null) properties.push([propertyNames.tags, tag]);
  if (key !== null) properties.push([propertyNames.shardingKey, key]);
  if (ttlMs !== null) properties.push([propertyNames.timeToLiveMs, String(ttlMs)]);
  return {
    body: utf8(`${id}.`.padEnd(bodyBytes, "x")),
    properties: encodeProperties(properties),
    flag: 0,
    sysFlag: 0,
    bornMs: parts.scheduler.clock.wallMs(),
    bornHost: { ip: "127.0.0.1", port: 4000 },
    reconsumeTimes: 0,
  };
}

/** What a message is like, drawn; its producer gives it a name. */
export function drawMessage(
  { options }: ClientParts,
  prng: Prng,
  topic: string,
): Omit<Draft, "id" | "how" | "ownId"> {
  const hasTags = options.tags || options.mixedFilters;
  return {
    topic,
    tag: hasTags ? prng.pick(["A", "B", null]) : null,
    key: prng.chance(options.ordered ? 0.9 : 0.4) ? `key ${prng.int(6)}` : null,
    amount: prng.int(amountMax),
    ttlMs: prng.chance(options.ttlShare) ? prng.pick([100, 2_000, 20_000]) : null,
    bodyBytes: prng.int(options.bodyBytesMax),
  };
}

/** A stored record as its reader sees it. */
export function seen(record: Uint8Array): Seen {
  const { body, topic, queueId, queueOffset, physicalOffset, storedMs, reconsumeTimes } =
    readRecord(record);
  const text = decoder.decode(body);
  const id = text.slice(0, text.indexOf("."));
  return { id, topic, queueId, offset: queueOffset, physicalOffset, storedMs, reconsumeTimes };
}

/** A pull's records as their reader sees them. */
export function seenAll(records: Uint8Array): Seen[] {
  return splitRecords(records).map(seen);
}

/** One of the topics that are there. */
export function pickTopic(prng: Prng, topics: ReadonlySet<string>): string {
  return prng.pick([...topics]);
}
