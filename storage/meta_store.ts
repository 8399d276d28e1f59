/** The coordinator's store: `meta.db`. One thread owns it and calls it directly. @module */
import { and, count, eq } from "drizzle-orm";
import { assert } from "../src/base/assert.ts";
import {
  firstCounters,
  type RegistryChange,
  type RegistryCounters,
} from "../src/model/registry.ts";
import type { MetaStart, MetaStore } from "../src/ports/meta_store.ts";
import { storageFault } from "./faults.ts";
import { counter, group, keyValue, secret, topic } from "./meta_schema.ts";
import { tables } from "./migrations/meta/0001_tables.ts";
import { timerQueues } from "./migrations/meta/0002_timer_queues.ts";
import { formerQueues } from "./migrations/meta/0003_former_queues.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open.ts";
import { type Drizzle, drizzleOver, type SqliteClient } from "./session.ts";

const secretBytes = 32;

/** What `migrate` brings `meta.db` through. */
export const metaMigrations = [tables, timerQueues, formerQueues] as const;

/**
 * Opens or creates `meta.db`.
 *
 * @param freshSecret 32 random bytes, kept at the first start and ignored at every later one.
 * @throws {StorageError} The file cannot be used; see `openDatabase` and `migrate`.
 */
export function openMetaStore(path: string, freshSecret: Uint8Array): MetaStore {
  assert(freshSecret.length === secretBytes, "a receipt secret has 32 bytes");
  const client = openDatabase({ path });
  try {
    migrate(client, path, metaMigrations);
    return new SqliteMetaStore(client, freshSecret);
  } catch (cause) {
    client.close();
    throw cause;
  }
}

class SqliteMetaStore implements MetaStore {
  readonly start: MetaStart;
  readonly #client: SqliteClient;
  readonly #db: Drizzle;

  constructor(client: SqliteClient, freshSecret: Uint8Array) {
    this.#client = client;
    this.#db = drizzleOver(client);
    this.start = this.#write("open the registry", () => this.#begin(freshSecret));
  }

  save(change: RegistryChange): void {
    this.#write(`save version ${change.counters.version} of the registry`, () => {
      for (const name of change.deletedTopics) {
        this.#db.delete(topic).where(eq(topic.name, name)).run();
      }
      for (const name of change.deletedGroups) {
        this.#db.delete(group).where(eq(group.name, name)).run();
      }
      for (const row of change.topics) {
        const { name: _name, ...set } = row;
        this.#db.insert(topic).values(row).onConflictDoUpdate({ target: topic.name, set }).run();
      }
      for (const row of change.groups) {
        const { name: _name, ...set } = row;
        this.#db.insert(group).values(row).onConflictDoUpdate({ target: group.name, set }).run();
      }
      for (const [name, value] of Object.entries(change.counters)) this.#count(name, value);
    });
  }

  keyValue(namespace: string, key: string): string | null {
    return this.#guard("read a value", () => {
      const row = this.#db.select({ value: keyValue.value }).from(keyValue)
        .where(and(eq(keyValue.namespace, namespace), eq(keyValue.key, key))).get();
      return row?.value ?? null;
    });
  }

  putKeyValue(namespace: string, key: string, value: string | null): void {
    this.#write("write a value", () => {
      if (value === null) {
        this.#db.delete(keyValue)
          .where(and(eq(keyValue.namespace, namespace), eq(keyValue.key, key))).run();
        return;
      }
      const target = [keyValue.namespace, keyValue.key];
      this.#db.insert(keyValue).values({ namespace, key, value })
        .onConflictDoUpdate({ target, set: { value } }).run();
    });
  }

  keyValues(namespace: string): Readonly<Record<string, string>> {
    return this.#guard("list values", () => {
      const rows = this.#db.select({ key: keyValue.key, value: keyValue.value }).from(keyValue)
        .where(eq(keyValue.namespace, namespace)).orderBy(keyValue.key).all();
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    });
  }

  keyValueCount(): number {
    return this.#guard(
      "count values",
      () => this.#db.select({ rows: count() }).from(keyValue).get()?.rows ?? 0,
    );
  }

  close(): void {
    this.#client.close();
  }

  #begin(freshSecret: Uint8Array): MetaStart {
    const counters = new Map(
      this.#db.select().from(counter).all().map(({ name, value }) => [name, value]),
    );
    const bootEpoch = (counters.get("bootEpoch") ?? 0) + 1;
    this.#count("bootEpoch", bootEpoch);
    this.#db.insert(secret).values({ name: "receipt", value: freshSecret })
      .onConflictDoNothing().run();
    const kept = this.#db.select().from(secret).where(eq(secret.name, "receipt")).get();
    assert(kept !== undefined, "the receipt secret was just stored");
    const names = Object.keys(firstCounters) as (keyof RegistryCounters)[];
    const numbers = names.map((name) => [name, counters.get(name) ?? firstCounters[name]]);
    return {
      registry: {
        topics: this.#db.select().from(topic).orderBy(topic.name).all(),
        groups: this.#db.select().from(group).orderBy(group.name).all(),
        counters: Object.fromEntries(numbers) as RegistryCounters,
      },
      receiptSecret: kept.value,
      bootEpoch,
    };
  }

  #count(name: string, value: number): void {
    this.#db.insert(counter).values({ name, value })
      .onConflictDoUpdate({ target: counter.name, set: { value } }).run();
  }

  /** All of `work` is kept, or nothing. Whole changes are rare: the WAL is emptied after each. */
  #write<T>(attempted: string, work: () => T): T {
    return this.#guard(attempted, () => {
      const result = this.#client.inTransaction("immediate", work);
      this.#client.prepare("PRAGMA wal_checkpoint(PASSIVE)").all();
      return result;
    });
  }

  #guard<T>(attempted: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw storageFault(attempted, cause);
    }
  }
}
