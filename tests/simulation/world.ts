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
import { Door } from "../../src/broker/door.ts";
import { RegistryView } from "../../src/broker/registry_view.ts";
import { delayMsMaxDefault } from "../../src/broker/send.ts";
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { LinkClient } from "../../src/link/client.ts";
import {
  type CoordinatorNews,
  coordinatorOperations,
  type ShardNews,
} from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import { shardOperations } from "../../src/link/shard_messages.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import { UniqueKeys } from "../../src/model/message_id.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { Coordinator } from "../../workers/coordinator/coordinator.ts";
import { DiskGuard } from "../../workers/shard/disk_guard.ts";
import { Shard } from "../../workers/shard/shard.ts";
import { javaHash } from "../../src/base/hash.ts";
import type { Journal } from "./journal.ts";
import type { SimOptions } from "./options.ts";
import { ProcessTimers, type Scheduler } from "./scheduler.ts";
import { type LinkParts, simChannel } from "./sim_link.ts";
import { SimMetaDisk } from "./sim_meta_store.ts";
import { type DiskWeather, drawFate, newWeather } from "./disk_weather.ts";
import { SimDisk, SimulatedCrash } from "./sim_store.ts";

type Process = {
  readonly timers: ProcessTimers;
  readonly door: Door;
  readonly view: RegistryView;
  readonly router: ShardRouter;
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

const reserveBytes = 1_000;

/** The broker under test, its disks, and what befalls them. */
export class World {
  readonly #parts: WorldParts;
  readonly #disks: SimDisk[];
  readonly #weather: DiskWeather[];
  readonly #meta = new SimMetaDisk();
  /** Begun, and perhaps not serving yet. */
  #starting: Process | null = null;
  #process: Process | null = null;
  #onUp: (() => void)[] = [];
  #calm = true;
  /** How often a process began. */
  #starts = 0;

  constructor(parts: WorldParts) {
    const { options, prng, scheduler, journal } = parts;
    this.#parts = parts;
    this.#weather = Array.from({ length: options.shards }, () => newWeather(prng.fork()));
    this.#disks = this.#weather.map((weather, shard) => {
      const disk = new SimDisk();
      disk.mistake = options.storeMistake;
      disk.fateOf = (operation) => {
        const fate = drawFate(weather, this.#calm ? null : options.faults, operation, scheduler);
        if (fate !== "done") journal.note({ kind: "fault", shard, fate });
        return fate;
      };
      return disk;
    });
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

  /** Starts a process on the disks as they are. */
  async start(): Promise<void> {
    const { scheduler, options, journal } = this.#parts;
    const timers = new ProcessTimers(scheduler, (thrown) => this.#thrown(thrown));
    const links: LinkParts = {
      scheduler,
      timers,
      prng: this.#parts.prng.fork(),
      lateMsMax: options.lateMsMax,
    };
    const view = new RegistryView();
    const router = new ShardRouter(options.shards);
    const ends: ThreadPort[] = [];
    const losers: ((error: Error) => void)[] = [];
    for (let shard = 0; shard < options.shards; shard++) {
      const { link, coordinatorEnd } = this.#startShard(shard, links);
      router.connect(shard, link);
      ends.push(coordinatorEnd);
      losers.push((error) => link.lose(error));
    }
    const { coordinator, news } = this.#startCoordinator(ends, links);
    losers.push((error) => coordinator.lose(error));
    const uniqueKeys = new UniqueKeys(scheduler.clock, this.#keySeed());
    const settings = {
      autoCreateTopics: false,
      autoCreateGroups: false,
      dedupeWindowMs: 600_000,
      delayMsMax: delayMsMaxDefault,
      transactionFirstCheckMs: 6_000,
      transactionCheckIntervalMs: 30_000,
      webhookHosts: null,
    };
    const door = new Door({
      view,
      router,
      coordinator,
      signer: simSigner,
      uniqueKeys,
      clock: scheduler.clock,
      timers,
      log: silentLog,
      webhook: null,
      settings,
    });
    const lose = (error: Error) => losers.forEach((loser) => loser(error));
    const starting = { timers, door, view, router, lose };
    news.listen((one) => door.heard(one));
    this.#starting = starting;
    door.begin(await coordinator.ask("snapshot", null));
    this.#process = starting;
    journal.note({ kind: "started" });
    for (const up of this.#onUp.splice(0)) up();
  }

  /** The process is gone, with the power or without. It comes back after a while. */
  crash(power: boolean): void {
    const { journal, scheduler, prng } = this.#parts;
    const dying = this.#starting;
    if (dying === null) return;
    this.#process = null;
    this.#starting = null;
    dying.timers.kill();
    const lost = this.#disks.flatMap((disk) => {
      disk.crash();
      return power ? disk.cutPower() : [];
    }).map(({ queueKey, queueOffset }) => {
      const name = dying.view.queue(queueKey);
      return { topic: name?.topic.name ?? "", queueId: name?.queueId ?? -1, offset: queueOffset };
    });
    journal.note({ kind: "crash", power, lost });
    dying.lose(new BrokerError("storage_failed", "the process ended"));
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

  #startShard(shard: number, links: LinkParts) {
    const { scheduler, options } = this.#parts;
    const [front, shardEnd] = simChannel(links);
    const [coordinatorEnd, news] = simChannel(links);
    const disk = this.#disks[shard];
    const weather = this.#weather[shard];
    if (disk === undefined || weather === undefined) throw new RangeError(`no shard ${shard}`);
    let opened = false;
    const server = new LinkServer(shardOperations, shardEnd, () => role.arrived());
    const role: Shard = new Shard({
      number: shard,
      openStore: () => {
        // The launcher's own first try is not what is tested here.
        if (opened && !this.#calm && weather.prng.chance(0.3)) {
          throw new StorageError("io", "the simulated disk cannot be read yet");
        }
        opened = true;
        return disk.open();
      },
      clock: scheduler.clock,
      timers: links.timers,
      guard: new DiskGuard({
        freeBytes: () => weather.fullUntilMs > scheduler.nowMs ? 0 : reserveBytes * 10,
        setBallast: () => true,
        dropBallast: () => true,
      }, options.faults.full > 0 ? reserveBytes : 0),
      log: silentLog,
      tellCoordinator: (told) => news.postMessage(JSON.stringify(told), []),
    }, server);
    news.onMessage((text) => role.heard(JSON.parse(String(text)) as ShardNews));
    const link = new LinkClient(shardOperations, front, limits.linkRequestsMax, () => {});
    return { link, coordinatorEnd };
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

  #thrown(thrown: unknown): void {
    const { options, prng, scheduler } = this.#parts;
    if (thrown instanceof SimulatedCrash) this.crash(prng.chance(options.faults.powerShare));
    else scheduler.fail(thrown);
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
