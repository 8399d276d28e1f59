/** A checker that finds nothing must be known to find something: one doctored run each promise. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Deed, Journal } from "./journal.ts";
import { checkPromises, type Remains, type StoredAt } from "./promises.ts";

const dueMs = 5_000;
const endMs = 10_000;

function delivered(body: string, offset: number, atMs = dueMs): Deed[] {
  return [
    { deed: "delivered", body, queueId: 0, offset, storedMs: atMs, atMs },
    { deed: "settling", body },
    { deed: "settled", body },
  ];
}

/** Every feature once, and all as promised. */
const soundDeeds: readonly Deed[] = [
  { deed: "sent", body: "timer", dueMs },
  { deed: "armed", body: "timer", handle: "id-timer" },
  { deed: "sent", body: "called off", dueMs },
  { deed: "armed", body: "called off", handle: "id-off" },
  { deed: "asked", body: "called off", wish: "cancel" },
  { deed: "told", body: "called off", wish: "cancel", verdict: "cancelled" },
  { deed: "sent", body: "far", dueMs: endMs + 1 },
  { deed: "armed", body: "far", handle: "id-far" },
  { deed: "sent", body: "yes", isHalf: true },
  { deed: "armed", body: "yes", handle: "t-yes" },
  { deed: "sent", body: "no", isHalf: true },
  { deed: "armed", body: "no", handle: "t-no" },
  { deed: "sent", body: "undecided", isHalf: true },
  { deed: "armed", body: "undecided", handle: "t-undecided" },
  { deed: "asked", body: "yes", wish: "commit" },
  { deed: "told", body: "yes", wish: "commit", verdict: "committed" },
  { deed: "asked", body: "no", wish: "rollback" },
  { deed: "told", body: "no", wish: "rollback", verdict: "rolled-back" },
  ...[1, 2, 3].flatMap((serial): Deed[] => [
    { deed: "sent", body: `key-${serial}`, shardingKey: "key" },
    { deed: "stored", body: `key-${serial}`, queueId: 0, offset: serial + 1 },
  ]),
  ...delivered("key-1", 2),
  ...delivered("key-2", 3),
  ...delivered("key-3", 4),
  ...delivered("timer", 0),
  ...delivered("yes", 1),
];

const soundStored: readonly StoredAt[] = ["timer", "yes", "key-1", "key-2", "key-3"]
  .map((body, offset) => ({ queueId: 0, offset, body, storedMs: dueMs }));

const sound: Remains = {
  deeds: soundDeeds,
  stored: soundStored,
  pending: new Set(["id-far", "t-undecided"]),
  endMs,
};

function promisesBroken(doctored: Partial<Remains>): string[] {
  return checkPromises({ ...sound, ...doctored }).breaches.map(({ promise }) => promise);
}

/** The deeds without those that `drop` names. */
function without(drop: (deed: Deed) => boolean): { deeds: Deed[] } {
  return { deeds: soundDeeds.filter((deed) => !drop(deed)) };
}

test("checkPromises finds nothing in a sound run, and counts it", () => {
  const { breaches, counts } = checkPromises(sound);
  assert.deepEqual(breaches, []);
  assert.deepEqual(counts, {
    acked: 9,
    delivered: 5,
    cancelled: 1,
    committed: 1,
    rolledBack: 1,
    pending: 2,
  });
});

test("checkPromises finds what was acknowledged and never delivered", () => {
  for (const body of ["timer", "yes", "key-3"]) {
    const doctored = without((deed) => deed.deed === "delivered" && deed.body === body);
    assert.deepEqual(promisesBroken(doctored), ["lost"], body);
  }
  assert.deepEqual(promisesBroken({ pending: new Set(["id-far"]) }), ["lost"]);
  assert.deepEqual(promisesBroken({ pending: new Set(["t-undecided"]) }), ["lost"]);
});

test("checkPromises leaves open what a wish without an answer may have done", () => {
  const asked = { deed: "asked", body: "far", wish: "cancel" } as const;
  const doctored = { deeds: [...soundDeeds, asked], pending: new Set(["t-undecided"]) };
  assert.deepEqual(promisesBroken(doctored), []);
  const kept = { deed: "told", body: "far", wish: "cancel", verdict: "already-delivered" } as const;
  assert.deepEqual(promisesBroken({ ...doctored, deeds: [...doctored.deeds, kept] }), ["lost"]);
});

test("checkPromises finds a rolled-back and an undecided message that is visible", () => {
  const late = [...soundDeeds, ...delivered("no", 5)];
  assert.deepEqual(promisesBroken({ deeds: late }), ["aborted", "aborted"]);
  const stored = [...soundStored, { queueId: 0, offset: 5, body: "undecided", storedMs: dueMs }];
  assert.deepEqual(promisesBroken({ stored, pending: new Set(["id-far"]) }), ["aborted", "lost"]);
});

test("checkPromises finds a commit asked for only after the delivery", () => {
  const isAsked = (deed: Deed) =>
    deed.deed === "asked" && deed.body === "yes" || deed.deed === "told" && deed.body === "yes";
  const { deeds } = without(isAsked);
  assert.deepEqual(promisesBroken({ deeds: [...deeds, ...soundDeeds.filter(isAsked)] }), [
    "aborted",
  ]);
});

test("checkPromises finds two verdicts on one transaction", () => {
  const told = { deed: "told", body: "yes", wish: "rollback", verdict: "rolled-back" } as const;
  assert.ok(promisesBroken({ deeds: [...soundDeeds, told] }).includes("aborted"));
});

test("checkPromises finds a timer before its time, by either clock reading", () => {
  for (const early of [{ storedMs: dueMs - 1 }, { atMs: dueMs - 1 }]) {
    const deeds = soundDeeds.map((deed) =>
      deed.deed === "delivered" && deed.body === "timer" ? { ...deed, ...early } : deed
    );
    assert.deepEqual(promisesBroken({ deeds }), ["early"]);
  }
});

test("checkPromises holds a delivery to the time that a move told before it", () => {
  const at = soundDeeds.findIndex(({ deed, body }) => deed === "delivered" && body === "timer");
  const asked: Deed = { deed: "asked", body: "timer", wish: "move", dueMs: 9_000 };
  const told: Deed = { ...asked, deed: "told", verdict: "rescheduled" };
  assert.deepEqual(promisesBroken({ deeds: soundDeeds.toSpliced(at, 0, asked) }), []);
  assert.deepEqual(promisesBroken({ deeds: soundDeeds.toSpliced(at, 0, asked, told) }), ["early"]);
  assert.deepEqual(promisesBroken({ deeds: soundDeeds.toSpliced(at + 1, 0, asked, told) }), []);
});

test("checkPromises leaves open whether a move without an answer took place", () => {
  const asked: Deed = { deed: "asked", body: "timer", wish: "move", dueMs: endMs + 1 };
  const { deeds } = without(({ deed, body }) => deed === "delivered" && body === "timer");
  assert.deepEqual(promisesBroken({ deeds: [...deeds, asked] }), ["lost"]);
  const pending = new Set([...sound.pending, "id-timer"]);
  assert.deepEqual(promisesBroken({ deeds: [...deeds, asked], pending }), []);
  assert.deepEqual(promisesBroken({ deeds, pending }), ["lost"]);
});

test("checkPromises finds a cancelled timer that is delivered, stored or pending", () => {
  assert.deepEqual(promisesBroken({ deeds: [...soundDeeds, ...delivered("called off", 5)] }), [
    "cancelled",
  ]);
  const stored = [...soundStored, { queueId: 0, offset: 5, body: "called off", storedMs: dueMs }];
  assert.deepEqual(promisesBroken({ stored }), ["cancelled"]);
  assert.deepEqual(promisesBroken({ pending: new Set([...sound.pending, "id-off"]) }), [
    "cancelled",
  ]);
});

test("checkPromises finds a timer the broker says it never knew", () => {
  const told = { deed: "told", body: "timer", wish: "move", verdict: "unknown" } as const;
  const at = soundDeeds.findIndex(({ deed }) => deed === "delivered");
  assert.deepEqual(promisesBroken({ deeds: soundDeeds.toSpliced(at, 0, told) }), ["forgotten"]);
});

test("checkPromises finds a message at two places, and one that comes again once settled", () => {
  const stored = [...soundStored, { queueId: 0, offset: 5, body: "timer", storedMs: dueMs }];
  assert.deepEqual(promisesBroken({ stored }), ["twice"]);
  assert.deepEqual(promisesBroken({ deeds: [...soundDeeds, ...delivered("timer", 0)] }), [
    "undead",
  ]);
});

test("checkPromises finds a key's messages out of their order", () => {
  const of = (serial: number) => (deed: Deed) =>
    ["delivered", "settling", "settled"].includes(deed.deed) && deed.body === `key-${serial}`;
  const second = soundDeeds.filter(of(2));
  const { deeds } = without(of(2));
  const swapped = [...deeds, ...second];
  assert.deepEqual(promisesBroken({ deeds: swapped }), ["order", "order"]);
});

test("checkPromises finds a later message delivered while an earlier one is in hand", () => {
  const doctored = without((deed) =>
    (deed.deed === "settling" || deed.deed === "settled") && deed.body === "key-2"
  );
  assert.deepEqual(promisesBroken(doctored), ["order"]);
});

test("checkPromises allows redeliveries, but not behind a later message", () => {
  const again = soundDeeds.filter((deed) => deed.deed === "delivered" && deed.body === "key-2");
  const at = soundDeeds.findIndex(({ deed, body }) => deed === "settling" && body === "key-2");
  assert.deepEqual(promisesBroken({ deeds: soundDeeds.toSpliced(at, 0, ...again) }), []);
  const unsettled = soundDeeds.filter(({ deed, body }) =>
    !(deed === "settled" && body === "key-2")
  );
  assert.deepEqual(promisesBroken({ deeds: [...unsettled, ...again] }), ["order"]);
});

test("checkPromises finds a message nobody sent", () => {
  assert.deepEqual(promisesBroken({ deeds: [...soundDeeds, ...delivered("whose?", 5)] }), [
    "phantom",
  ]);
});

test("Journal reads back what was noted, in its order", () => {
  const folder = mkdtempSync(join(tmpdir(), "curlew-journal-"));
  try {
    const journal = new Journal(join(folder, "journal.jsonl"));
    journal.note(soundDeeds.slice(0, 3));
    journal.note(soundDeeds.slice(3));
    assert.deepEqual(journal.read(), soundDeeds);
    journal.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
