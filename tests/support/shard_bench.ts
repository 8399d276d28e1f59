/**
 * One shard on a simulated disk, asked through its link, with time that moves when told to.
 *
 * @module
 */
import { utf8 } from "../../src/base/bytes.ts";
import { silentLog } from "../../src/base/log.ts";
import { type AnswerOf, LinkClient, type RequestOf } from "../../src/link/client.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import {
  type Delivery,
  type ReceiveAsk,
  type ShardOperations,
  shardOperations,
} from "../../src/link/shard_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { recordBody, splitRecords, writeRecord } from "../../src/model/record.ts";
import { ByteWriter } from "../../src/base/bytes.ts";
import { everything } from "../../src/model/subscription.ts";
import { DiskGuard } from "../../workers/shard/disk_guard.ts";
import { Shard } from "../../workers/shard/shard.ts";
import { SimDisk } from "../simulation/sim_store.ts";
import { ManualTimers } from "./manual_timers.ts";
import { portPair } from "./thread_ports.ts";

type Name = keyof ShardOperations & string;

/** The queues and the group that the builders below name. */
export const names = { queueKey: 7, otherQueueKey: 8, retryKey: 20, deadKey: 21, groupKey: 3 };
const host = { ip: "127.0.0.1", port: 9876 };
/** Keeps sends going while more than this is free. */
const reserveBytes = 1_000;

/** The shard, and everything around it that a test turns. */
export class ShardBench {
  readonly timers = new ManualTimers();
  readonly disk: SimDisk;
  readonly shard: Shard;
  readonly client: LinkClient<ShardOperations>;
  /** What the coordinator was told. */
  readonly news: ShardNews[] = [];
  /** Stores opened so far. */
  opened = 0;
  freeBytes = 1_000_000;
  /** Called when the shard looks at the disk, which begins its housekeeping. */
  onLook: () => void = () => {};

  constructor(disk = new SimDisk(), number = 0) {
    this.disk = disk;
    const [near, far] = portPair();
    const server = new LinkServer(shardOperations, far, () => this.shard.arrived());
    this.shard = new Shard({
      number,
      openStore: () => {
        this.opened++;
        return disk.open();
      },
      clock: this.timers.clock,
      timers: this.timers,
      guard: new DiskGuard({
        space: () => {
          this.onLook();
          return { freeBytes: this.freeBytes, totalBytes: 1_000_000 };
        },
        setBallast: () => true,
        dropBallast: () => true,
      }, reserveBytes),
      log: silentLog,
      tellCoordinator: (told) => this.news.push(told),
    }, server);
    this.client = new LinkClient(shardOperations, near, 1_000, () => {});
  }

  get nowMs(): number {
    return this.timers.clock.wallMs();
  }

  /** Lets `ms` pass, with all the turns that fall into it. */
  async pass(ms = 0): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await Promise.resolve();
      this.timers.advance(0);
    }
    this.timers.advance(ms);
    for (let round = 0; round < 8; round++) {
      await Promise.resolve();
      this.timers.advance(0);
    }
  }

  /** Asks, and lets the turn come that answers. */
  async ask<N extends Name>(
    name: N,
    request: RequestOf<ShardOperations, N>,
  ): Promise<AnswerOf<ShardOperations, N>> {
    const answer = this.client.ask(name, request);
    await Promise.race([answer.then(() => null, () => null), this.pass()]);
    return answer;
  }

  /** Appends messages with these bodies, in one request. */
  send(bodies: readonly string[], queueKey = names.queueKey) {
    return this.ask("append", appendOf(bodies, queueKey));
  }

  /** Leases; answers what came, with its bodies. */
  async receive(more: Partial<ReceiveAsk> = {}): Promise<Leased[]> {
    return leasedOf(await this.ask("receive", receiveOf(more)));
  }

  /** What a queue holds, as bodies. */
  async bodies(queueKey = names.queueKey): Promise<string[]> {
    const { blob } = await this.ask("pull", { ...pullOf(0), queueKey });
    return splitRecords(blob).map((record) => textOfBody(record));
  }
}

/** A delivery and the body that came with it. */
export type Leased = Delivery & { readonly body: string };

/** The deliveries of an answer, with their bodies. */
export function leasedOf(answer: AnswerOf<ShardOperations, "receive">): Leased[] {
  const records = splitRecords(answer.blob);
  return answer.head.deliveries.map((delivery, at) => ({
    ...delivery,
    body: textOfBody(records[at] ?? new Uint8Array(0)),
  }));
}

/** A whole record of queue 0 of topic "t". */
export function recordOf(body: string, properties = ""): Uint8Array {
  const writer = new ByteWriter(256);
  writeRecord(writer, {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornMs: 1,
    bornHost: host,
    storedMs: 0,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: utf8(body),
    topic: "t",
    properties,
  });
  return writer.view();
}

/** Messages with these bodies, for the disk at its safest. */
export function appendOf(bodies: readonly string[], queueKey = names.queueKey) {
  const records = bodies.map((body) => recordOf(body));
  const tagHashes = bodies.map(() => 0);
  return { queueKey, durability: "power-loss" as const, tagHashes, records, repeats: null };
}

/** A pull of the first queue, large enough for any test. */
export function pullOf(offset: number, waitMs = 0) {
  const { queueKey } = names;
  const bounds = { messagesMax: 100, bytesMax: 1_000_000 };
  return { queueKey, offset, ...bounds, filter: everything, ttlMs: null, waitMs };
}

/** A poll of the group, for a second, two attempts at most. */
export function receiveOf(more: Partial<ReceiveAsk> = {}): ReceiveAsk {
  return {
    groupKey: names.groupKey,
    queueKeys: [names.queueKey],
    messagesMax: 10,
    bytesMax: 1_000_000,
    invisibleMs: 1_000,
    waitMs: 0,
    filter: everything,
    otherFilters: [],
    clientId: "client",
    policy: {
      attemptsMax: 2,
      startFrom: "earliest",
      ordered: false,
      ttlMs: null,
      deadLetterQueueKey: names.deadKey,
      deadLetterTopic: "%DLQ%g",
    },
    ...more,
  };
}

/** Names deliveries in an acknowledgement. */
export function leasesOf(deliveries: readonly Delivery[]) {
  return {
    groupKey: names.groupKey,
    leases: deliveries.map(({ queueKey, offset, lease }) => ({ queueKey, offset, lease })),
  };
}

/** How a promise stands: "pending", "done", or the code it failed with. */
export function standing(promise: Promise<unknown>): { readonly now: string } {
  const state = { now: "pending" };
  promise.then(() => (state.now = "done"), (thrown) => {
    state.now = thrown instanceof BrokerError ? thrown.code : String(thrown);
  });
  return state;
}

/** The code a promise fails with; "none" when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
}

function textOfBody(record: Uint8Array): string {
  return record.length === 0 ? "" : new TextDecoder().decode(recordBody(record, 0));
}
