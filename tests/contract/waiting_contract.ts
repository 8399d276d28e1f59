/**
 * What every implementation of the port `ShardStore` keeps of messages that wait: timers and
 * retries, halves of transactions, and of the events of places. Run it beside
 * `shard_store_contract.ts`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import type {
  DelayedQuery,
  DelayedRow,
  HalfRow,
  PlaceEvent,
  ShardStore,
} from "../../src/ports/shard_store.ts";
import { type StoreBench, turn } from "./shard_store_contract.ts";

const encoder = new TextEncoder();

/** A timer of queue 7, named `m<id>`. */
function timer(id: number, dueMs: number, more: Partial<DelayedRow> = {}): DelayedRow {
  const names = { kind: "timer", messageId: `m${id}`, timerKey: null } as const;
  return {
    id,
    ...names,
    dueMs,
    queueKey: 7,
    tagHash: -id,
    record: encoder.encode(`r${id}`),
    ...more,
  };
}

/** A prepared half message of queue 7, named `m<id>`. */
function half(id: number, more: Partial<HalfRow> = {}): HalfRow {
  return {
    id,
    state: "prepared",
    queueKey: 7,
    tagHash: id,
    producerGroup: "producers",
    messageId: `m${id}`,
    createdMs: 1000,
    nextCheckMs: 7000 + id,
    checks: 0,
    checkUrl: null,
    deliverAtMs: null,
    timerKey: null,
    settledMs: 0,
    record: encoder.encode(`r${id}`),
    ...more,
  };
}

function event(id: number, more: Partial<PlaceEvent> = {}): PlaceEvent {
  const place = { groupKey: 1, queueKey: 7, atMs: 1000 + id, fromOffset: id, toOffset: 0 };
  const whole = { ...place, position: id % 2 === 0 ? null : id, kind: "reset", by: "ann" } as const;
  return { id, ...whole, before: new Uint8Array([id]), ...more };
}

function ids(rows: readonly { readonly id: number }[]): number[] {
  return rows.map((row) => row.id);
}

function list(store: ShardStore, more: Partial<DelayedQuery> = {}): number[] {
  const all = { queueKeys: [7], fromMs: 0, toMs: 1e12, afterId: null, countMax: 99 };
  return ids(store.delayedList({ ...all, ...more }));
}

type Check = (claim: string, body: (bench: StoreBench) => void) => void;

/** Registers the suite. `make` is called once a test. */
export function waitingContract(name: string, make: () => StoreBench): void {
  function check(claim: string, body: (bench: StoreBench) => void): void {
    test(`ShardStore (${name}) ${claim}`, () => {
      const bench = make();
      try {
        body(bench);
      } finally {
        bench.remove();
      }
    });
  }
  timerContract(check);
  timerChangeContract(check);
  timerListContract(check);
  halfContract(check);
  verdictContract(check);
  dropContract(check);
  eventContract(check);
}

function timerContract(check: Check): void {
  check("finds a delayed message by its id and by its key, in the queues named", (bench) => {
    const first = bench.open();
    const keyed = timer(2, 500, { timerKey: "order-1", tagHash: 3 });
    const retry = timer(3, 300, { kind: "retry", queueKey: 8 });
    first.commit(turn(first, [], { delayedPuts: [timer(1, 900), keyed, retry] }));
    first.close();

    const store = bench.open();
    assert.deepEqual(store.delayedById([9, 7], "m2"), keyed);
    assert.deepEqual(store.delayedByKey([7, 8], "order-1"), keyed);
    assert.deepEqual(store.delayedById([8], "m3"), retry);
    assert.deepEqual([store.delayedById([8], "m2"), store.delayedByKey([8], "order-1")], [
      null,
      null,
    ]);
    assert.deepEqual([store.delayedById([7], "m"), store.delayedById([], "m2")], [null, null]);
    store.commit(turn(store, [], { delayedDeletes: [2] }));
    assert.deepEqual([store.delayedById([7], "m2"), store.delayedByKey([7], "order-1")], [
      null,
      null,
    ]);
    store.close();
  });

  check("answers with the row due first when a message id waits twice", (bench) => {
    const store = bench.open();
    const names = { messageId: "same", kind: "retry" } as const;
    const rows = [timer(1, 900, names), timer(2, 300, { ...names, queueKey: 8 })];
    store.commit(turn(store, [], { delayedPuts: [...rows, timer(3, 500, names)] }));

    assert.equal(store.delayedById([7, 8], "same")?.id, 2);
    assert.equal(store.delayedById([7], "same")?.id, 3);
    store.close();
  });
}

function timerChangeContract(check: Check): void {
  check("moves a timer put again under its id, and gives its key to another", (bench) => {
    const first = bench.open();
    first.commit(turn(first, [], { delayedPuts: [timer(1, 900, { timerKey: "a" })] }));
    const moved = timer(1, 100, { timerKey: "b", queueKey: 8 });
    first.commit(turn(first, [], { delayedPuts: [timer(2, 200, { timerKey: "a" }), moved] }));
    const seen = (store: ShardStore) => [
      ids(store.delayedDue(999, 9)),
      store.delayedCount([7]),
      store.delayedCount([7, 8]),
      store.delayedByKey([7], "a")?.id,
      store.delayedByKey([8], "b")?.dueMs,
      store.stats().delayed,
    ];
    assert.deepEqual(seen(first), [[1, 2], 1, 2, 2, 100, 2]);
    first.close();

    const store = bench.open();
    assert.deepEqual(seen(store), [[1, 2], 1, 2, 2, 100, 2]);
    store.commit(turn(store, [], {
      delayedPuts: [timer(3, 50, { timerKey: "a" })],
      delayedDeletes: [2],
    }));
    assert.deepEqual([store.delayedByKey([7], "a")?.id, store.lastDelayedId()], [3, 3]);
    store.close();
  });

  check("refuses a second pending timer with the key, and changes nothing", (bench) => {
    const store = bench.open();
    const keyed = (id: number) => timer(id, 100, { timerKey: "a" });
    store.commit(turn(store, [], { delayedPuts: [keyed(1)] }));

    assert.throws(() => store.commit(turn(store, [], { delayedPuts: [keyed(2)] })));
    assert.throws(() => store.commit(turn(store, [], { delayedPuts: [timer(3, 1), timer(3, 2)] })));
    assert.deepEqual([store.delayedCount([7]), store.lastDelayedId()], [1, 1]);
    store.commit(turn(store, [], { delayedPuts: [timer(2, 100, { timerKey: "a", queueKey: 8 })] }));
    assert.equal(store.delayedCount([7, 8]), 2);
    store.close();
  });
}

function timerListContract(check: Check): void {
  check("lists timers by due time and id, page after page, and no retries", (bench) => {
    const store = bench.open();
    const due = [500, 100, 300, 300, 300, 900];
    const timers = due.map((dueMs, at) => timer(at + 1, dueMs, { queueKey: 7 + at % 2 }));
    const other = timer(7, 300, { queueKey: 9 });
    const retry = timer(8, 300, { kind: "retry" });
    store.commit(turn(store, [], { delayedPuts: [...timers, other, retry] }));
    const queueKeys = [7, 8];

    assert.deepEqual(list(store, { queueKeys }), [2, 3, 4, 5, 1, 6]);
    assert.deepEqual(list(store, { queueKeys, fromMs: 300, toMs: 500 }), [3, 4, 5, 1]);
    assert.deepEqual(list(store, { queueKeys, fromMs: 300, afterId: 3, countMax: 2 }), [4, 5]);
    assert.deepEqual(list(store, { queueKeys, fromMs: 300, afterId: 5 }), [1, 6]);
    assert.deepEqual([list(store), list(store, { queueKeys: [5] })], [[3, 5, 1], []]);
    assert.deepEqual([7, 8, 9, 5].map((key) => store.delayedCount([key])), [3, 3, 1, 0]);
    store.close();
  });

  check("lists and counts among thousands as among few, also after it is opened again", (bench) => {
    const first = bench.open();
    const puts = Array.from(
      { length: 6000 },
      (_, at) => timer(at + 1, 1000 + (at * 7919) % 6000, { queueKey: at % 100 === 0 ? 8 : 7 }),
    );
    for (let at = 0; at < puts.length; at += 1000) {
      first.commit(turn(first, [], { delayedPuts: puts.slice(at, at + 1000) }));
    }
    const order = (queueKeys: number[]) =>
      ids(
        puts.filter((row) => queueKeys.includes(row.queueKey) && row.dueMs >= 2000)
          .sort((one, two) => one.dueMs - two.dueMs).slice(0, 50),
      );
    const seen = (store: ShardStore) =>
      [[8], [7], [7, 8]].map((queueKeys) => [
        store.delayedCount(queueKeys),
        ...list(store, { queueKeys, fromMs: 2000, countMax: 50 }),
      ]);
    const expected = [[60, ...order([8])], [5940, ...order([7])], [6000, ...order([7, 8])]];
    assert.deepEqual(seen(first), expected);
    first.close();

    const store = bench.open();
    assert.deepEqual([seen(store), store.stats().delayed], [expected, 6000]);
    while (store.dropQueues([7], 64).more);
    assert.deepEqual([store.delayedCount([7, 8]), store.stats().delayed], [60, 60]);
    assert.deepEqual(list(store, { queueKeys: [7, 8], fromMs: 2000, countMax: 50 }), order([8]));
    store.close();
  });
}

function halfContract(check: Check): void {
  check("keeps half messages whole, and finds them by id and by message id", (bench) => {
    const first = bench.open();
    const full = half(2, { checkUrl: "http://x/", deliverAtMs: 9, timerKey: "k", tagHash: -1 });
    first.commit(turn(first, [], { halfPuts: [half(1), full] }));
    first.close();

    const store = bench.open();
    assert.deepEqual([store.half(1), store.half(2), store.half(3)], [half(1), full, null]);
    assert.deepEqual([store.halfByMessageId("m2"), store.halfByMessageId("m3")], [full, null]);
    assert.equal(store.lastHalfId(), 2);
    store.close();
  });

  check("gives prepared halves by their next check, and none that are parked", (bench) => {
    const store = bench.open();
    assert.deepEqual([store.nextHalfCheckMs(), store.halvesDue(1e12, 9)], [null, []]);
    const at = (id: number, nextCheckMs: number) => half(id, { nextCheckMs });
    store.commit(turn(store, [], { halfPuts: [at(1, 300), at(2, 100), at(3, 200), at(4, 100)] }));

    assert.deepEqual([ids(store.halvesDue(200, 9)), ids(store.halvesDue(999, 1))], [[2, 4, 3], [
      2,
    ]]);
    assert.equal(store.nextHalfCheckMs(), 100);
    const asked = half(2, { nextCheckMs: 400, checks: 1 });
    store.commit(turn(store, [], { halfPuts: [asked, half(4, { state: "parked" })] }));
    assert.deepEqual([ids(store.halvesDue(999, 9)), store.nextHalfCheckMs()], [[3, 1, 2], 200]);
    assert.equal(store.half(2)?.checks, 1);
    store.close();
  });
}

function verdictContract(check: Check): void {
  check("counts and lists halves by state, also after it is opened again", (bench) => {
    const first = bench.open();
    first.commit(turn(first, [], { halfPuts: [1, 2, 3, 4, 5].map((id) => half(id)) }));
    const record = new Uint8Array(0);
    const settled = { settledMs: 50, record };
    first.commit(turn(first, [], {
      halfPuts: [
        half(1, { state: "committed", ...settled }),
        half(2, { state: "rolled-back", ...settled }),
        half(3, { state: "parked" }),
        half(6, { state: "parked" }),
      ],
    }));
    const states = ["prepared", "parked", "committed", "rolled-back"] as const;
    const seen = (store: ShardStore) =>
      states.map((state) => [store.halfCount(state), ...ids(store.halvesIn(state, 0, 99))]);
    const expected = [[2, 4, 5], [2, 3, 6], [1, 1], [1, 2]];
    assert.deepEqual(seen(first), expected);
    assert.deepEqual(ids(first.halvesIn("parked", 3, 9)), [6]);
    assert.deepEqual(ids(first.halvesIn("prepared", 0, 1)), [4]);
    first.close();

    const store = bench.open();
    assert.deepEqual(seen(store), expected);
    assert.deepEqual(store.half(1), half(1, { state: "committed", ...settled }));
    store.close();
  });

  check("forgets old verdicts, oldest first, nothing undecided, and never an id", (bench) => {
    const first = bench.open();
    const settled = (id: number, settledMs: number) => half(id, { state: "committed", settledMs });
    const rows = [
      half(1),
      half(2, { state: "parked" }),
      settled(3, 30),
      settled(4, 10),
      settled(5, 20),
    ];
    first.commit(turn(first, [], { halfPuts: rows }));

    assert.deepEqual([first.purgeHalves(30, 1), first.half(4)], [1, null]);
    assert.deepEqual([first.purgeHalves(30, 9), first.purgeHalves(30, 9)], [1, 0]);
    assert.equal(first.purgeHalves(99, 9), 1);
    first.close();

    const store = bench.open();
    const counts = (["prepared", "parked", "committed"] as const).map((s) => store.halfCount(s));
    assert.deepEqual([counts, store.lastHalfId()], [[1, 1, 0], 5]);
    store.close();
  });
}

function dropContract(check: Check): void {
  check("forgets the halves and events of dropped queues", (bench) => {
    const first = bench.open();
    const other = half(2, { queueKey: 8 });
    const events = [event(1), event(2, { queueKey: 8 }), event(3, { groupKey: 2, queueKey: 8 })];
    first.commit(turn(first, [], { halfPuts: [half(1), other], events }));
    first.dropQueues([7], 64);
    const left = (store: ShardStore) => [
      ids(store.halvesDue(1e12, 9)),
      store.halfCount("prepared"),
      store.events(1, 7, 9).length,
      ids(store.events(1, 8, 9)),
      store.lastHalfId(),
    ];
    assert.deepEqual(left(first), [[2], 1, 0, [2], 2]);
    assert.deepEqual(first.queueKeys(), [8]);
    first.close();

    const store = bench.open();
    assert.deepEqual(left(store), [[2], 1, 0, [2], 2]);
    store.dropGroup(1);
    assert.deepEqual([store.events(1, 8, 9), ids(store.events(2, 8, 9))], [[], [3]]);
    store.close();
  });
}

function eventContract(check: Check): void {
  check("keeps the newest events of each place, newest first", (bench) => {
    const first = bench.open();
    const max = limits.eventsPerPlaceMax;
    const other = event(1, { groupKey: 2, kind: "key-buried", by: "émile" });
    first.commit(turn(first, [], { events: [other, event(2, { kind: "undo" })] }));
    const more = Array.from({ length: max + 3 }, (_, at) => event(at + 3));
    first.commit(turn(first, [], { events: more.slice(0, 9) }));
    first.commit(turn(first, [], { events: more.slice(9), durability: "process-crash" }));
    first.close();

    const store = bench.open();
    assert.deepEqual(ids(store.events(1, 7, 999)), ids(more.toReversed()).slice(0, max));
    assert.deepEqual(store.events(1, 7, 2), [more.at(-1), more.at(-2)]);
    assert.deepEqual(store.events(2, 7, 9), [other]);
    assert.equal(store.lastEventId(), max + 5);
    store.close();
  });
}
