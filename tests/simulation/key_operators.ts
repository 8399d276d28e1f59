/** One simulated operator of ordered groups, who settles the keys that are parked. @module */
import type { Prng } from "../../src/base/prng.ts";
import { attempt, type ClientParts } from "./clients.ts";
import type { KeyAction, Outcome, Spot } from "./events.ts";
import type { SimGroup } from "./groups.ts";

/** Where a key is parked. */
export type ParkedSpot = Spot & { readonly key: string };

/** In the calm, between two looks. */
const lookMs = 1_000;

/** Settles parked keys, each in one of the three ways. */
export async function runKeyOperator(
  parts: ClientParts,
  group: SimGroup,
  prng: Prng,
): Promise<void> {
  const { scheduler, topics } = parts;
  while (!parts.isOver()) {
    await scheduler.sleep(parts.world.isCalm ? lookMs : prng.between(500, 10_000));
    // Later than the storm it waits, so that it shows that the other keys go on without it.
    if (parts.world.isCalm && parts.isFailing()) continue;
    for (const topic of [...topics]) {
      for (const spot of await listParkedKeys(parts, group.name, topic)) {
        await settleKey(parts, group.name, spot, prng.pick(["retry", "skip", "bury"] as const));
      }
    }
  }
}

/** The keys of a group that are parked in a topic. */
export async function listParkedKeys(
  parts: ClientParts,
  group: string,
  topic: string,
): Promise<ParkedSpot[]> {
  const result = await attempt(parts, `parked keys of ${group}`, (broker) => {
    return broker.parkedKeys(group, topic);
  });
  if (!("answer" in result)) return [];
  const keys = result.answer.map(({ queueId, offset, key, attempts }) => {
    return { queueId, offset, key, attempts };
  });
  parts.journal.note({ kind: "keys-parked", group, topic, keys });
  return keys.map(({ queueId, offset, key }) => ({ topic, queueId, offset, key }));
}

async function settleKey(
  parts: ClientParts,
  group: string,
  { topic, queueId, offset }: Spot,
  action: KeyAction,
): Promise<void> {
  const spot = { topic, queueId, offset };
  parts.journal.note({ kind: "key-settle-asked", group, spot, action });
  const result = await attempt(parts, `${action} of a key of ${group}`, (broker) => {
    return broker.settleKey(group, topic, { queueId, offset }, action, "operator");
  });
  const outcome: Outcome = "answer" in result ? "done" : result.outcome;
  parts.journal.note({ kind: "key-settled", group, spot, action, outcome });
}
