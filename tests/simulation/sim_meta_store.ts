/**
 * The coordinator's store in memory: what it saved outlives the process, power cuts included.
 *
 * @module
 */
import {
  firstCounters,
  type RegistryChange,
  type RegistryState,
} from "../../src/model/registry.ts";
import { readersNamespace } from "../../workers/coordinator/owns_key_values.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import type { Group } from "../../src/model/group.ts";
import type { Topic } from "../../src/model/topic.ts";

/** The file under it. */
export class SimMetaDisk {
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Group>();
  readonly #values = new Map<string, string>();
  /** By mistake: who has places of his own is not read again. */
  forgetsReaders = false;
  #counters = firstCounters;
  #opened = 0;

  open(): MetaStore {
    this.#opened++;
    const registry: RegistryState = {
      topics: [...this.#topics.values()],
      groups: [...this.#groups.values()],
      counters: this.#counters,
    };
    const receiptSecret = new Uint8Array(32).fill(7);
    const values = this.#values;
    const inNamespace = (namespace: string) =>
      [...values].filter(([path]) => path.startsWith(`${namespace}/`))
        .map(([path, value]) => [path.slice(namespace.length + 1), value]);
    return {
      start: { registry, receiptSecret, bootEpoch: this.#opened },
      save: (change) => this.#save(change),
      keyValue: (namespace, key) => values.get(`${namespace}/${key}`) ?? null,
      putKeyValue: (namespace, key, value) => {
        if (value === null) values.delete(`${namespace}/${key}`);
        else values.set(`${namespace}/${key}`, value);
      },
      keyValues: (namespace) => {
        if (this.forgetsReaders && namespace === readersNamespace) return {};
        return Object.fromEntries(inNamespace(namespace));
      },
      keyValueCount: () => values.size,
      close: () => {},
    };
  }

  #save(change: RegistryChange): void {
    for (const name of change.deletedGroups) this.#groups.delete(name);
    for (const name of change.deletedTopics) this.#topics.delete(name);
    for (const group of change.groups) this.#groups.set(group.name, group);
    for (const topic of change.topics) this.#topics.set(topic.name, topic);
    this.#counters = change.counters;
  }
}
