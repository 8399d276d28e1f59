/**
 * What a million pending timers cost one shard: to open it, to store and release them, and the
 * sends beside them. Due times are spread over a day, message ids ascend as clients make them;
 * every commit is synced, checkpoints run between turns as in a shard.
 *
 *     deno run -A bench/shard_timers_bench.ts [pending]
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { limits } from "../src/base/limits.ts";
import { Prng } from "../src/base/prng.ts";
import type { DelayedRow, ShardStore } from "../src/ports/shard_store.ts";
import { openShardStore, type SqliteShardStore } from "../storage/mod.ts";
import { recordWith, turn } from "../tests/contract/shard_store_contract.ts";

const pending = Number(process.argv[2] ?? 1_000_000);
const perTurn = 1024;
const dayMs = 24 * 3600 * 1000;
const queues = 8;
const startMs = 1_700_000_000_000;
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const random = new Prng(7);
const record = recordWith({ UNIQ_KEY: "0".repeat(32), TAGS: "blue", PAD: "x".repeat(250) });

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function timer(id: number): DelayedRow {
  const messageId = `0A000001000018B4AAC2${id.toString(16).toUpperCase().padStart(12, "0")}`;
  const dueMs = startMs + Math.floor(random.float() * dayMs);
  const timerKey = id % 4 === 0 ? `order-${id}` : null;
  const queueKey = 1 + id % queues;
  return { id, kind: "timer", dueMs, queueKey, tagHash: 0, messageId, timerKey, record };
}

function checkpointIfDue(store: ShardStore): void {
  if (store.checkpointDue()) store.checkpoint();
}

/** Stores timers, and answers with the milliseconds of the whole and of the slowest commit. */
function fill(store: ShardStore, count: number): { ms: number; slowestMs: number } {
  let slowestMs = 0;
  const ms = timed(() => {
    for (let left = count; left > 0; left -= perTurn) {
      const first = store.lastDelayedId() + 1;
      const delayedPuts = Array.from({ length: perTurn }, (_, at) => timer(first + at));
      const commitMs = timed(() => store.commit(turn(store, [], { delayedPuts })));
      slowestMs = Math.max(slowestMs, commitMs);
      checkpointIfDue(store);
    }
  });
  return { ms, slowestMs };
}

/** Makes the oldest timers visible, `perTurn` in each of `turns` commits. */
function release(store: ShardStore, turns: number): number {
  let released = 0;
  const ms = timed(() => {
    for (let at = 0; at < turns; at++) {
      const rows = store.delayedDue(startMs + dayMs, perTurn);
      const messages = rows.map((row) => ({ queueKey: row.queueKey, bytes: row.record }));
      store.commit(turn(store, messages, { delayedDeletes: rows.map((row) => row.id) }));
      checkpointIfDue(store);
      released += rows.length;
    }
  });
  return released / ms;
}

/** Appends of 256 messages a turn, in thousands a second. */
function append(store: ShardStore, turns: number): number {
  const bytes = record;
  const ms = timed(() => {
    for (let at = 0; at < turns; at++) {
      const messages = Array.from({ length: 256 }, (_, n) => ({ queueKey: 100 + n % 8, bytes }));
      store.commit(turn(store, messages));
      store.nextDelayedDueMs();
      checkpointIfDue(store);
    }
  });
  return turns * 256 / ms;
}

function lookUps(store: SqliteShardStore): void {
  const all = Array.from({ length: queues }, (_, at) => at + 1);
  const each: [string, () => unknown][] = [
    ["nextDelayedDueMs()", () => store.nextDelayedDueMs()],
    ["delayedDue(before all, 1024)", () => store.delayedDue(startMs - 1, perTurn)],
    ["delayedDue(now, 10)", () => store.delayedDue(startMs + dayMs, 10)],
    ["delayedDue(now, 1024)", () => store.delayedDue(startMs + dayMs, perTurn)],
    ["delayedById()", () => store.delayedById(all, timer(1 + random.int(pending)).messageId)],
    ["delayedByKey()", () => store.delayedByKey(all, `order-${4 * random.int(pending / 4)}`)],
    ["delayedCount()", () => store.delayedCount(all)],
    ["stats()", () => store.stats()],
    ["delayedList(one queue, 100)", () => list(store, [1], startMs)],
    ["delayedList(one queue, 100, late)", () => list(store, [1], startMs + dayMs * 0.99)],
  ];
  for (const [name, work] of each) {
    work();
    const times = Array.from({ length: 50 }, () => timed(work)).sort((a, b) => a - b);
    print(`${name}: ${times[25]?.toFixed(3)} ms, slowest ${times[49]?.toFixed(3)} ms`);
  }
}

function list(store: ShardStore, queueKeys: number[], fromMs: number): DelayedRow[] {
  return store.delayedList({ queueKeys, fromMs, toMs: 1e15, afterId: null, countMax: 100 });
}

const directory = mkdtempSync(join(process.env["BENCH_DIR"] ?? tmpdir(), "curlew-bench-"));
const open = () => openShardStore({ directory, shard: 0, clock });
let store = open();
append(store, 400);
print(`append, none pending: ${append(store, 1500).toFixed(0)} k/s`);
const { ms, slowestMs } = fill(store, pending);
print(
  `store ${pending} timers: ${(pending / ms).toFixed(1)} k/s, slowest ${slowestMs.toFixed(0)} ms`,
);
append(store, 400);
print(`append, ${store.stats().delayed} pending: ${append(store, 1500).toFixed(0)} k/s`);
store.close();
const openMs = timed(() => store = open());
print(`open: ${openMs.toFixed(0)} ms; memory ${process.memoryUsage().rss >> 20} MiB`);
lookUps(store);
print(`release 1024 a commit: ${release(store, 50).toFixed(1)} k/s`);
const dropMs = timed(() => {
  while (store.dropQueues([1], limits.rowsPerDropStepMax).more);
});
print(`drop a queue of ${Math.round(pending / queues)} timers: ${dropMs.toFixed(0)} ms`);
store.close();
rmSync(directory, { recursive: true });
