/**
 * Where a message is, as the disks have it: what an explanation of it has to agree with. Read
 * beside the broker, from the tables.
 *
 * @module
 */
import { deadLetterTopicOf, retryTopicOf } from "../../src/model/names.ts";
import { originFacts } from "../../src/model/origin.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties, recordTopic } from "../../src/model/record.ts";
import { stored as seen } from "./audit.ts";
import { type Spot, spotKey, type Whereabouts } from "./events.ts";
import type { World } from "./world.ts";

/** One look at the disks. */
export class Disks {
  /** Message id → where it is visible, in topics that stay. */
  readonly #visible = new Map<string, Spot[]>();
  /** Group and message id → where it died. */
  readonly #deaths = new Map<string, string[]>();
  /** Group and message id → where each copy was first that waits to come again. */
  readonly #retries = new Map<string, string[]>();
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #timers = new Set<string>();
  readonly #halves = new Map<string, Whereabouts["state"]>();

  constructor(world: World) {
    for (const { topic, queueId, min, records } of world.storedQueues()) {
      if (topic.startsWith("topic-")) {
        records.forEach((record, at) => {
          const messageId = messageIdOf(record);
          const spot = { topic, queueId, offset: min + at };
          put(this.#visible, messageId, spot);
          this.#ids.set(spotKey(spot), messageId);
          if (!this.#names.has(messageId)) this.#names.set(messageId, seen(record).id);
        });
      } else if (topic.startsWith(letters)) {
        for (const record of records) {
          putOrigin(this.#deaths, topic.slice(letters.length), record);
        }
      }
    }
    for (const { delayed, halves } of world.waiting()) {
      for (const { messageId, kind, queueKey, record } of delayed) {
        if (!world.isThere(queueKey)) continue;
        if (kind === "timer") this.#timers.add(messageId);
        else putOrigin(this.#retries, recordTopic(record, 0).slice(retries.length), record);
      }
      for (const { messageId, state, queueKey } of halves) {
        if (world.isThere(queueKey)) this.#halves.set(messageId, state);
      }
    }
  }

  /** Every message there is, by its id; those that are visible and those that wait. */
  ids(): { readonly visible: readonly string[]; readonly waiting: readonly string[] } {
    return {
      visible: [...this.#visible.keys()],
      waiting: [...this.#timers, ...this.#halves.keys()],
    };
  }

  /** What its producer called it; empty: nobody did, or nobody knows any more. */
  nameOf(messageId: string): string {
    return this.#names.get(messageId) ?? "";
  }

  /** Which message is there. */
  idAt(spot: Spot): string | null {
    return this.#ids.get(spotKey(spot)) ?? null;
  }

  visible(messageId: string): readonly Spot[] {
    return this.#visible.get(messageId) ?? [];
  }

  /** As it matters to `group`. */
  find(messageId: string, group: string): Whereabouts {
    const visible = this.visible(messageId);
    const state = visible.length > 0
      ? "visible"
      : this.#timers.has(messageId)
      ? "timer"
      : this.#halves.get(messageId) ?? "nowhere";
    const deaths = this.#deaths.get(`${group} ${messageId}`) ?? [];
    const waiting = this.#retries.get(`${group} ${messageId}`) ?? [];
    return { state, copies: visible.length, deaths, retries: waiting };
  }
}

const letters = deadLetterTopicOf("");
const retries = retryTopicOf("");
/** Many looks see the same records. */
const known = new WeakMap<Uint8Array, string>();

function messageIdOf(record: Uint8Array): string {
  const before = known.get(record);
  if (before !== undefined) return before;
  const id = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
  known.set(record, id);
  return id;
}

/** A copy for a group's own topic, by where it was first. */
function putOrigin(lists: Map<string, string[]>, group: string, record: Uint8Array): void {
  const { topic, queueId, offset } = originFacts(record);
  const origin = { topic, queueId: queueId ?? -1, offset: offset ?? -1 };
  put(lists, `${group} ${messageIdOf(record)}`, spotKey(origin));
}

function put<T>(lists: Map<string, T[]>, key: string, one: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [one]);
  else list.push(one);
}
