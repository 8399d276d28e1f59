/**
 * The verdict over a mixed load: no promise broken, nothing vacuous, and checkers that see.
 *
 * @module
 */
import assert from "node:assert/strict";
import { check, type Evidence, faultsOf } from "../checker.ts";
import type { Deed } from "./journal.ts";
import { checkPromises, type PromiseName, type Remains } from "./promises.ts";

const breachesShown = 5;

/** What one topic left behind. */
export type TopicRemains = { readonly topic: string; readonly remains: Remains };

/**
 * Judges every topic. Answers its figures, one text a topic.
 *
 * @throws {assert.AssertionError} A promise was broken, or a checker is blind.
 */
export function judgeMixed(all: readonly TopicRemains[]): string[] {
  return all.map(({ topic, remains }) => {
    const { breaches, counts } = checkPromises(remains);
    const told = breaches.map(({ promise, says }) => `${promise}: ${says}`);
    assert.deepEqual(told.slice(0, breachesShown), [], `${topic} broke ${told.length} promises`);
    assert.deepEqual(faultsOf(check(evidenceOf(remains))).slice(0, breachesShown), [], topic);
    assert.ok(counts.acked > 0 && counts.delivered > 0, `${topic} did nothing`);
    assertCatches(remains);
    const { acked, delivered, cancelled, committed, rolledBack, pending } = counts;
    const figures = Object.entries({ cancelled, committed, "rolled back": rolledBack, pending })
      .filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}, `).join("");
    return `${topic}: acked ${acked}, ${figures}delivered ${delivered}, lost 0, aborted 0, ` +
      "early 0, out of order 0";
  });
}

/** The journal as the checker of places wants it: no offset may name two messages. */
function evidenceOf({ deeds, stored }: Remains): Evidence {
  const sent = new Set(deeds.flatMap((deed) => deed.deed === "sent" ? [deed.body] : []));
  const acks = deeds.flatMap((deed) => deed.deed === "stored" ? [deed] : []);
  const delivered = deeds.flatMap((deed) => deed.deed === "delivered" ? [deed] : []);
  return { ledger: { sent, acks }, stored, delivered };
}

/** The planted faults: promises that nobody kept, in this very run's journal. */
function assertCatches(remains: Remains): void {
  const shown = remains.deeds.find(({ deed }) => deed === "delivered");
  assert.ok(shown?.deed === "delivered", "something was delivered");
  const { body } = shown;
  const planted: [PromiseName, Deed[]][] = [
    ["lost", [
      { deed: "sent", body: "nobody sent this" },
      { deed: "stored", body: "nobody sent this", queueId: 0, offset: 2 ** 40 },
    ]],
    ["cancelled", [{ deed: "told", body, wish: "cancel", verdict: "cancelled" }]],
    ["aborted", [{ deed: "told", body, wish: "rollback", verdict: "rolled-back" }]],
    ["early", [
      { deed: "told", body, wish: "move", verdict: "rescheduled", dueMs: shown.atMs + 1 },
      shown,
    ]],
    ["order", [
      { deed: "sent", body: "first", shardingKey: "planted" },
      { deed: "stored", body: "first", queueId: 0, offset: 2 ** 40 },
      { deed: "sent", body: "second", shardingKey: "planted" },
      { ...shown, body: "second" },
    ]],
  ];
  for (const [promise, deeds] of planted) {
    const { breaches } = checkPromises({ ...remains, deeds: [...remains.deeds, ...deeds] });
    const isSeen = breaches.some((breach) => breach.promise === promise);
    assert.ok(isSeen, `the checker does not see a planted fault: ${promise}`);
  }
}
