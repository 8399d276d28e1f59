/**
 * One simulated operator of dead letters: sends some back, or all, fast or slowly, stops halfway,
 * and drops some. When nothing fails any more all that are left go back.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { DeadLetter, LetterChoice } from "../../src/broker/dead_letter_desk.ts";
import { attempt, type ClientParts, seen } from "./clients.ts";
import type { Outcome } from "./events.ts";

/** Letters of one look. */
const pageLetters = 32;
/** A redrive that takes longer is left to itself. */
const watchedMsMax = 20_000;
/** Faster than any redrive of the calm has to be. */
const calmPerSecond = 500;

/** A letter's name to the broker, and what its producer called it. */
type Letter = Pick<DeadLetter, "messageId"> & { readonly id: string };

/** Looks after the dead letters of these groups until the storm is over, and clears them then. */
export async function runLetterDesk(
  parts: ClientParts,
  groups: readonly string[],
  prng: Prng,
): Promise<void> {
  const { scheduler, world } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(100, 2_000));
    if (world.isCalm) break;
    const group = prng.pick(groups);
    const letters = await listLetters(parts, group) ?? [];
    if (letters.length === 0) continue;
    if (prng.chance(0.2)) await purge(parts, group, letters, prng);
    else await redrive(parts, group, drawChoice(letters, prng), prng);
  }
  for (const group of groups) await redriveAll(parts, group);
}

/** The first letters of a group that are left. `null`: nobody can say. */
async function listLetters(parts: ClientParts, group: string): Promise<Letter[] | null> {
  const result = await attempt(parts, `dead letters of ${group}`, (broker) => {
    return broker.deadLetters.list(group, null, pageLetters);
  });
  if (!("answer" in result)) return null;
  return result.answer.letters.map(({ messageId, record }) => ({ messageId, id: seen(record).id }));
}

function drawChoice(letters: readonly Letter[], prng: Prng): LetterChoice {
  if (prng.chance(0.4)) return { kind: "all" };
  if (prng.chance(0.4)) return { kind: "oldest", messagesMax: prng.between(1, 4) };
  const messageIds = [prng.pick(letters).messageId, prng.pick(letters).messageId];
  return { kind: "ids", messageIds };
}

async function redrive(
  parts: ClientParts,
  group: string,
  choice: LetterChoice,
  prng: Prng,
): Promise<void> {
  const { scheduler, world } = parts;
  const perSecond = prng.pick([1, 2, 10, 500]);
  const begun = await begin(parts, group, choice, perSecond);
  if (begun === null) return;
  const endMs = scheduler.nowMs + prng.int(watchedMsMax);
  while (scheduler.nowMs < endMs && !world.isCalm) {
    await scheduler.sleep(prng.pick([1, 40, 700]));
    if (await look(parts, begun) !== "running") return;
    if (!prng.chance(0.3)) continue;
    await attempt(parts, `stop of a redrive of ${group}`, (broker) => {
      return Promise.resolve(broker.deadLetters.stopRedrive(group, begun.id));
    });
    await look(parts, begun);
    return;
  }
}

/** Sends back all there is, and stays until it is done. */
async function redriveAll(parts: ClientParts, group: string): Promise<void> {
  const begun = await begin(parts, group, { kind: "all" }, calmPerSecond);
  if (begun === null) return;
  do await parts.scheduler.sleep(100); while (await look(parts, begun) === "running");
}

type Begun = {
  readonly group: string;
  readonly id: string;
  readonly choice: LetterChoice["kind"];
  readonly perSecond: number;
  readonly askedMs: number;
};

async function begin(
  parts: ClientParts,
  group: string,
  choice: LetterChoice,
  perSecond: number,
): Promise<Begun | null> {
  const { journal, scheduler } = parts;
  const askedMs = scheduler.nowMs;
  journal.note({ kind: "redrive-asked", group, choice: choice.kind, perSecond });
  const result = await attempt(parts, `redrive of ${group}`, (broker) => {
    return broker.deadLetters.redrive(group, choice, perSecond);
  });
  if (!("answer" in result)) return null;
  return { group, id: result.answer.id, choice: choice.kind, perSecond, askedMs };
}

/** How it stands; `null`: the process that carried it out is gone. */
async function look(parts: ClientParts, begun: Begun): Promise<string | null> {
  const { journal, scheduler } = parts;
  const { group, id: redrive, choice, perSecond, askedMs } = begun;
  const result = await attempt(parts, `redrives of ${group}`, (broker) => {
    return Promise.resolve(broker.deadLetters.redrives(group));
  });
  if (!("answer" in result)) return null;
  const view = result.answer.find(({ id }) => id === redrive);
  if (view === undefined) return null;
  const { state, redriven, left } = view;
  const elapsedMs = scheduler.nowMs - askedMs;
  const told = { group, redrive, choice, perSecond, state, redriven, left, elapsedMs };
  journal.note({ kind: "redrive-seen", ...told });
  return state;
}

async function purge(
  parts: ClientParts,
  group: string,
  letters: readonly Letter[],
  prng: Prng,
): Promise<void> {
  const letter = prng.pick(letters);
  const choice: LetterChoice = prng.chance(0.6)
    ? { kind: "ids", messageIds: [letter.messageId] }
    : prng.chance(0.5)
    ? { kind: "oldest", messagesMax: prng.between(1, 3) }
    : { kind: "all" };
  const ids = choice.kind === "ids" ? [letter.id] : [];
  parts.journal.note({ kind: "purge-asked", group, ids });
  const result = await attempt(parts, `purge of ${group}`, (broker) => {
    return broker.deadLetters.purge(group, choice);
  });
  const outcome: Outcome = "answer" in result ? "done" : result.outcome;
  const purged = "answer" in result ? result.answer : 0;
  parts.journal.note({ kind: "purge-ended", group, ids, outcome, purged });
}

/** Which letters of these groups are left, for the checkers; asked while nothing fails. */
export async function countLetters(parts: ClientParts, groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    const result = await attempt(parts, `letters left of ${group}`, async (broker) => {
      const ids: string[] = [];
      let after = null;
      do {
        const page = await broker.deadLetters.list(group, after, pageLetters);
        ids.push(...page.letters.map(({ record }) => seen(record).id));
        after = page.next;
      } while (after !== null);
      return ids;
    });
    if (!("answer" in result)) continue;
    parts.journal.note({ kind: "letters-left", group, ids: result.answer });
  }
}
