/** Owns topics and groups: decides, stores, and only then remembers and tells. @module */
import type { Log } from "../../src/base/log.ts";
import { type Plan, Registry } from "../../src/core/registry.ts";
import { systemTopics } from "../../src/core/system_topics.ts";
import type {
  CoordinatorNews,
  PutGroupAsk,
  PutTopicAsk,
  RegistrySnapshot,
} from "../../src/link/coordinator_messages.ts";
import type { Durability } from "../../src/model/durability.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import type { Group } from "../../src/model/group.ts";
import type { RegistryChange, RegistryCounters } from "../../src/model/registry.ts";
import { permReadWrite, type Topic, type TopicSettings } from "../../src/model/topic.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";

/** The settings that shape the registry. */
export type RegistrySettings = {
  readonly shards: number;
  readonly clusterName: string;
  readonly autoCreateTopics: boolean;
  readonly traceTopic: boolean;
  readonly defaultQueues: number;
  readonly defaultDurability: Durability;
  readonly retentionMs: number;
  readonly retentionBytes: number | null;
};

/** What the owner is made of. */
export type OwnsRegistryParts = {
  readonly store: MetaStore;
  readonly settings: RegistrySettings;
  readonly log: Log;
  readonly tell: (news: CoordinatorNews) => void;
  /** Called when retention rules may have changed. */
  readonly onTopicsChanged: () => void;
};

/** The registry, kept in memory and in the store alike. */
export class OwnsRegistry {
  readonly #parts: OwnsRegistryParts;
  readonly #registry: Registry;
  /** A write whose end is unknown: memory may differ from the file until the next start. */
  #failure: StorageError | null = null;

  /**
   * Makes the system topics that are missing.
   *
   * @throws {BrokerError} `conflict`: fewer shards than before. @throws {StorageError}
   */
  constructor(parts: OwnsRegistryParts, nowMs: number) {
    this.#parts = parts;
    const { settings, store } = parts;
    const options = { shards: settings.shards, defaults: topicDefaults(settings) };
    this.#registry = new Registry(options, store.start.registry);
    const { wanted, unwanted } = systemTopics(settings);
    const change = this.#registry.planStart(wanted, unwanted, nowMs);
    if (change !== null) this.#save(change);
  }

  snapshot(): Omit<RegistrySnapshot, "filters"> {
    const { receiptSecret, bootEpoch } = this.#parts.store.start;
    return {
      topics: this.#registry.topics(),
      groups: this.#registry.groups(),
      receiptSecret: btoa(String.fromCharCode(...receiptSecret)),
      bootEpoch,
    };
  }

  topics(): readonly Topic[] {
    return this.#registry.topics();
  }

  groupKeys(): number[] {
    return this.#registry.groups().map(({ groupKey }) => groupKey);
  }

  /** The largest numbers given so far. */
  get counters(): RegistryCounters {
    return this.#registry.counters;
  }

  putTopic({ name, settings, mode, system }: PutTopicAsk, nowMs: number): Topic {
    return this.#carryOut(this.#registry.planPutTopic(name, settings, mode, system, nowMs));
  }

  /** The topic as it was. */
  deleteTopic(name: string): Topic {
    return this.#carryOut(this.#registry.planDeleteTopic(name));
  }

  putGroup({ name, settings, mode }: PutGroupAsk, nowMs: number): Group {
    return this.#carryOut(this.#registry.planPutGroup(name, settings, mode, nowMs));
  }

  /** The group as it was. */
  deleteGroup(name: string): Group {
    return this.#carryOut(this.#registry.planDeleteGroup(name));
  }

  /** A number no group ever had, nor will have. */
  newGroupKey(): number {
    return this.#carryOut(this.#registry.planGroupKey());
  }

  #carryOut<T>({ answer, change }: Plan<T>): T {
    if (change === null) return answer;
    this.#save(change);
    const { tell } = this.#parts;
    for (const name of change.deletedGroups) tell({ kind: "group-deleted", name });
    for (const name of change.deletedTopics) tell({ kind: "topic-deleted", name });
    // Topics before groups: whoever sees a group finds its retry topic.
    for (const topic of change.topics) tell({ kind: "topic", topic });
    for (const group of change.groups) tell({ kind: "group", group });
    if (change.topics.length > 0 || change.deletedTopics.length > 0) {
      this.#parts.onTopicsChanged();
    }
    return answer;
  }

  #save(change: RegistryChange): void {
    if (this.#failure !== null) {
      throw new BrokerError(
        "storage_failed",
        `Cannot change the registry until the next start: ${this.#failure.message}`,
        { cause: this.#failure },
      );
    }
    try {
      this.#parts.store.save(change);
    } catch (thrown) {
      // Without room nothing was written. After any other fault the commit may have happened.
      if (thrown instanceof StorageError && thrown.fault !== "full") {
        this.#failure = thrown;
        this.#parts.log.error("registry_failed", { error: thrown });
      }
      throw thrown;
    }
    this.#registry.apply(change);
  }
}

/** Unread messages stay unless a topic says otherwise: nobody should lose what nobody has seen. */
function topicDefaults(settings: RegistrySettings): TopicSettings {
  return {
    queues: settings.defaultQueues,
    durability: settings.defaultDurability,
    retentionMs: settings.retentionMs,
    retentionBytes: settings.retentionBytes,
    deleteUnread: false,
    ordered: false,
    messageTtlMs: null,
    dedupe: "explicit",
    perm: permReadWrite,
    attributes: {},
  };
}
