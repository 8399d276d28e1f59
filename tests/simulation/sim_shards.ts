/**
 * The shards of a simulated process, each as if on a thread of its own: it can end alone, and is
 * started again on its disk while the others go on.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ShardRouter } from "../../src/broker/shard_router.ts";
import { LinkClient } from "../../src/link/client.ts";
import type { ShardFrontNews, ShardNews } from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import { shardOperations } from "../../src/link/shard_messages.ts";
import type { HalfCheck } from "../../src/link/transaction_messages.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import { DiskGuard } from "../../workers/shard/disk_guard.ts";
import { Shard } from "../../workers/shard/shard.ts";
import type { DiskWeather } from "./disk_weather.ts";
import type { Journal } from "./journal.ts";
import type { SimOptions } from "./options.ts";
import { ProcessTimers, type Scheduler } from "./scheduler.ts";
import { type LinkParts, simChannel } from "./sim_link.ts";
import type { SimDisk } from "./sim_store.ts";

/** One shard's disk, and how it behaves. */
export type ShardDisk = { readonly disk: SimDisk; readonly weather: DiskWeather };

/** What the shards are made of. */
export type SimShardsParts = {
  readonly options: SimOptions;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly prng: Prng;
  readonly links: LinkParts;
  readonly router: ShardRouter;
  readonly disks: readonly ShardDisk[];
  readonly isCalm: () => boolean;
  readonly onChecks: (shard: number, checks: readonly HalfCheck[]) => void;
  /** A shard threw: it may be only its thread that ends, or the process. */
  readonly onThrown: (shard: number, thrown: unknown) => void;
};

type Running = {
  readonly role: Shard;
  readonly timers: ProcessTimers;
  readonly link: LinkClient<typeof shardOperations>;
  readonly end: ThreadPort;
};

/** As the real watcher of the threads has it. */
const restartMs = 1_000;
const reserveBytes = 1_000;

/** Starts shards, ends them, and passes the coordinator's news to those that run. */
export class SimShards {
  readonly #parts: SimShardsParts;
  readonly #running = new Map<number, Running>();
  /** The coordinator's newest standing orders, for a shard that is started again. */
  readonly #standing = new Map<number, Map<string, ShardNews>>();
  readonly #coordinatorPorts: ThreadPort[] = [];

  constructor(parts: SimShardsParts) {
    this.#parts = parts;
  }

  /** Starts all shards. Answers the coordinator's ends of their news, by shard. */
  start(): ThreadPort[] {
    return this.#parts.disks.map((_, shard) => {
      const [ours, coordinators] = simChannel(this.#parts.links);
      this.#coordinatorPorts.push(ours);
      ours.onMessage((text) => this.#pass(shard, JSON.parse(String(text)) as ShardNews));
      this.#run(shard);
      return coordinators;
    });
  }

  /** A shard's thread ends; what was asked of it fails, and it is back after a while. */
  end(shard: number): void {
    const running = this.#running.get(shard);
    if (running === undefined) return;
    const { journal, router, disks, links } = this.#parts;
    this.#running.delete(shard);
    running.timers.kill();
    running.end.close();
    disks[shard]?.disk.crash();
    journal.note({ kind: "shard-lost", shard });
    router.disconnect(shard, "its thread ended");
    running.link.lose(new BrokerError("storage_failed", "the shard's thread ended"));
    links.timers.setTimer(restartMs, () => {
      this.#run(shard);
      journal.note({ kind: "shard-back", shard });
    });
  }

  /** The process is gone with all of them. */
  lose(error: Error): void {
    for (const { timers, link } of this.#running.values()) {
      timers.kill();
      link.lose(error);
    }
  }

  #run(shard: number): void {
    const { scheduler, options, links, router, disks } = this.#parts;
    const timers = new ProcessTimers(scheduler, (thrown) => this.#parts.onThrown(shard, thrown));
    const [front, end] = simChannel(links);
    const server = new LinkServer(shardOperations, end, () => role.arrived());
    const { weather } = disks[shard]!; // one for each shard
    const role: Shard = new Shard({
      number: shard,
      openStore: this.#opener(shard),
      clock: scheduler.clock,
      timers,
      guard: new DiskGuard({
        space: () => ({
          freeBytes: weather.fullUntilMs > scheduler.nowMs ? 0 : reserveBytes * 10,
          totalBytes: reserveBytes * 20,
        }),
        setBallast: () => true,
        dropBallast: () => true,
      }, options.faults.full > 0 ? reserveBytes : 0),
      log: silentLog,
      checks: { intervalMs: options.checkIntervalMs, checksMax: options.checksMax },
      tellCoordinator: (told) =>
        this.#coordinatorPorts[shard]?.postMessage(JSON.stringify(told), []),
    }, server);
    const link = new LinkClient(shardOperations, front, limits.linkRequestsMax, (notice) => {
      const news = notice as ShardFrontNews;
      if (news.kind === "checks") this.#parts.onChecks(shard, news.checks);
    });
    this.#running.set(shard, { role, timers, link, end });
    router.connect(shard, link);
    for (const order of this.#standing.get(shard)?.values() ?? []) role.heard(order);
  }

  #opener(shard: number) {
    const { disk, weather } = this.#parts.disks[shard]!; // one for each shard
    let opened = false;
    return () => {
      // The launcher's own first try is not what is tested here.
      if (opened && !this.#parts.isCalm() && weather.prng.chance(0.3)) {
        throw new StorageError("io", "the simulated disk cannot be read yet");
      }
      opened = true;
      return disk.open();
    };
  }

  #pass(shard: number, news: ShardNews): void {
    if (news.kind === "retention" || news.kind === "existing") {
      const orders = this.#standing.get(shard) ?? new Map<string, ShardNews>();
      this.#standing.set(shard, orders.set(news.kind, news));
    }
    this.#running.get(shard)?.role.heard(news);
  }
}
