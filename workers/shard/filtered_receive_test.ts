import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { compileExpression } from "../../src/core/filter.ts";
import type { Filter } from "../../src/model/subscription.ts";
import {
  appendOf,
  leasedOf,
  pullOf,
  receiveOf,
  recordOf,
  ShardBench,
  standing,
} from "../../tests/support/shard_bench.ts";

function sql(text: string): Filter {
  return compileExpression({ language: "SQL92", text });
}

/** Appends messages whose property `n` is their body, in requests of a thousand. */
async function send(bench: ShardBench, first: number, count: number): Promise<void> {
  for (let at = first; at < first + count; at += 1000) {
    const size = Math.min(1000, first + count - at);
    const bodies = Array.from({ length: size }, (_, index) => String(at + index));
    const records = bodies.map((body) => recordOf(body, `n\x01${body}\x02`));
    await bench.ask("append", { ...appendOf(bodies), records, repeats: null });
  }
}

test("a receive by SQL leases what is wanted, in order, and passes the rest for good", async () => {
  const bench = new ShardBench();
  await send(bench, 0, 100);
  const filter = sql("n in ('7', '8', '70') or n > 97");

  const first = await bench.receive({ filter, messagesMax: 2 });
  const second = await bench.receive({ filter });

  assert.deepEqual(first.map(({ body }) => body), ["7", "8"]);
  assert.deepEqual(second.map(({ body }) => body), ["70", "98", "99"]);
  assert.deepEqual(await bench.receive(), [], "what nobody wanted does not come back");
});

test("a receive that waits goes on over turns until it finds what is far behind", async () => {
  const bench = new ShardBench();
  const last = limits.filterScanEntriesMax * 2 + 10;
  await send(bench, 0, last + 1);

  const waiting = bench.client.ask(
    "receive",
    receiveOf({ filter: sql(`n = ${last}`), waitMs: 5000 }),
  );
  await bench.pass();

  assert.equal(standing(waiting).now, "pending");
  assert.deepEqual(leasedOf(await waiting).map(({ body }) => body), [String(last)]);
});

test("a receive that does not wait comes back after its share, to be asked again", async () => {
  const bench = new ShardBench();
  const last = limits.filterScanEntriesMax + 10;
  await send(bench, 0, last + 1);
  const filter = sql(`n = ${last}`);

  assert.deepEqual(await bench.receive({ filter }), []);
  assert.deepEqual((await bench.receive({ filter })).map(({ body }) => body), [String(last)]);
});

test("a parked receive and a parked pull by SQL wait for a message they want", async () => {
  const bench = new ShardBench();
  const filter = sql("n >= 1");
  const received = bench.client.ask("receive", receiveOf({ filter, waitMs: 5000 }));
  const pulled = bench.client.ask("pull", { ...pullOf(0, 5000), filter });
  const [receiving, pulling] = [standing(received), standing(pulled)];

  await send(bench, 0, 1);
  await bench.pass();
  assert.deepEqual([receiving.now, pulling.now], ["pending", "pending"]);
  await send(bench, 1, 1);
  await bench.pass();

  assert.deepEqual(leasedOf(await received).map(({ body }) => body), ["1"]);
  const { head } = await pulled;
  assert.deepEqual([head.outcome, head.count, head.nextOffset], ["found", 1, 2]);
});

test("a member's SQL leaves for another member what only that one wants", async () => {
  const bench = new ShardBench();
  await send(bench, 0, 4);
  const [low, high] = [sql("n < 2"), sql("n >= 2")];

  const one = await bench.receive({ filter: high, otherFilters: [low] });
  const other = await bench.receive({ filter: low, otherFilters: [high] });

  assert.deepEqual([one, other].map((leased) => leased.map(({ body }) => body)), [
    ["2", "3"],
    ["0", "1"],
  ]);
});
