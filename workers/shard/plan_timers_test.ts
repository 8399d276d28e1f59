import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScheduleAsk, ScheduleItem } from "../../src/link/timer_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { recordOf, ShardTurns, startMs } from "../../tests/support/shard_turns.ts";
import { planRelease } from "./due.ts";
import { listTimers } from "./list_waiting.ts";
import { join } from "./read.ts";
import { planChangeTimer, planSchedule } from "./plan_timers.ts";

const dayMs = 86_400_000;
const queueKeys = [7, 8];

type Told = Partial<ScheduleItem> & { readonly id: string };

function ask(messages: readonly Told[], queueKey = 7) {
  const records = messages.map(({ id }) => recordOf(`body of ${id}`, id));
  const items = messages.map(({ id, ...told }, index) => ({
    tagHash: 0,
    messageId: id,
    timerKey: null,
    dueMs: null,
    delayMs: null,
    mayRepeat: true,
    bytes: records[index]?.length ?? 0,
    ...told,
  }));
  const head: ScheduleAsk = {
    queueKey,
    queueKeys,
    durability: "power-loss",
    delayMsMax: 40 * dayMs,
    items,
    repeats: null,
  };
  return { head, blob: join(records) };
}

class House {
  readonly shard = new ShardTurns();

  schedule(...messages: readonly Told[]) {
    const { shard } = this;
    return shard.turn((draft) => planSchedule({ ...shard, draft }, ask(messages)).verdicts);
  }

  /** What becomes visible at `startMs + ms`. */
  fire(ms: number): number {
    const { shard } = this;
    shard.nowMs = startMs + ms;
    return shard.turn((draft) => planRelease(draft, shard.store, shard.state).count);
  }

  change(
    name: string,
    action: "cancel" | { dueMs?: number; delayMs?: number },
    within: readonly number[] = queueKeys,
  ) {
    const { shard } = this;
    return shard.turn((draft) =>
      planChangeTimer(draft, shard.store, changeOf(name, action, within))
    );
  }

  pending(): string[] {
    const range = { by: "range", fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, afterId: null } as const;
    return listTimers(this.shard.store, { queueKeys, ...range, countMax: 100 }).timers
      .map(({ messageId, dueMs }) => `${messageId} +${dueMs - startMs}`);
  }
}

function changeOf(
  name: string,
  action: "cancel" | { dueMs?: number; delayMs?: number },
  within: readonly number[] = queueKeys,
) {
  const key = name.startsWith("key:") ? name.slice(4) : null;
  return {
    queueKeys: within,
    name: key === null
      ? { by: "id", messageId: name } as const
      : { by: "key", timerKey: key } as const,
    action: action === "cancel"
      ? { kind: "cancel" } as const
      : { kind: "move", dueMs: null, delayMs: null, ...action } as const,
    delayMsMax: 40 * dayMs,
  };
}

test("planSchedule fires at its millisecond, not one before, and once", () => {
  const house = new House();
  assert.deepEqual(house.schedule({ id: "a", delayMs: 1000 }), [
    { kind: "scheduled", dueMs: startMs + 1000, replacedMessageId: null },
  ]);
  assert.deepEqual([house.fire(999), house.shard.bodies(7)], [0, []]);
  assert.deepEqual([house.fire(1000), house.shard.bodies(7)], [1, ["body of a"]]);
  assert.deepEqual([house.fire(1001), house.shard.bodies(7)], [0, ["body of a"]]);
});

test("planSchedule takes a past time, a time of now and no time as at once, in order", () => {
  const house = new House();
  const verdicts = house.schedule(
    { id: "a", dueMs: startMs - 5 },
    { id: "b", delayMs: 1 },
    { id: "c", dueMs: startMs },
    { id: "d" },
  );
  assert.deepEqual(verdicts.map(({ kind }) => kind), [
    "delivered",
    "scheduled",
    "delivered",
    "delivered",
  ]);
  assert.deepEqual(house.shard.bodies(7), ["body of a", "body of c", "body of d"]);
  assert.deepEqual(house.pending(), ["b +1"]);
});

test("planSchedule takes the furthest time, and refuses one beyond with all of its request", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 40 * dayMs });
  const refused = () => house.schedule({ id: "b" }, { id: "c", dueMs: startMs + 40 * dayMs + 1 });
  assert.throws(refused, (thrown) => {
    assert(thrown instanceof BrokerError);
    assert.equal(thrown.code, "invalid_argument");
    assert.match(thrown.message, /3456000001 ms from now: at most 3456000000 ms/);
    return true;
  });
  assert.deepEqual(house.pending(), [`a +${40 * dayMs}`]);
  assert.deepEqual(house.shard.bodies(7), []);
});

test("planSchedule replaces the pending timer of a key in one turn", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100, timerKey: "k" });
  const [verdict] = house.schedule({ id: "b", delayMs: 50, timerKey: "k" });
  assert.deepEqual(verdict, {
    kind: "scheduled",
    dueMs: startMs + 50,
    replacedMessageId: "a",
  });
  assert.deepEqual(house.pending(), ["b +50"]);
});

test("planSchedule replaces also what the same request put aside", () => {
  const house = new House();
  house.schedule(
    { id: "a", delayMs: 100, timerKey: "k" },
    { id: "b", delayMs: 50, timerKey: "k" },
  );
  assert.deepEqual(house.pending(), ["b +50"]);
});

test("planSchedule takes a message sent again in the place of itself", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100 });
  const [verdict] = house.schedule({ id: "a", delayMs: 30 });
  assert.ok(verdict?.kind === "scheduled");
  assert.equal(verdict.replacedMessageId, "a");
  assert.deepEqual(house.pending(), ["a +30"]);
});

test("planChangeTimer cancels by id and by key, and says so only once", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100 }, { id: "b", delayMs: 100, timerKey: "k" });
  assert.equal(house.change("a", "cancel").verdict, "cancelled");
  assert.equal(house.change("a", "cancel").verdict, "unknown");
  assert.equal(house.change("key:k", "cancel").verdict, "cancelled");
  assert.deepEqual([house.fire(1000), house.shard.bodies(7)], [0, []]);
});

test("planChangeTimer cancels what is due in this very turn, and it stays away", () => {
  const house = new House();
  const { shard } = house;
  house.schedule({ id: "a", delayMs: 100 });
  shard.nowMs = startMs + 100;
  const [answer, released] = shard.turn((draft) => [
    planChangeTimer(draft, shard.store, changeOf("a", "cancel")),
    planRelease(draft, shard.store, shard.state),
  ]);
  assert.equal(answer?.verdict, "cancelled");
  assert.equal(released?.count, 0);
  assert.deepEqual([house.fire(200), shard.bodies(7)], [0, []]);
});

test("planChangeTimer tells a delivered message from one it never saw", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100 });
  house.fire(100);
  assert.equal(house.change("a", "cancel").verdict, "already-delivered");
  assert.equal(house.change("a", { delayMs: 5 }).verdict, "already-delivered");
  // The same id in another topic is a copy, also in one of the same name that was deleted.
  assert.equal(house.change("a", "cancel", [17, 18]).verdict, "unknown");
  assert.equal(house.change("b", "cancel").verdict, "unknown");
});

test("planRelease shows nothing of a dropped queue, and lets its timers go", () => {
  const house = new House();
  const { shard } = house;
  house.schedule({ id: "a", delayMs: 100 });
  shard.state.dropQueues([7]);
  assert.equal(house.fire(100), 0);
  assert.deepEqual([shard.bodies(7), house.pending()], [[], []]);
});

test("planChangeTimer sees what a request of the same turn made visible", () => {
  const { shard } = new House();
  const answer = shard.turn((draft) => {
    planSchedule({ ...shard, draft }, ask([{ id: "a" }]));
    return planChangeTimer(draft, shard.store, changeOf("a", "cancel"));
  });
  assert.equal(answer.verdict, "already-delivered");
});

test("planChangeTimer moves a timer both ways, and to now", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100, timerKey: "k" }, { id: "b", delayMs: 100 });
  assert.deepEqual(house.change("key:k", { delayMs: 500 }), {
    verdict: "rescheduled",
    dueMs: startMs + 500,
  });
  assert.deepEqual(house.pending(), ["b +100", "a +500"]);
  house.change("a", { dueMs: startMs + 10 });
  assert.deepEqual(house.pending(), ["a +10", "b +100"]);
  assert.equal(house.change("b", { dueMs: startMs - 1 }).dueMs, startMs);
  assert.deepEqual(house.shard.bodies(7), ["body of b"]);
  assert.deepEqual([house.fire(9), house.fire(10)], [0, 1]);
  assert.deepEqual(house.shard.bodies(7), ["body of b", "body of a"]);
});

test("planChangeTimer refuses a time beyond the furthest, and leaves the timer as it is", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100 });
  assert.throws(() => house.change("a", { delayMs: 41 * dayMs }), { code: "invalid_argument" });
  assert.deepEqual(house.pending(), ["a +100"]);
});

test("planChangeTimer leaves retries alone, though they carry the message's id", () => {
  const house = new House();
  const { shard } = house;
  shard.turn((draft) => draft.delay(7, 0, recordOf("retry", "a"), startMs + 100));
  assert.equal(house.change("a", "cancel").verdict, "unknown");
  assert.deepEqual(house.pending(), []);
  assert.equal(house.fire(100), 1);
});

test("planRelease fires what was overdue after a restart, oldest first", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 300 }, { id: "b", delayMs: 100 }, { id: "c", delayMs: 900 });
  house.shard.restart();
  assert.equal(house.fire(500), 2);
  assert.deepEqual(house.shard.bodies(7), ["body of b", "body of a"]);
  assert.deepEqual(house.pending(), ["c +900"]);
});

test("planRelease waits for a clock that was set back", () => {
  const house = new House();
  house.schedule({ id: "a", delayMs: 100 });
  assert.equal(house.fire(-3_600_000), 0);
  assert.equal(house.fire(99), 0);
  assert.equal(house.fire(100), 1);
});

test("listTimers pages by due time and id, and finds by name", () => {
  const house = new House();
  const { store } = house.shard;
  house.schedule(...["a", "b", "c"].map((id) => ({ id, delayMs: 100 })), { id: "d", delayMs: 9 });
  const page = (fromMs: number, afterId: number | null) =>
    listTimers(store, {
      queueKeys,
      by: "range",
      fromMs: startMs + fromMs,
      toMs: startMs + 100,
      afterId,
      countMax: 2,
    }).timers;
  const first = page(0, null);
  assert.deepEqual(first.map(({ messageId }) => messageId), ["d", "a"]);
  const second = page(100, first[1]?.id ?? -1);
  assert.deepEqual(second.map(({ messageId }) => messageId), ["b", "c"]);
  assert.equal(listTimers(store, { queueKeys, by: "count" }).count, 4);
  const found = listTimers(store, { queueKeys, by: "id", messageId: "c" }).timers;
  assert.deepEqual(found.map(({ queueKey, dueMs }) => [queueKey, dueMs]), [[7, startMs + 100]]);
  assert.deepEqual(listTimers(store, { queueKeys: [9], by: "id", messageId: "c" }).timers, []);
});
