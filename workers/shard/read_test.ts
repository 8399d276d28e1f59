import assert from "node:assert/strict";
import { test } from "node:test";
import { recordWith } from "../../tests/contract/shard_store_contract.ts";
import { limits } from "../../src/base/limits.ts";
import { compileExpression } from "../../src/core/filter.ts";
import type { PullAsk } from "../../src/link/shard_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import { readProperty } from "../../src/model/properties.ts";
import { recordProperties, splitRecords } from "../../src/model/record.ts";
import type { Filter } from "../../src/model/subscription.ts";
import { type PullStore, readPull } from "./read.ts";

/** A store of one queue whose messages have the property `n`, and counts the records it gives. */
class OneQueue implements PullStore {
  readonly #records: readonly Uint8Array[];
  /** Bytes the index says of every message, whatever the record has. */
  readonly #bytes: number;
  readonly damaged = new Set<number>();
  recordsRead = 0;

  constructor(count: number, bytes = 200) {
    this.#records = Array.from({ length: count }, (_, n) => recordWith({ n: String(n) }));
    this.#bytes = bytes;
  }

  minOffset(): number {
    return 0;
  }

  maxOffset(): number {
    return this.#records.length;
  }

  entries(_queueKey: number, fromOffset: number, countMax: number) {
    const count = Math.max(0, Math.min(countMax, this.#records.length - fromOffset));
    return Array.from({ length: count }, (_, at) => {
      const queueOffset = fromOffset + at;
      return {
        queueOffset,
        position: queueOffset + 1,
        bytes: this.#bytes,
        tagHash: queueOffset % 2,
      };
    });
  }

  records(positions: readonly number[]): Uint8Array[] {
    this.recordsRead += positions.length;
    if (positions.some((position) => this.damaged.has(position - 1))) {
      throw new StorageError("damaged", "a turn does not match its checksum");
    }
    return positions.map((position) => this.#records[position - 1] ?? new Uint8Array(0));
  }
}

function sql(text: string): Filter {
  return compileExpression({ language: "SQL92", text });
}

function pull(store: PullStore, filter: Filter, changes: Partial<PullAsk> = {}) {
  const ask = {
    queueKey: 1,
    offset: 0,
    messagesMax: 32,
    bytesMax: 1 << 20,
    ttlMs: null,
    waitMs: 0,
  };
  const { head, blob } = readPull(store, { ...ask, filter, ...changes }, 0);
  const found = splitRecords(blob).map((record) =>
    Number(readProperty(recordProperties(record, 0), "n"))
  );
  return { ...head, found };
}

test("readPull() takes what SQL lets through, and goes on behind the last it looked at", () => {
  const store = new OneQueue(1000);
  const { outcome, found, nextOffset } = pull(store, sql("n between 300 and 310 or n = 900"));
  assert.deepEqual([outcome, found.length, found.at(-1), nextOffset], ["found", 12, 900, 1000]);
});

test("readPull() stops at the messages asked for, without reading far ahead", () => {
  const store = new OneQueue(5000);
  const { found, nextOffset } = pull(store, sql("n > 9"), { messagesMax: 3 });
  assert.deepEqual([found, nextOffset], [[10, 11, 12], 13]);
  assert.ok(store.recordsRead <= 64 + 3, `${store.recordsRead} records were read`);
});

test("readPull() stops at the bytes asked for, before the message that does not fit", () => {
  const store = new OneQueue(10, 100);
  const { found, nextOffset } = pull(store, sql("n <> 1"), { bytesMax: 250 });
  assert.deepEqual([found, nextOffset], [[0, 2], 3]);
});

test("readPull() answers filtered after its share of messages, or of bytes", () => {
  const nothing = sql("n is null");
  const many = pull(new OneQueue(limits.filterScanEntriesMax + 100), nothing);
  assert.deepEqual([many.outcome, many.nextOffset], ["filtered", limits.filterScanEntriesMax]);
  const large = pull(new OneQueue(1000, 1 << 20), nothing);
  assert.deepEqual([large.outcome, large.nextOffset], ["filtered", 8]);
  const huge = pull(new OneQueue(1000, limits.filterScanBytesMax), nothing);
  assert.deepEqual([huge.outcome, huge.nextOffset], ["filtered", 1], "one at least");
});

test("readPull() looks at no record to choose by tag", () => {
  const store = new OneQueue(1000);
  const { found } = pull(store, { kind: "tags", tags: ["\u0001"], hashes: [1] });
  assert.deepEqual([found.length, found[0], store.recordsRead], [32, 1, 32]);
  assert.equal(pull(store, { kind: "tags", tags: ["x"], hashes: [7] }).outcome, "filtered");
  assert.equal(store.recordsRead, 32);
});

test("readPull() by SQL reads up to a damaged message, and tells of it there", () => {
  const store = new OneQueue(100);
  store.damaged.add(20);
  const before = pull(store, sql("n = 4 or n = 50"));
  assert.deepEqual([before.outcome, before.found, before.nextOffset], ["found", [4], 20]);
  const none = pull(store, sql("n = 50"), { offset: 5 });
  assert.deepEqual([none.outcome, none.nextOffset], ["filtered", 20]);
  assert.throws(() => pull(store, sql("n = 50"), { offset: 20 }), { fault: "damaged" });
  assert.deepEqual(pull(store, sql("n = 50"), { offset: 21 }).found, [50]);
});

test("readPull() of everything hands out what lies before a damaged message first", () => {
  const store = new OneQueue(100);
  store.damaged.add(20);
  const everything: Filter = { kind: "all" };
  const before: number[] = [];
  let offset = 0;
  for (; offset < 20;) {
    const { found, nextOffset } = pull(store, everything, { offset });
    before.push(...found);
    offset = nextOffset;
  }
  assert.deepEqual([before.length, before.at(-1), offset], [20, 19, 20]);
  assert.throws(() => pull(store, everything, { offset: 20 }), { fault: "damaged" });
  assert.deepEqual(pull(store, everything, { offset: 21 }).found.length, 32);
});
