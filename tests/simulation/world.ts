/**
 * A broker in one thread: real door, real coordinator, real shards, on disks that fail and over
 * channels that are late. It dies as a process dies, all at once, and is started again from its
 * disks.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { Door, type DoorParts } from "../../src/broker/door.ts";
import { RegistryView } from "../../src/broker/registry_view.ts";
import { delayMsMaxDefault } from "../../src/broker/send.ts";
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { LinkClient } from "../../src/link/client.ts";
import {
  type CoordinatorNews,
  coordinatorOperations,
} from "../../src/link/coordinator_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { UniqueKeys } from "../../src/model/message_id.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import type { DelayedRow, HalfRow } from "../../src/ports/shard_store.ts";
import type { Webhook } from "../../src/ports/webhook.ts";
import { producersHost } from "./webhook_host.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { Coordinator } from "../../workers/coordinator/coordinator.ts";
import { javaHash } from "../../src/base/hash.ts";
import type { Journal } from "./journal.ts";
import type { SimOptions } from "./options.ts";
import { ProcessTimers, type Scheduler } from "./scheduler.ts";
import { type LinkParts, simChannel } from "./sim_link.ts";
import { SimMetaDisk } from "./sim_meta_store.ts";
import { drawFate, newWeather } from "./disk_weather.ts";
import { type ShardDisk, SimShards } from "./sim_shards.ts";
import { SimDisk, SimulatedCrash, type WriteFate } from "./sim_store.ts";

type Process = {
  readonly timers: ProcessTimers;
  readonly door: Door;
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly shards: SimShards;
  /** Aborted when the process ends: whoever asked gets no answer. */
  readonly gone: AbortController;
  /** Ends every link: what is pending fails. */
  readonly lose: (error: Error) => void;
};

/** What a world is made of. */
export type WorldParts = {
  readonly options: SimOptions;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly prng: Prng;
};

/** What is stored of a queue, between its bounds. */
export type StoredQueue = {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  readonly records: readonly Uint8Array[];
};

/** The broker under test, its disks, and what befalls them. */
export class World {
  readonly #parts: WorldParts;
  readonly #disks: ShardDisk[];
  readonly #meta = new SimMetaDisk();
  /** Begun, and perhaps not serving yet. */
  #starting: Process | null = null;
  #process: Process | null = null;
  #onUp: (() => void)[] = [];
  #calm = true;
  #starts = 0;
  #writes = 0;
  #webhook: Webhook | null = null;
  #onDoor: (broker: Broker) => void = () => {};

  constructor(parts: WorldParts) {
    const { options, prng, scheduler, journal } = parts;
    this.#parts = parts;
    this.#meta.forgetsReaders = options.storeMistake === "forgets who has places of his own";
    this.#disks = Array.from({ length: options.shards }, (_, shard) => {
      const weather = newWeather(prng.fork());
      const disk = new SimDisk();
      disk.mistake = options.storeMistake;
      disk.fateOf = (operation) => {
        const fate = this.#plannedFate() ??
          drawFate(weather, this.#calm ? null : options.faults, operation, scheduler);
        if (fate !== "done") journal.note({ kind: "fault", shard, fate });
        return fate;
      };
      return { disk, weather };
    });
  }

  /** Who answers webhooks, and who hears of each process that begins. Told before the first. */
  connect(webhook: Webhook | null, onDoor: (broker: Broker) => void): void {
    this.#webhook = webhook;
    this.#onDoor = onDoor;
  }

  /** A crash that was planned for this very write. */
  #plannedFate(): WriteFate | null {
    const { crashAt } = this.#parts.options;
    if (this.#calm || crashAt === null) return null;
    return ++this.#writes === crashAt.write ? crashAt.fate : null;
  }

  /** From now on writes may fail, or no longer. */
  setCalm(calm: boolean): void {
    this.#calm = calm;
  }

  get isCalm(): boolean {
    return this.#calm;
  }

  /** The door, once there is one. */
  async broker(): Promise<Broker> {
    while (this.#process === null) await new Promise<void>((up) => this.#onUp.push(up));
    return this.#process.door;
  }

  /** Aborted when the process that serves now ends. */
  get gone(): AbortSignal | undefined {
    return this.#process?.gone.signal;
  }

  /** How often a process began. */
  get starts(): number {
    return this.#starts;
  }

  /** One shard's thread ends, and nothing else. */
  endShard(shard: number): void {
    this.#starting?.shards.end(shard);
  }

  /** Starts a process on the disks as they are. */
  async start(): Promise<void> {
    const { scheduler, options, journal } = this.#parts;
    const timers = new ProcessTimers(scheduler, (thrown) => scheduler.fail(thrown));
    const links: LinkParts = {
      scheduler,
      timers,
      prng: this.#parts.prng.fork(),
      lateMsMax: options.lateMsMax,
    };
    const view = new RegistryView();
    const router = new ShardRouter(options.shards);
    let heardChecks: Door["heardChecks"] = () => {};
    const shards = new SimShards({
      ...this.#parts,
      links,
      router,
      disks: this.#disks,
      isCalm: () => this.#calm,
      onChecks: (shard, checks) => heardChecks(shard, checks),
      onThrown: (shard, thrown) => this.#thrown(shard, thrown),
    });
    const { coordinator, news } = this.#startCoordinator(shards.start(), links);
    const door = this.#door({ view, router, coordinator, timers });
    heardChecks = (shard, checks) => door.heardChecks(shard, checks);
    const lose = (error: Error) => {
      shards.lose(error);
      coordinator.lose(error);
    };
    const starting = { timers, door, view, router, shards, gone: new AbortController(), lose };
    news.listen((one) => door.heard(one));
    this.#starting = starting;
    door.begin(await coordinator.ask("snapshot", null));
    this.#process = starting;
    this.#onDoor(door);
    journal.note({ kind: "started" });
    for (const up of this.#onUp.splice(0)) up();
  }

  #door(parts: Pick<DoorParts, "view" | "router" | "coordinator" | "timers">): Door {
    const { scheduler, options } = this.#parts;
    return new Door({
      ...parts,
      signer: simSigner,
      uniqueKeys: new UniqueKeys(scheduler.clock, this.#keySeed()),
      clock: scheduler.clock,
      log: silentLog,
      webhook: this.#webhook,
      settings: {
        autoCreateTopics: false,
        autoCreateGroups: false,
        dedupeWindowMs: 600_000,
        delayMsMax: delayMsMaxDefault,
        transactionFirstCheckMs: options.checkIntervalMs,
        transactionCheckIntervalMs: options.checkIntervalMs,
        webhookHosts: this.#webhook === null ? null : producersHost,
        clusterName: "sim",
        traceTopic: false,
      },
    });
  }

  /** What the disks hold of each queue that has a name. */
  storedQueues(): StoredQueue[] {
    const view = this.#process?.view;
    return this.#disks.flatMap(({ disk }) => {
      const image = disk.current();
      return [...image.queues].flatMap(([queueKey, { minOffset, messages }]) => {
        const name = view?.queue(queueKey);
        if (name === undefined) return [];
        const records = messages.slice(minOffset).map(({ record }) => record);
        const [min, max] = [minOffset, messages.length];
        return [{ topic: name.topic.name, queueId: name.queueId, min, max, records }];
      });
    });
  }

  /** Queues on the disks that belong to no topic. */
  orphans(): number[] {
    const view = this.#process?.view;
    return this.#disks.flatMap(({ disk }) => {
      return disk.current().queueKeys().filter((queueKey) => view?.queue(queueKey) === undefined);
    });
  }

  /** Whether the queue belongs to a topic: of one deleted, rows may be left for a while. */
  isThere(queueKey: number): boolean {
    return this.#process?.view.queue(queueKey) !== undefined;
  }

  /** What the disks hold that is not visible yet, or never will be. */
  waiting(): { readonly delayed: readonly DelayedRow[]; readonly halves: readonly HalfRow[] }[] {
    return this.#disks.map(({ disk }) => {
      const { tables } = disk.current();
      return { delayed: [...tables.delayed.values()], halves: [...tables.halves.values()] };
    });
  }

  /** The process is gone, with the power or without. It comes back after a while. */
  crash(power: boolean): void {
    const { journal, scheduler, prng } = this.#parts;
    const dying = this.#starting;
    if (dying === null) return;
    this.#process = null;
    this.#starting = null;
    dying.timers.kill();
    const lost = this.#disks.flatMap(({ disk }) => {
      disk.crash();
      return power ? disk.cutPower() : [];
    }).map(({ queueKey, queueOffset }) => {
      const name = dying.view.queue(queueKey);
      return { topic: name?.topic.name ?? "", queueId: name?.queueId ?? -1, offset: queueOffset };
    });
    journal.note({ kind: "crash", power, lost });
    dying.lose(new BrokerError("storage_failed", "the process ended"));
    dying.gone.abort();
    scheduler.later(prng.between(1, 2_000), () => {
      this.start().catch((thrown) => {
        if (!(thrown instanceof BrokerError)) scheduler.fail(thrown);
      });
    });
  }

  /** Asks all shards to drain, and ends the process. */
  async stop(): Promise<void> {
    const stopping = this.#process;
    if (stopping === null) return;
    await stopping.router.askAll("drain", () => null);
    stopping.timers.kill();
    stopping.lose(new BrokerError("shutting_down"));
    this.#process = null;
    this.#starting = null;
  }

  #startCoordinator(ends: ThreadPort[], links: LinkParts) {
    const { scheduler, options } = this.#parts;
    const [ours, theirs] = simChannel(links);
    const early: CoordinatorNews[] = [];
    let heard = (one: CoordinatorNews): void => {
      early.push(one);
    };
    const coordinator = new LinkClient(
      coordinatorOperations,
      ours,
      limits.linkRequestsMax,
      (one) => heard(one as CoordinatorNews),
    );
    new Coordinator({
      front: theirs,
      shards: ends,
      store: this.#meta.open(),
      clock: scheduler.clock,
      timers: links.timers,
      log: silentLog,
      settings: {
        shards: options.shards,
        clusterName: "sim",
        brokerName: "sim",
        autoCreateTopics: false,
        traceTopic: false,
        defaultQueues: options.queuesPerTopic,
        defaultDurability: "power-loss",
        retentionMs: limits.retentionMsMax,
        retentionBytes: null,
      },
    });
    const listen = (listener: (one: CoordinatorNews) => void) => {
      for (const one of early.splice(0)) listener(one);
      heard = listener;
    };
    return { coordinator, news: { listen } };
  }

  /** A mistake in a shard ends its thread; here it ends the run. */
  #thrown(shard: number, thrown: unknown): void {
    const { options, prng, scheduler } = this.#parts;
    if (!(thrown instanceof SimulatedCrash)) scheduler.fail(thrown);
    else if (options.shardLosses && prng.chance(0.3)) this.endShard(shard);
    else this.crash(prng.chance(options.faults.powerShare));
  }

  #keySeed(): Uint8Array {
    return Uint8Array.from({ length: 10 }, (_, at) => at === 0 ? ++this.#starts & 0xff : at);
  }
}

/** Not secret, but different for different texts: forging is not what is simulated. */
const simSigner: Signer = {
  sign: (text) => `${(javaHash(text) >>> 0).toString(36)}`.padStart(22, "_"),
  verify: (text, signature) => simSigner.sign(text) === signature,
};
