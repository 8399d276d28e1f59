/**
 * One simulated operator with two groups nobody reads for: it moves their places, resets, undoes
 * and clones them, and knows where they have to be after each step.
 *
 * @module
 */
import type { CauseKind } from "../../src/model/explanation.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { ResetTarget } from "../../src/broker/broker.ts";
import { attempt, type ClientParts } from "./clients.ts";
import type { PlaceAction } from "./events.ts";
import { keptGroups } from "./groups.ts";
import { askWhy } from "./inquirers.ts";
import type { Calls } from "./pullers.ts";
import { strongTopic } from "./timer_clients.ts";
import { Disks } from "./whereabouts.ts";

type Places = readonly (number | null)[];

/** Moves the places of the kept groups until the storm is over. */
export async function runPlaceKeeper(
  parts: ClientParts,
  prng: Prng,
  calls: Calls,
): Promise<void> {
  const { scheduler, world } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(100, 3_000));
    const starts = world.starts;
    const before = await moveForward(parts, prng);
    if (before === null) continue;
    const target = drawTarget(prng, before);
    const reset = await step(parts, "reset", calls, async (broker) => {
      return await broker.resetOffsets(keptGroups[0], strongTopic, target, "keeper");
    });
    if (reset === null) continue;
    // A place that was committed survives a crash of the process, and no power cut.
    if (world.starts !== starts) continue;
    if (target.kind === "offset") {
      const expected = before.with(target.queueId, target.offset);
      note(parts, "reset", expected, reset);
    }
    await askAboutSkipped(parts, before, reset, ["skipped-by-reset"]);
    const clone = await step(parts, "clone", calls, async (broker) => {
      return await broker.cloneOffsets(keptGroups[0], keptGroups[1], strongTopic, "keeper");
    });
    if (clone !== null) note(parts, "clone", reset, clone);
    const undone = await step(parts, "undo", calls, async (broker) => {
      return await broker.undoReset(keptGroups[0], strongTopic, "keeper");
    });
    // A reset of one queue is undone there; the others have older resets, undone before.
    if (undone === null || target.kind === "offset") continue;
    note(parts, "undo", before, undone);
    // Nobody reads for this group.
    await askAboutSkipped(parts, before, reset, ["queue-behind", "no-member", "ready", "expired"]);
  }
}

/** Why was the first message not delivered that the reset took the group past? */
async function askAboutSkipped(
  parts: ClientParts,
  before: Places,
  after: Places,
  expected: readonly CauseKind[],
): Promise<void> {
  const queueId = before.findIndex((place, at) => place !== null && place < (after[at] ?? 0));
  const offset = before[queueId];
  if (!parts.options.inquirer || typeof offset !== "number") return;
  const spot = { topic: strongTopic, queueId, offset };
  const messageId = new Disks(parts.world).idAt(spot);
  const target = { by: "place", ...spot } as const;
  const [first = ""] = keptGroups;
  if (messageId !== null) await askWhy(parts, first, { messageId, target }, expected);
}

/** Commits a place in one queue. Answers where the group stands; `null`: nobody can say. */
async function moveForward(parts: ClientParts, prng: Prng): Promise<Places | null> {
  const moved = await attempt(parts, "move of kept-0", async (broker) => {
    const ranges = await broker.queueRanges(strongTopic);
    for (const [queueId, { minOffset, maxOffset }] of ranges.entries()) {
      const offset = prng.between(minOffset, maxOffset);
      await broker.commitOffset(keptGroups[0], strongTopic, queueId, offset);
    }
    return placesOf(await broker.places(keptGroups[0], strongTopic));
  });
  return "answer" in moved ? moved.answer : null;
}

function drawTarget(prng: Prng, before: Places): ResetTarget {
  if (prng.chance(0.3)) return { kind: "earliest" };
  if (prng.chance(0.3)) return { kind: "latest" };
  const queueId = prng.int(before.length);
  return { kind: "offset", queueId, offset: prng.int((before[queueId] ?? 0) + 1) };
}

async function step(
  parts: ClientParts,
  how: PlaceAction,
  calls: Calls,
  ask: (
    broker: Parameters<Parameters<typeof attempt>[2]>[0],
  ) => Promise<Parameters<typeof placesOf>[0]>,
): Promise<Places | null> {
  const call = calls.next();
  const [group, topic] = [keptGroups[how === "clone" ? 1 : 0], strongTopic];
  parts.journal.note({ kind: "reset-asked", how, call, group, topic });
  const result = await attempt(parts, `${how} of ${group}`, async (broker) => {
    return placesOf(await ask(broker));
  });
  parts.journal.note({ kind: "reset-ended", how, call, group, topic });
  return "answer" in result ? result.answer : null;
}

function note(parts: ClientParts, after: PlaceAction, expected: Places, found: Places): void {
  parts.journal.note({ kind: "kept", group: keptGroups[0], after, expected, found });
}

function placesOf(
  places: readonly { readonly committedOffset: number | null }[],
): (number | null)[] {
  return places.map(({ committedOffset }) => committedOffset);
}
