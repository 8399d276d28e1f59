/**
 * How fast one shard appends, reads and recovers. Every append is a synced commit, checkpoints run
 * between turns as in a shard.
 *
 *     deno run -A bench/shard_store_bench.ts [append] [pull] [recovery] [pages]
 *
 * @module
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bench } from "tinybench";
import type { Clock } from "../src/base/clock.ts";
import type { LogEntry, ShardStore, TurnRecord } from "../src/ports/shard_store.ts";
import { openShardStore, type ShardStoreOptions } from "../storage/mod.ts";
import { recordWith } from "../tests/contract/shard_store_contract.ts";

const recordBytes = 420;
const monotonicMs = () => performance.now();
const clock: Clock = { wallMs: () => Date.now(), monotonicMs };
const wanted = new Set(process.argv.slice(2));

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Turns of one shape, made without garbage so that the store is what is measured. */
class TurnMaker {
  readonly #queues: number;
  readonly #records: Uint8Array;
  readonly #count: number;
  readonly #offsets: Float64Array;
  #queue = 0;
  #serial = 0;

  constructor(queues: number, count: number) {
    this.#queues = queues;
    this.#count = count;
    this.#offsets = new Float64Array(queues);
    const short = recordWith({ UNIQ_KEY: "0".repeat(32), TAGS: "blue", KEYS: "order-1", PAD: "" });
    const pad = "x".repeat(recordBytes - short.length);
    const record = recordWith({
      UNIQ_KEY: "0".repeat(32),
      TAGS: "blue",
      KEYS: "order-1",
      PAD: pad,
    });
    this.#records = new Uint8Array(count * recordBytes);
    for (let at = 0; at < count; at++) this.#records.set(record, at * recordBytes);
  }

  next(store: ShardStore): TurnRecord {
    const entries: LogEntry[] = [];
    for (let at = 0; at < this.#count; at++) {
      const queue = this.#queue;
      this.#queue = queue + 1 === this.#queues ? 0 : queue + 1;
      // Eight digits of the unique key differ, or the key index would have nothing to tell apart.
      const digits = at * recordBytes + 92 + 4 + 7 + 2 + 9;
      let serial = this.#serial++;
      for (let digit = 0; digit < 8; digit++, serial = Math.floor(serial / 10)) {
        this.#records[digits + digit] = 48 + serial % 10;
      }
      const start = at * recordBytes;
      const queueOffset = this.#offsets[queue]!++;
      entries.push({ queueKey: queue + 1, queueOffset, start, bytes: recordBytes, tagHash: 42 });
    }
    return {
      firstPosition: store.nextPosition(),
      storedMs: Math.max(Date.now(), store.lastStoredMs()),
      entries,
      records: this.#records,
      offsets: [],
      inflight: [],
      delayedPuts: [],
      delayedDeletes: [],
      halfPuts: [],
      events: [],
      durability: "power-loss",
    };
  }
}

/** Opens a store in a folder of its own, and deletes it after `body`. */
async function withStore<T>(
  options: Partial<ShardStoreOptions>,
  body: (store: ReturnType<typeof openShardStore>, directory: string) => T | Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(process.env["BENCH_DIR"] ?? tmpdir(), "curlew-bench-"));
  const store = openShardStore({ directory, shard: 0, clock, ...options });
  try {
    return await body(store, directory);
  } finally {
    store.close();
    rmSync(directory, { recursive: true });
  }
}

function append(store: ShardStore, maker: TurnMaker, turns: number): void {
  for (let turn = 0; turn < turns; turn++) {
    store.commit(maker.next(store));
    if (store.checkpointDue()) store.checkpoint();
  }
}

async function measureAppends(): Promise<void> {
  for (const count of [256, 32, 1]) {
    for (const queues of [4, 1024]) {
      await withStore({}, async (store) => {
        const maker = new TurnMaker(queues, count);
        append(store, maker, 200);
        const bench = new Bench({ time: 2000, warmup: false });
        bench.add("append", () => append(store, maker, 10));
        await bench.run();
        const result = bench.tasks[0]!.result; // one task was added
        if (result.state !== "completed") throw new Error(`The bench ended as ${result.state}`);
        const perSecond = result.throughput.mean * 10 * count;
        const p99Ms = result.latency.p99 / 10;
        print(
          `append ${count} a turn, ${queues} queues: ${Math.round(perSecond / 1000)} k/s, ` +
            `turn p99 about ${p99Ms.toFixed(2)} ms`,
        );
      });
    }
  }
}

async function measurePulls(): Promise<void> {
  for (const queues of [4, 1024]) {
    await withStore({}, async (store, directory) => {
      append(store, new TurnMaker(queues, 256), 4000);
      store.close();
      const reader = openShardStore({ directory, shard: 0, clock });
      const next = new Float64Array(queues + 1);
      let queue = 0;
      let read = 0;
      const pull = () => {
        queue = queue % queues + 1;
        const from = next[queue]!; // `queue` is at most `queues`
        const entries = reader.entries(queue, from, 32);
        next[queue] = entries.length < 32 ? 0 : from + 32;
        for (const record of reader.records(entries.map((entry) => entry.position))) {
          read += record.length;
        }
      };
      const bench = new Bench({ time: 2000, warmup: false });
      bench.add("pull", pull);
      await bench.run();
      const result = bench.tasks[0]!.result; // one task was added
      if (result.state !== "completed") throw new Error(`The bench ended as ${result.state}`);
      const perSecond = result.throughput.mean * 32;
      print(
        `pull 32 of a backlog, ${queues} queues: ${Math.round(perSecond / 1000)} k/s (${read})`,
      );
      reader.close();
    }).catch(ignoreClosed);
  }
}

/** The pull bench closes its store to empty the caches; the second close has nothing to do. */
function ignoreClosed(cause: unknown): void {
  if (!/not open|closed|bad file/i.test(String(cause))) throw cause;
}

async function measureRecovery(): Promise<void> {
  await withStore({}, (store, directory) => {
    append(store, new TurnMaker(1024, 256), 3907);
    const copy = mkdtempSync(join(tmpdir(), "curlew-bench-"));
    cpSync(directory, copy, { recursive: true });
    const opened = openShardStore({ directory: copy, shard: 0, clock });
    const { replayedMessages, tookMs } = opened.recovery;
    print(
      `open after a kill, 1 M messages: ${tookMs.toFixed(0)} ms, ${replayedMessages} indexed again`,
    );
    const start = performance.now();
    opened.close();
    print(`close: ${(performance.now() - start).toFixed(0)} ms`);
    const again = openShardStore({ directory: copy, shard: 0, clock });
    print(`open after a close: ${again.recovery.tookMs.toFixed(0)} ms`);
    again.close();
    rmSync(copy, { recursive: true });
  });
}

async function measurePages(): Promise<void> {
  for (const pageBytes of [4096, 8192, 16_384]) {
    await withStore({ pageBytes }, (store) => {
      const maker = new TurnMaker(1024, 256);
      append(store, maker, 100);
      const start = performance.now();
      append(store, maker, 2000);
      const perSecond = 2000 * 256 / (performance.now() - start);
      print(
        `pages of ${pageBytes}: ${Math.round(perSecond)} k/s, file ${store.fileBytes() >> 20} MiB`,
      );
    });
  }
}

const benches = {
  append: measureAppends,
  pull: measurePulls,
  recovery: measureRecovery,
  pages: measurePages,
};
for (const [name, measure] of Object.entries(benches)) {
  if (wanted.size === 0 || wanted.has(name)) await measure();
}
