/**
 * A broker in one thread: real door, coordinator, shards and stores, in a folder of its own, on a
 * clock that moves when told to. It can be stopped and started again on the same files.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { Door } from "../../src/broker/door.ts";
import { RegistryView } from "../../src/broker/registry_view.ts";
import { delayMsMaxDefault } from "../../src/broker/send.ts";
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { LinkClient } from "../../src/link/client.ts";
import {
  type CoordinatorNews,
  coordinatorOperations,
  type ShardFrontNews,
  type ShardNews,
} from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import { shardOperations } from "../../src/link/shard_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import { UniqueKeys } from "../../src/model/message_id.ts";
import { decodeProperties, encodeProperties } from "../../src/model/properties.ts";
import { readRecord } from "../../src/model/record.ts";
import type { SendRequest } from "../../src/broker/broker.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import type { Webhook } from "../../src/ports/webhook.ts";
import { openMetaStore } from "../../storage/meta_store.ts";
import { openShardStore, type SqliteShardStore } from "../../storage/mod.ts";
import { Coordinator } from "../../workers/coordinator/coordinator.ts";
import { DiskGuard } from "../../workers/shard/disk_guard.ts";
import { Shard } from "../../workers/shard/shard.ts";
import { ManualTimers } from "./manual_timers.ts";
import { portPair } from "./thread_ports.ts";

/** What the broker is built with. */
export type OneThreadOptions = {
  readonly shards?: number;
  readonly dedupeWindowMs?: number;
  readonly webhookHosts?: string;
  readonly webhook?: Webhook;
  readonly traceTopic?: boolean;
};

/** Turns of the event loop after which everything asked has been answered or waits. */
const settleRounds = 60;

/** Starts with `start`; `remove` at the end. */
export class OneThreadBroker {
  readonly timers = new ManualTimers();
  /** Positions, in any shard, whose records fail their checksum. */
  readonly damaged = new Set<number>();
  readonly #directory = mkdtempSync(join(tmpdir(), "curlew-broker-"));
  readonly #options: OneThreadOptions;
  #running: { readonly door: Door; readonly stop: () => Promise<void> } | null = null;
  #starts = 0;
  #router = new ShardRouter(1);
  readonly #links = new Map<number, LinkClient<typeof shardOperations>>();

  constructor(options: OneThreadOptions = {}) {
    this.#options = options;
  }

  /** The door of the process that runs. */
  get door(): Door {
    if (this.#running === null) throw new Error("start the broker first");
    return this.#running.door;
  }

  /** What the clock of everything says. */
  get nowMs(): number {
    return this.timers.clock.wallMs();
  }

  /** Begins a process on the files. */
  async start(): Promise<void> {
    const { timers } = this;
    const shardCount = this.#options.shards ?? 1;
    const router = new ShardRouter(shardCount);
    this.#router = router;
    const ends: ThreadPort[] = [];
    for (let shard = 0; shard < shardCount; shard++) ends.push(this.#startShard(shard, router));
    const [ours, theirs] = portPair();
    const view = new RegistryView();
    let heard: (news: CoordinatorNews) => void = () => {};
    const coordinator = new LinkClient(
      coordinatorOperations,
      ours,
      limits.linkRequestsMax,
      (news) => heard(news as CoordinatorNews),
    );
    new Coordinator({ ...this.#coordinatorParts(shardCount), front: theirs, shards: ends });
    const uniqueKeys = new UniqueKeys(timers.clock, new Uint8Array(10).fill(++this.#starts));
    const door = new Door({
      view,
      router,
      coordinator,
      signer: { sign, verify: (text, signature) => sign(text) === signature },
      uniqueKeys,
      clock: timers.clock,
      settings: {
        autoCreateTopics: false,
        autoCreateGroups: true,
        dedupeWindowMs: this.#options.dedupeWindowMs ?? 600_000,
        delayMsMax: delayMsMaxDefault,
        transactionFirstCheckMs: 6_000,
        transactionCheckIntervalMs: 30_000,
        webhookHosts: this.#options.webhookHosts ?? null,
        clusterName: "test",
        traceTopic: this.#options.traceTopic ?? false,
      },
      timers,
      log: silentLog,
      webhook: this.#options.webhook ?? null,
    });
    heard = (news) => door.heard(news);
    door.begin(await this.run(coordinator.ask("snapshot", null)));
    const stop = async () => {
      await this.run(router.askAll("drain", () => null));
      await this.run(coordinator.ask("drain", null));
    };
    this.#running = { door, stop };
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops what runs and deletes the files. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Does `work` while nobody reaches a shard. */
  async without(shard: number, work: () => Promise<void>): Promise<void> {
    this.#router.disconnect(shard, "its thread ended");
    await work();
    const link = this.#links.get(shard);
    if (link !== undefined) this.#router.connect(shard, link);
  }

  /** Lets everything that can happen now happen. */
  async settle(): Promise<void> {
    for (let round = 0; round < settleRounds; round++) {
      await Promise.resolve();
      this.timers.advance(0);
    }
  }

  /** Moves time on, and lets happen what comes of it. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    this.timers.advance(ms);
    await this.settle();
  }

  /** The answer to what needs no time. */
  async run<T>(asked: Promise<T>): Promise<T> {
    const [answer] = await Promise.all([asked, this.settle()]);
    return answer;
  }

  /** Lets records of the damaged positions fail their checksum. */
  #withDamage(store: SqliteShardStore): SqliteShardStore {
    const records = store.records.bind(store);
    store.records = (positions) => {
      const found = positions.find((position) => this.damaged.has(position));
      if (found === undefined) return records(positions);
      throw new StorageError("damaged", `the record at position ${found} is damaged`);
    };
    return store;
  }

  #startShard(shard: number, router: ShardRouter): ThreadPort {
    const { timers } = this;
    const directory = this.#directory;
    const [front, shardEnd] = portPair();
    const [coordinatorEnd, news] = portPair();
    const server = new LinkServer(shardOperations, shardEnd, () => role?.arrived());
    let role: Shard | null = null;
    const made = new Shard({
      number: shard,
      openStore: () => this.#withDamage(openShardStore({ directory, shard, clock: timers.clock })),
      clock: timers.clock,
      timers,
      guard: new DiskGuard({
        space: () => null,
        setBallast: () => true,
        dropBallast: () => true,
      }, 0),
      log: silentLog,
      tellCoordinator: (told) => news.postMessage(JSON.stringify(told), []),
    }, server);
    role = made;
    news.onMessage((text) => made.heard(JSON.parse(String(text)) as ShardNews));
    const link = new LinkClient(shardOperations, front, limits.linkRequestsMax, (notice) => {
      const news = notice as ShardFrontNews;
      if (news.kind === "checks") this.#running?.door.heardChecks(shard, news.checks);
    });
    this.#links.set(shard, link);
    router.connect(shard, link);
    return coordinatorEnd;
  }

  #coordinatorParts(shards: number) {
    const { timers } = this;
    const settings = {
      shards,
      clusterName: "test",
      brokerName: "test",
      autoCreateTopics: false,
      traceTopic: false,
      defaultQueues: 1,
      defaultDurability: "process-crash",
      retentionMs: limits.retentionMsMax,
      retentionBytes: null,
    } as const;
    const store = openMetaStore(`${this.#directory}/meta.db`, new Uint8Array(32).fill(7));
    return { store, clock: timers.clock, timers, log: silentLog, settings };
  }
}

/** Runs `work` with a broker of its own, and cleans up whatever happens. */
export async function withBroker(
  options: OneThreadOptions,
  work: (broker: OneThreadBroker) => Promise<void>,
): Promise<void> {
  const broker = new OneThreadBroker(options);
  try {
    await broker.start();
    await work(broker);
  } finally {
    await broker.remove();
  }
}

/** A send of texts with the given properties, as an HTTP producer's. */
export function sendOf(
  topic: string,
  bodies: readonly string[],
  properties: Readonly<Record<string, string>> = {},
): SendRequest {
  const host = { ip: "127.0.0.1", port: 1 };
  const entries = Object.entries(properties);
  const text = entries.length === 0 ? "" : encodeProperties(entries);
  const messages = bodies.map((body) => ({
    body: new TextEncoder().encode(body),
    properties: text,
    flag: 0,
    sysFlag: 0,
    bornMs: 1,
    bornHost: host,
    reconsumeTimes: 0,
  }));
  return { topic, queueId: null, storeHost: host, messages, ownIds: true };
}

/** A record's body as text. */
export function bodyText(record: Uint8Array): string {
  return new TextDecoder().decode(readRecord(record).body);
}

/** A record's properties. */
export function propertiesOf(record: Uint8Array): ReadonlyMap<string, string> {
  return decodeProperties(readRecord(record).properties);
}

function sign(text: string): string {
  return createHmac("sha256", "test").update(text).digest("base64url").slice(0, 22);
}
