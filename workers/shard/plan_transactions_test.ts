import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import type { PrepareAsk } from "../../src/link/transaction_messages.ts";
import { packHalfOffset } from "../../src/model/message_id.ts";
import { readRecord } from "../../src/model/record.ts";
import { recordOf, ShardTurns, startMs } from "../../tests/support/shard_turns.ts";
import { planChecks, planRelease } from "./due.ts";
import { listHalves } from "./list_waiting.ts";
import { planChecked, planPrepare, planRearm, planSettleHalf } from "./plan_transactions.ts";

const policy = { intervalMs: 30_000, checksMax: 3 };

class House {
  readonly shard = new ShardTurns();

  prepare(messageId: string, told: Partial<PrepareAsk> = {}) {
    const head: PrepareAsk = {
      queueKey: 7,
      durability: "power-loss",
      producerGroup: "payments",
      messageId,
      tagHash: 0,
      timerKey: null,
      firstCheckMs: 6000,
      checkUrl: null,
      dueMs: null,
      delayMs: null,
      delayMsMax: 3_456_000_000,
      ...told,
    };
    const blob = recordOf(`body of ${messageId}`, messageId);
    return this.shard.turn((draft) => planPrepare({ ...this.shard, draft }, { head, blob })).id;
  }

  settle(id: number, verdict: "commit" | "rollback", producerGroup: string | null = "payments") {
    return this.shard.turn((draft) =>
      planSettleHalf({ ...this.shard, draft }, { id, verdict, producerGroup })
    );
  }

  /** Who is asked at `startMs + ms`; each is really asked when `reached`. */
  ask(ms: number, reached = true): string[] {
    const { shard } = this;
    shard.nowMs = startMs + ms;
    const { checks } = shard.turn((draft) => planChecks(draft, shard.store, shard.state, policy));
    const ids = checks.map(({ id }) => id);
    if (reached && ids.length > 0) {
      const { intervalMs } = policy;
      shard.turn((draft) => planChecked({ ...shard, draft }, { ids, intervalMs }));
    }
    return checks.map(({ messageId, checks: before }) => `${messageId} ${before}`);
  }

  stateOf(id: number): string {
    const isGone = (queueKey: number) => this.shard.state.isDropped(queueKey);
    return listHalves(this.shard.store, isGone, { by: "id", id }).halves[0]?.state ?? "none";
  }
}

test("planPrepare keeps the message from everybody, after a restart too", () => {
  const house = new House();
  const id = house.prepare("a");
  house.shard.restart();
  assert.deepEqual(house.shard.bodies(7), []);
  assert.equal(house.stateOf(id), "prepared");
  assert.equal(house.settle(id, "commit").state, "committed");
  assert.deepEqual(house.shard.bodies(7), ["body of a"]);
});

test("planPrepare gives its record the number clients know a half message by", () => {
  const house = new House();
  const id = house.prepare("a");
  const record = readRecord(house.shard.store.half(id)?.record ?? new Uint8Array(0));
  assert.deepEqual([record.sysFlag & 0xc, record.preparedTransactionOffset], [
    4,
    packHalfOffset(0, id),
  ]);
  house.settle(id, "commit");
  const stored = readRecord(house.shard.store.records([1])[0] ?? new Uint8Array(0));
  assert.deepEqual([stored.sysFlag & 0xc, stored.preparedTransactionOffset], [
    8,
    packHalfOffset(0, id),
  ]);
});

test("planSettleHalf decides once: a second verdict is answered with the first", () => {
  const house = new House();
  const [one, other] = [house.prepare("a"), house.prepare("b")];
  assert.deepEqual(house.settle(one, "commit").place, { offset: 0, position: 1 });
  for (const verdict of ["commit", "rollback"] as const) {
    const again = house.settle(one, verdict);
    assert.deepEqual([again.state, again.first, again.place], ["committed", false, null]);
  }
  assert.equal(house.settle(other, "rollback").first, true);
  house.shard.restart();
  const again = house.settle(other, "commit");
  assert.deepEqual([again.state, again.first], ["rolled-back", false]);
  assert.deepEqual(house.shard.bodies(7), ["body of a"]);
});

test("planSettleHalf decides once among verdicts of one turn", () => {
  const house = new House();
  const id = house.prepare("a");
  const { shard } = house;
  const verdict = (draft: Parameters<Parameters<typeof shard.turn>[0]>[0], word: "commit") =>
    planSettleHalf({ ...shard, draft }, { id, verdict: word, producerGroup: null });
  const answers = shard.turn((draft) => [verdict(draft, "commit"), verdict(draft, "commit")]);
  assert.deepEqual(answers.map(({ first }) => first), [true, false]);
  assert.deepEqual(shard.bodies(7), ["body of a"]);
});

test("planSettleHalf refuses another producer group and lets an operator decide", () => {
  const house = new House();
  const id = house.prepare("a");
  assert.throws(() => house.settle(id, "commit", "others"), { code: "no_permission" });
  assert.equal(house.stateOf(id), "prepared");
  assert.equal(house.settle(id, "rollback", null).state, "rolled-back");
});

test("planSettleHalf knows nothing of an id that was never given, or of a dropped queue", () => {
  const house = new House();
  const id = house.prepare("a");
  assert.throws(() => house.settle(id + 1, "commit"), { code: "message_not_found" });
  house.shard.state.dropQueues([7]);
  assert.throws(() => house.settle(id, "commit"), { code: "message_not_found" });
});

test("planSettleHalf puts a delayed message aside until its time, counted from the half", () => {
  const house = new House();
  const id = house.prepare("a", { delayMs: 1000 });
  house.shard.nowMs = startMs + 400;
  const answer = house.settle(id, "commit");
  assert.deepEqual([answer.place, answer.deliverAtMs], [null, startMs + 1000]);
  const fire = (ms: number) => {
    house.shard.nowMs = startMs + ms;
    return house.shard.turn((draft) =>
      planRelease(draft, house.shard.store, house.shard.state).count
    );
  };
  assert.deepEqual([fire(999), fire(1000)], [0, 1]);
  assert.deepEqual(house.shard.bodies(7), ["body of a"]);
});

test("planSettleHalf makes a delayed message visible at once when its time has passed", () => {
  const house = new House();
  const id = house.prepare("a", { delayMs: 1000 });
  house.shard.nowMs = startMs + 1000;
  assert.deepEqual(house.settle(id, "commit").place, { offset: 0, position: 1 });
});

test("planSettleHalf lets a committed timer replace the pending one of its key", () => {
  const house = new House();
  const timed = { delayMs: 1000, timerKey: "k" };
  const [one, other] = [house.prepare("a", timed), house.prepare("b", timed)];
  house.settle(one, "commit");
  house.settle(other, "commit");
  assert.equal(house.shard.store.delayedByKey([7], "k")?.messageId, "b");
  assert.equal(house.shard.store.delayedCount([7]), 1);
});

test("planChecks asks first after the immunity, to the millisecond, then at the interval", () => {
  const house = new House();
  house.prepare("a");
  house.prepare("b", { firstCheckMs: 100 });
  assert.deepEqual([house.ask(99), house.ask(100)], [[], ["b 0"]]);
  assert.deepEqual([house.ask(5999), house.ask(6000)], [[], ["a 0"]]);
  assert.deepEqual([house.ask(30_099), house.ask(30_100)], [[], ["b 1"]]);
  assert.deepEqual([house.ask(35_999), house.ask(36_000)], [[], ["a 1"]]);
});

test("planChecks parks after the last question that was really asked", () => {
  const house = new House();
  const id = house.prepare("a");
  let ms = 6000;
  for (let count = 0; count < 10; count++, ms += 30_000) {
    assert.deepEqual(house.ask(ms, false), ["a 0"]);
  }
  for (const checks of [0, 1, 2]) {
    assert.deepEqual(house.ask(ms), [`a ${checks}`]);
    ms += 30_000;
  }
  assert.equal(house.stateOf(id), "prepared");
  assert.deepEqual(house.ask(ms), []);
  assert.equal(house.stateOf(id), "parked");
  assert.equal(house.shard.store.nextHalfCheckMs(), null);
});

test("planRearm asks a parked one again from the beginning, one or all", () => {
  const house = new House();
  const ids = ["a", "b", "c"].map((name) => house.prepare(name));
  for (let round = 0; round <= policy.checksMax; round++) house.ask(6000 + round * 30_000);
  assert.deepEqual(ids.map((id) => house.stateOf(id)), ["parked", "parked", "parked"]);
  const rearm = (wanted: readonly number[] | null, countMax = 2) =>
    house.shard.turn((draft) => planRearm({ ...house.shard, draft }, { ids: wanted, countMax }));
  assert.deepEqual(rearm([ids[0] ?? 0]), { rearmed: 1, more: false });
  assert.deepEqual(house.ask(200_000), ["a 0"]);
  assert.deepEqual(rearm(null, 2), { rearmed: 2, more: true });
  assert.deepEqual(rearm(null, 2), { rearmed: 0, more: false });
  assert.deepEqual(house.ask(200_001), ["b 0", "c 0"]);
});

test("planChecked passes over what was settled meanwhile", () => {
  const house = new House();
  const id = house.prepare("a");
  house.settle(id, "rollback");
  house.shard.turn((draft) =>
    planChecked({ ...house.shard, draft }, { ids: [id, 99], intervalMs: 1 })
  );
  assert.equal(house.stateOf(id), "rolled-back");
});

test("planChecks does not ask about what this very turn settles", () => {
  const house = new House();
  const { shard } = house;
  const id = house.prepare("a");
  shard.nowMs = startMs + 6000;
  const { checks } = shard.turn((draft) => {
    planSettleHalf({ ...shard, draft }, { id, verdict: "commit", producerGroup: null });
    return planChecks(draft, shard.store, shard.state, policy);
  });
  assert.deepEqual(checks, []);
  assert.equal(house.stateOf(id), "committed");
});

test("planChecks and planRearm leave alone what belongs to a dropped queue", () => {
  const house = new House();
  const { shard } = house;
  const id = house.prepare("a");
  shard.state.dropQueues([7]);
  assert.deepEqual(house.ask(6000), []);
  shard.turn((draft) => {
    const row = draft.rows.half(id);
    if (row !== null) draft.rows.putHalf({ ...row, state: "parked" });
  });
  const { rearmed } = shard.turn((draft) => {
    return planRearm({ ...shard, draft }, { ids: null, countMax: 9 });
  });
  assert.equal(rearmed, 0);
  assert.deepEqual(house.ask(6000), []);
  assert.throws(() => house.settle(id, "commit"), { code: "message_not_found" });
  assert.equal(house.stateOf(id), "none");
});

test("listHalves passes over what belongs to dropped queues, and says where to go on", () => {
  const { shard, ...house } = withHalves(300);
  shard.state.dropQueues([7]);
  const isGone = (queueKey: number) => shard.state.isDropped(queueKey);
  const ask = { by: "state", state: "prepared", afterId: 0, countMax: 9 } as const;
  const first = listHalves(shard.store, isGone, ask);
  assert.deepEqual([first.halves, first.count], [[], 1]);
  assert.ok(first.moreAfterId !== null && first.moreAfterId < house.last);
  const second = listHalves(shard.store, isGone, { ...ask, afterId: first.moreAfterId });
  assert.deepEqual([second.halves.map(({ id }) => id), second.moreAfterId], [[house.last], null]);
});

/** So many half messages of queue 7, and one of another behind them. */
function withHalves(count: number) {
  const house = new House();
  for (let index = 0; index < count; index++) house.prepare(`m${index}`);
  return { shard: house.shard, last: house.prepare("other", { queueKey: 8 }) };
}

test("planChecks hands out a bounded number in one turn, and says that there is more", () => {
  const house = new House();
  const count = limits.checksPerTurnMax + 1;
  for (let index = 0; index < count; index++) house.prepare(`m${index}`);
  house.shard.nowMs = startMs + 6000;
  const due = () =>
    house.shard.turn((draft) => planChecks(draft, house.shard.store, house.shard.state, policy));
  const first = due();
  assert.deepEqual([first.checks.length, first.more], [limits.checksPerTurnMax, true]);
  const second = due();
  assert.deepEqual([second.checks.length, second.more], [1, false]);
});
