/**
 * One simulated operator who asks why messages were not delivered: any message, any group, at any
 * moment. What the disks say just before and just after is noted beside the answer.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { CauseKind, ExplainTarget } from "../../src/model/explanation.ts";
import { attempt, type ClientParts } from "./clients.ts";
import type { Spot } from "./events.ts";
import { keptGroups } from "./groups.ts";
import { Disks } from "./whereabouts.ts";

/** Questions once nothing fails any more. */
const calmQuestions = 6;

/** Asks until the storm is over, and a few times more. */
export async function runInquirer(
  parts: ClientParts,
  groups: readonly string[],
  prng: Prng,
): Promise<void> {
  const { scheduler, world, options } = parts;
  const asked = [...groups, ...(options.keptPlaces ? keptGroups : [])];
  for (let left = calmQuestions; left > 0;) {
    await scheduler.sleep(prng.int(1_000));
    if (world.isCalm) left--;
    await world.broker();
    const question = prng.chance(0.5) ? drawHandedOut(parts, prng) : null;
    const { group, asked: message } = question ?? drawAny(parts, asked, prng);
    if (message !== null) await askWhy(parts, group, message);
  }
}

type Question = { readonly group: string; readonly asked: Asked | null };

/** What somebody got a moment ago: there is most to tell about it. */
function drawHandedOut({ handedOut, world }: ClientParts, prng: Prng): Question | null {
  if (handedOut.length === 0) return null;
  const { group, spot: { topic, queueId, offset } } = prng.pick(handedOut);
  const spot = { topic, queueId, offset };
  const messageId = new Disks(world).idAt(spot);
  if (messageId === null) return null;
  return { group, asked: { messageId, target: { by: "place", ...spot } } };
}

function drawAny(parts: ClientParts, groups: readonly string[], prng: Prng): Question {
  const group = prng.chance(0.03) ? "nobody" : prng.pick(groups);
  const disks = new Disks(parts.world);
  const messageId = drawMessageId(disks, prng);
  return { group, asked: messageId === null ? null : drawTarget(disks, messageId, prng) };
}

function drawMessageId(disks: Disks, prng: Prng): string | null {
  const { visible, waiting } = disks.ids();
  if (prng.chance(0.03)) return "never-sent";
  const from = waiting.length > 0 && prng.chance(0.3) ? waiting : visible;
  return from.length === 0 ? null : prng.pick(from);
}

function drawTarget(disks: Disks, messageId: string, prng: Prng): Asked {
  const [spot] = prng.chance(0.5) ? disks.visible(messageId) : [];
  if (spot !== undefined) return { messageId, target: { by: "place", ...spot } };
  return { messageId, target: { by: "id", messageId, topic: null } };
}

/** What is asked about, and what its id is. */
export type Asked = { readonly messageId: string; readonly target: ExplainTarget };

/** Asks once. `expected`: causes of which one has to decide, if the asker knows. */
export async function askWhy(
  parts: ClientParts,
  group: string,
  { messageId, target }: Asked,
  expected: readonly CauseKind[] | null = null,
): Promise<void> {
  const { journal, world } = parts;
  const call = journal.count;
  const starts = world.starts;
  const before = new Disks(world).find(messageId, group);
  journal.note({ kind: "explain-asked", call, group });
  const result = await attempt(parts, `explain to ${group}`, (broker) => {
    return broker.explain(target, group);
  });
  if (!("answer" in result)) return;
  const { topic, queueId, offset, causes } = result.answer;
  const spot: Spot | null = queueId === null || offset === null ? null : { topic, queueId, offset };
  const disks = new Disks(world);
  const after = disks.find(messageId, group);
  const id = disks.nameOf(messageId);
  const [first] = causes;
  if (first === undefined) return journal.complain(`an explanation to ${group} names no cause`);
  // A power cut may have taken what the asker knows.
  const isSure = world.starts === starts;
  const { cause, facts } = first;
  const told = {
    call,
    group,
    id,
    by: target.by,
    spot,
    cause,
    holder: String(facts["holder"] ?? ""),
  };
  journal.note({ kind: "explained", ...told, before, after, expected: isSure ? expected : null });
}
