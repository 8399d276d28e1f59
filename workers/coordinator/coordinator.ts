/**
 * The coordinator: beside the road of messages, never on it. It decides about names, members, locks
 * and filters, and publishes what it decided; front and shards keep the newest copy.
 *
 *     front ──questions──▶ turn: take ▶ decide ▶ store ▶ tell and answer ▶ post ──▶ front
 *     shard ──alarm──▶ owns_delays ──ring──▶ shard
 *
 * News of a turn stands before its answers in one buffer, so whoever is answered has the news.
 *
 * @module
 */
import { assert, AssertionError } from "../../src/base/assert.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import type { AnswerOf, RequestOf } from "../../src/link/client.ts";
import {
  type CoordinatorNews,
  type CoordinatorOperations,
  coordinatorOperations,
  type ShardNews,
} from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { Group } from "../../src/model/group.ts";
import type { Topic } from "../../src/model/topic.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { existingNews } from "./existing_news.ts";
import { OwnsDelays } from "./owns_delays.ts";
import { OwnsFilters } from "./owns_filters.ts";
import { filterSweepMs, OwnsGroupFilters } from "./owns_group_filters.ts";
import { OwnsKeyValues } from "./owns_key_values.ts";
import { OwnsLocks } from "./owns_locks.ts";
import { OwnsMembership } from "./owns_membership.ts";
import { OwnsReaders } from "./owns_readers.ts";
import { OwnsRegistry, type RegistrySettings } from "./owns_registry.ts";
import { retentionRules } from "./retention_rules.ts";
import { TellsShards } from "./tells_shards.ts";

/** What the launcher hands to the thread. */
export type CoordinatorSettings = RegistrySettings & { readonly brokerName: string };

/** What the coordinator is made of. `shards[i]` leads to shard i. */
export type CoordinatorParts = {
  readonly front: ThreadPort;
  readonly shards: readonly ThreadPort[];
  readonly store: MetaStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly settings: CoordinatorSettings;
};

type Name = keyof CoordinatorOperations;
/** Looked up by name, so that the compiler joins a name of several to the requests of all. */
type Requests = { readonly [N in Name]: RequestOf<CoordinatorOperations, N> };
type Answers = { readonly [N in Name]: AnswerOf<CoordinatorOperations, N> };
type Question<N extends Name> = {
  readonly name: N;
  readonly id: number;
  readonly request: Requests[N];
};
type Handlers = { readonly [N in Name]: (request: Requests[N]) => Answers[N] };

/** The role of the coordinator's thread. */
export class Coordinator {
  /** Resolved when the coordinator was asked to drain and let go of everything. */
  readonly drained: Promise<void>;
  readonly #parts: CoordinatorParts;
  readonly #registry: OwnsRegistry;
  readonly #keyValues: OwnsKeyValues;
  readonly #filters: OwnsFilters;
  readonly #groupFilters: OwnsGroupFilters;
  readonly #readers: OwnsReaders;
  #cancelSweep: () => void = () => {};
  readonly #members: OwnsMembership;
  readonly #locks: OwnsLocks;
  readonly #delays: OwnsDelays;
  readonly #retention: TellsShards;
  readonly #existing: TellsShards;
  readonly #handlers: Handlers;
  readonly #server: LinkServer<CoordinatorOperations>;
  readonly #setDrained: () => void;
  #state: "open" | "draining" | "closed" = "open";

  /** @throws {BrokerError} `conflict`: fewer shards than before. @throws {StorageError} */
  constructor(parts: CoordinatorParts) {
    const { front, shards, store, clock, timers, log, settings } = parts;
    assert(shards.length === settings.shards, "every shard has a port");
    this.#parts = parts;
    const drained = Promise.withResolvers<void>();
    this.drained = drained.promise;
    this.#setDrained = drained.resolve;
    const tell = (news: CoordinatorNews) => this.#server.tell(news);
    const post = () => this.#server.post();
    const tellShard = (shard: number, news: ShardNews) => this.#tellShard(shard, news);
    const onTopicsChanged = () => this.#retention.changed();
    this.#registry = new OwnsRegistry(
      { store, settings, log, tell, onTopicsChanged },
      clock.wallMs(),
    );
    this.#keyValues = new OwnsKeyValues(store);
    this.#filters = new OwnsFilters(tell);
    const filters = this.#filters;
    this.#groupFilters = new OwnsGroupFilters({ store, filters, tell }, clock.wallMs());
    const newKey = () => this.#registry.newGroupKey();
    this.#readers = new OwnsReaders({ store, newKey, tell });
    this.#members = new OwnsMembership({ clock, timers, log, filters, tell, post });
    this.#locks = new OwnsLocks(clock);
    this.#delays = new OwnsDelays(shards.length, clock, timers, tellShard);
    const told = { shards: shards.length, clock, timers, tellShard };
    this.#retention = new TellsShards(told, () => {
      const topics = this.#registry.topics();
      return (shard) => ({ kind: "retention", rules: retentionRules(topics, shard) });
    });
    this.#existing = new TellsShards(told, () => {
      const groupKeys = [...this.#registry.groupKeys(), ...this.#readers.keys()];
      const { counters } = this.#registry;
      const existing = { topics: this.#registry.topics(), groupKeys, counters };
      return (shard) => existingNews(existing, shard);
    });
    this.#handlers = this.#makeHandlers();
    this.#retention.tellNow();
    this.#existing.tellNow();
    for (const [shard, port] of shards.entries()) {
      port.onMessage((message) => this.#hear(shard, message));
    }
    this.#server = new LinkServer(coordinatorOperations, front, () => this.#turn());
    this.#planSweep();
  }

  #makeHandlers(): Handlers {
    const nowMs = () => this.#parts.clock.wallMs();
    return {
      snapshot: () => {
        return { ...this.#registry.snapshot(), filters: this.#groupFilters.snapshot() };
      },
      putTopic: (ask) => this.#registry.putTopic(ask, nowMs()),
      deleteTopic: ({ name }) => this.#deleteTopic(name),
      putGroup: (ask) => this.#registry.putGroup(ask, nowMs()),
      deleteGroup: ({ name }) => this.#deleteGroup(name),
      heartbeat: (ask) => this.#members.heartbeat(ask),
      unregister: (ask) => {
        this.#members.unregister(ask);
        return null;
      },
      disconnect: ({ connection }) => {
        this.#members.disconnect(connection);
        return null;
      },
      consumers: ({ group }) => this.#members.consumers(group),
      consumerIds: ({ group }) => this.#members.consumerIds(group),
      repeatBeat: (ask) => this.#members.repeatBeat(ask),
      producers: ({ group }) => this.#members.producers(group),
      lockQueues: (ask) => this.#locks.lock(ask),
      unlockQueues: (ask) => {
        this.#locks.unlock(ask);
        return null;
      },
      compile: (expression) => this.#filters.compile(expression),
      noteFilter: (ask) => {
        this.#groupFilters.note(ask, nowMs());
        return null;
      },
      joinBroadcast: ({ group, clientId }) => {
        return { readerKey: this.#readers.join(group, clientId, nowMs()) };
      },
      readersDropped: ({ readerKeys }) => {
        this.#readers.dropped(readerKeys);
        return null;
      },
      getKeyValue: ({ namespace, key }) => this.#keyValues.get(namespace, key),
      putKeyValue: ({ namespace, key, value }) => {
        this.#keyValues.put(namespace, key, value);
        return null;
      },
      listKeyValues: ({ namespace }) => this.#keyValues.list(namespace),
      drain: () => {
        if (this.#state === "open") this.#state = "draining";
        return null;
      },
    };
  }

  #deleteTopic(name: string): Topic {
    const topic = this.#registry.deleteTopic(name);
    this.#locks.forgetTopic(name);
    this.#groupFilters.forgetTopic(name);
    this.#existing.changed();
    return topic;
  }

  #deleteGroup(name: string): Group {
    const group = this.#registry.deleteGroup(name);
    this.#locks.forgetGroup(name);
    this.#groupFilters.forgetGroup(name);
    this.#readers.forgetGroup(name);
    this.#members.forgetGroup(name);
    this.#existing.changed();
    return group;
  }

  /** Now and then, what is not heard of any more is forgotten. */
  #planSweep(): void {
    const { clock, timers } = this.#parts;
    this.#cancelSweep = timers.setTimer(filterSweepMs, () => {
      this.#groupFilters.sweep(clock.wallMs());
      this.#readers.sweep(clock.wallMs());
      this.#server.post();
      this.#planSweep();
    });
  }

  /** Everything that has arrived is answered, and leaves as one buffer. */
  #turn(): void {
    for (const asked of this.#server.take()) this.#answer(asked);
    this.#server.post();
    if (this.#state === "draining") this.#close();
  }

  #answer<N extends Name>({ name, id, request }: Question<N>): void {
    try {
      if (this.#state !== "open" && name !== "drain") {
        throw new BrokerError("shutting_down", `Cannot answer "${name}": the broker is stopping`);
      }
      const answer: Answers[N] = this.#handlers[name](request);
      this.#server.answer(name, id, answer);
    } catch (thrown) {
      if (thrown instanceof AssertionError) throw thrown;
      if (!(thrown instanceof BrokerError)) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        this.#parts.log.error("question_failed", { question: name, error });
      }
      this.#server.refuse(id, thrown);
    }
  }

  #hear(shard: number, message: unknown): void {
    assert(typeof message === "string", "shards and coordinator talk in JSON text");
    const news = JSON.parse(message) as ShardNews;
    assert(news.kind === "alarm", "a shard tells of its alarm and nothing else");
    if (this.#state === "open") this.#delays.setAlarm(shard, news.dueMs);
  }

  #tellShard(shard: number, news: ShardNews): void {
    this.#parts.shards[shard]?.postMessage(JSON.stringify(news), []);
  }

  #close(): void {
    this.#state = "closed";
    this.#cancelSweep();
    this.#members.stop();
    this.#delays.stop();
    this.#retention.stop();
    this.#existing.stop();
    this.#parts.store.close();
    this.#setDrained();
  }
}
