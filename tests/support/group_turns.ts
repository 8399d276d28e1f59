/**
 * One group reading queue 1 of one shard, turn by turn: for tests of what is handed out.
 *
 * @module
 */
import { javaHash } from "../../src/base/hash.ts";
import { ByteWriter } from "../../src/base/bytes.ts";
import type { ReceiveAsk, SettleKeyAsk } from "../../src/link/shard_messages.ts";
import { encodeProperties } from "../../src/model/properties.ts";
import { readRecord, recordBytes, splitRecords, writeRecord } from "../../src/model/record.ts";
import { everything, type Filter } from "../../src/model/subscription.ts";
import { planSettleKey, readParkedKeys } from "../../workers/shard/plan_keys.ts";
import { planReceive } from "../../workers/shard/plan_receive.ts";
import { planAck, planNack } from "../../workers/shard/plan_settle.ts";
import { ShardTurns, startMs } from "./shard_turns.ts";

/** The queue that is read, and the one for its dead letters. */
export const [queueKey, letterQueueKey, groupKey] = [1, 2, 7];

const host = { ip: "127.0.0.1", port: 9876 };

/** A delivery as tests hold it: print it with `shown`. */
export type Given = {
  readonly body: string;
  readonly offset: number;
  readonly attempt: number;
  readonly lease: number;
};

/** What a test may say of a receive; the rest is the group's. */
export type ReceiveWish = {
  readonly max?: number;
  readonly filter?: Filter;
  readonly others?: readonly Filter[];
  readonly bytesMax?: number;
};

const attemptsMaxUnlessTold = 3;

/** A group and its queue. Messages are `key body`, as "a1" is the first of key "a". */
export class GroupTurns {
  readonly shard = new ShardTurns();
  /** False: the disk has no room for dead letters. */
  mayBury = true;
  readonly #policy: Partial<ReceiveAsk["policy"]>;
  #sent = 0;

  constructor(policy: Partial<ReceiveAsk["policy"]> = {}) {
    this.#policy = policy;
  }

  /** Appends messages: "a1" has the key "a", "a1:red" the tag "red" too, "1" no key. */
  send(...bodies: readonly string[]): void {
    this.shard.turn((draft) => {
      for (const text of bodies) {
        const [body = "", tag = "", ttl = ""] = text.split(":");
        const key = body.replace(/\d+$/, "");
        const properties: [string, string][] = [["UNIQ_KEY", `id-${++this.#sent}`]];
        if (key !== "") properties.push(["__SHARDINGKEY", key]);
        if (tag !== "") properties.push(["TAGS", tag]);
        if (ttl !== "") properties.push(["__TTL_MS", ttl]);
        draft.append(queueKey, tag === "" ? 0 : javaHash(tag), record(body, properties));
      }
    });
  }

  receive({ max = 32, filter = everything, others = [], bytesMax = 1_000_000 }: ReceiveWish = {}) {
    const ask: ReceiveAsk = {
      groupKey,
      queueKeys: [queueKey],
      messagesMax: max,
      bytesMax,
      invisibleMs: 10_000,
      waitMs: 0,
      filter,
      otherFilters: others,
      clientId: "c1",
      policy: {
        attemptsMax: attemptsMaxUnlessTold,
        startFrom: "earliest",
        ordered: true,
        ttlMs: null,
        deadLetterQueueKey: letterQueueKey,
        deadLetterTopic: "%DLQ%billing",
        ...this.#policy,
      },
    };
    const { shard } = this;
    const { deliveries, blob } = shard.turn((draft) =>
      planReceive(
        ask,
        { draft, state: shard.state, store: shard.store, shard: 0, mayBury: this.mayBury },
        0,
      )
    );
    const bodies = splitRecords(blob).map((one) => text(readRecord(one).body));
    return deliveries.map(({ offset, attempt, lease }, index): Given => {
      return { body: bodies[index] ?? "", offset, attempt, lease };
    });
  }

  ack(...given: readonly (Given | undefined)[]) {
    const leases = leasesOf(given);
    const { state } = this.shard;
    return this.shard.turn(() => planAck(state, { groupKey, leases })).verdicts;
  }

  /** Gives messages back, to be tried again after `delayMs`. */
  nack(given: readonly (Given | undefined)[], delayMs: number | null = 0) {
    const retry = { retryDelaysMs: [delayMs ?? 0], retryBackoff: null };
    const { attemptsMax = attemptsMaxUnlessTold } = this.#policy;
    const ask = { groupKey, leases: leasesOf(given), delayMs, unseen: false, retry, attemptsMax };
    return this.shard.turn((draft) => planNack(this.shard.state, draft, ask)).verdicts;
  }

  /** Hands out what is there and gives it back, until nothing comes any more. */
  failAll(): void {
    for (let given = this.receive(); given.length > 0; given = this.receive()) this.nack(given);
  }

  settle(offset: number, action: SettleKeyAsk["action"]) {
    const { shard } = this;
    const target = { deadLetterQueueKey: letterQueueKey, deadLetterTopic: "%DLQ%billing" };
    const ask = { groupKey, queueKey, offset, action, by: "ops", ...target };
    return shard.turn((draft) => planSettleKey(shard.state, draft, shard.store, 0, ask)).verdict;
  }

  /** Parked keys as "key@offset: attempts, behind". */
  parked(): string[] {
    const { state, store } = this.shard;
    return readParkedKeys(state, store, { groupKey, queueKeys: [queueKey], keysMax: 100 })
      .map(({ key, offset, attempts, behind }) => `${key}@${offset}: ${attempts}, ${behind}`);
  }

  later(ms: number): void {
    this.shard.nowMs += ms;
  }

  get deliveries() {
    const known = this.shard.state.deliveries(groupKey, queueKey);
    if (known === undefined) throw new Error("the group has no place yet");
    return known;
  }
}

/** Deliveries as "body#attempt". */
export function shown(given: readonly Given[]): string {
  return given.map(({ body, attempt }) => `${body}#${attempt}`).join(" ");
}

/** A compiled tag filter. */
export function tagged(...tags: readonly string[]): Filter {
  return { kind: "tags", tags, hashes: tags.map(javaHash) };
}

function leasesOf(given: readonly (Given | undefined)[]) {
  return given.flatMap((one) => {
    return one === undefined ? [] : [{ queueKey, offset: one.offset, lease: one.lease }];
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function record(body: string, properties: [string, string][]): Uint8Array {
  const fields = {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornMs: startMs,
    bornHost: host,
    storedMs: 0,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new TextEncoder().encode(body),
    topic: "orders",
    properties: encodeProperties(properties),
  };
  const writer = new ByteWriter(recordBytes(fields));
  writeRecord(writer, fields);
  return writer.view().slice();
}
