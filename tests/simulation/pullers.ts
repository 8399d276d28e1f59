/**
 * Simulated readers by offset: they commit, start again from what they committed, and send back.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { everything, type Filter } from "../../src/model/subscription.ts";
import { attempt, type ClientParts, seenAll } from "./clients.ts";
import type { Seen } from "./events.ts";
import { retryTopicOf } from "../../src/model/names.ts";

/** Numbers of the calls whose answers are compared. */
export class Calls {
  #count = 0;

  next(): number {
    return ++this.#count;
  }
}

/** Reads queue after queue until all is over. */
export async function runPuller(
  parts: ClientParts,
  group: string,
  prng: Prng,
  calls: Calls,
): Promise<void> {
  const { scheduler, world } = parts;
  while (!parts.isOver()) {
    const names = [...parts.topics, retryTopicOf(group)];
    const name = prng.pick(names);
    const topic = (await world.broker()).topic(name);
    if (topic !== undefined) {
      const queueId = prng.int(topic.queueRefs.length);
      await readOn(parts, { group, topic: name, queueId }, prng, calls);
    }
    await scheduler.sleep(prng.between(10, 300));
  }
}

type Place = { readonly group: string; readonly topic: string; readonly queueId: number };

async function readOn(
  parts: ClientParts,
  place: Place,
  prng: Prng,
  calls: Calls,
): Promise<void> {
  const { options, world } = parts;
  const committed = await askPlaces(parts, place.group, place.topic, calls);
  if (committed === null) return;
  let offset = committed[place.queueId] ?? 0;
  for (let step = 0; step < 4; step++) {
    const messages = await pullOnce(parts, place, offset, prng);
    if (messages === null) return;
    for (const message of messages.seen) {
      if (!world.isCalm && prng.chance(options.sendBackRate)) {
        await sendBack(parts, place.group, message, prng);
      }
    }
    offset = messages.next;
    if (prng.chance(0.7)) await commit(parts, place, offset);
    if (messages.seen.length === 0) return;
  }
}

/** Where a group stands in a topic, by queue; noted. */
export async function askPlaces(
  parts: ClientParts,
  group: string,
  topic: string,
  calls: Calls,
): Promise<(number | null)[] | null> {
  const call = calls.next();
  parts.journal.note({ kind: "places-asked", call, group, topic });
  const result = await attempt(parts, `places of ${group}`, (broker) => {
    return broker.places(group, topic);
  });
  if (!("answer" in result)) return null;
  const committed = result.answer.map(({ committedOffset }) => committedOffset);
  parts.journal.note({ kind: "places", call, group, topic, committed });
  return committed;
}

async function pullOnce(
  parts: ClientParts,
  { group, topic, queueId }: Place,
  offset: number,
  prng: Prng,
): Promise<{ seen: Seen[]; next: number } | null> {
  const { journal, scheduler } = parts;
  const waitMs = prng.pick([0, 200, 4_000]);
  const filter: Filter = prng.chance(0.2)
    ? { kind: "tags", tags: ["A"], hashes: [65] }
    : everything;
  await parts.world.broker();
  const askedMs = scheduler.nowMs;
  const request = {
    topic,
    queueId,
    offset,
    messagesMax: prng.between(1, 16),
    bytesMax: prng.pick([1, 500, 100_000]),
    filter,
    waitMs,
  };
  const result = await attempt(parts, `pull of ${group}`, (broker) => broker.pull(request));
  journal.note({ kind: "waited", what: "pull", waitMs, tookMs: scheduler.nowMs - askedMs });
  if (!("answer" in result)) return null;
  const { outcome, records, nextOffset: next, minOffset: min, maxOffset: max } = result.answer;
  const messages = seenAll(records);
  const filtered = filter.kind === "tags";
  const what = { by: group, topic, queueId, asked: offset, outcome, next, min, max };
  const { ttlShare, topicTtlMs } = parts.options;
  const mayExpire = ttlShare > 0 || topicTtlMs !== null;
  journal.note({ kind: "pulled", ...what, filtered, mayExpire, messages });
  return { seen: messages, next };
}

async function commit(parts: ClientParts, place: Place, offset: number): Promise<void> {
  const { group, topic, queueId } = place;
  await attempt(
    parts,
    `commit of ${group}`,
    (broker) => broker.commitOffset(group, topic, queueId, offset),
  );
}

async function sendBack(
  parts: ClientParts,
  group: string,
  { id, physicalOffset }: Seen,
  prng: Prng,
): Promise<void> {
  const { options, scheduler, journal } = parts;
  const delayMs = prng.pick([null, 500, 10_000]);
  const askedMs = scheduler.clock.wallMs();
  const request = { group, physicalOffset, delayMs, retriesMax: null, originMessageId: "" };
  const result = await attempt(
    parts,
    `send back by ${group}`,
    (broker) => broker.sendBack(request),
  );
  const outcome = "answer" in result ? "done" : result.outcome;
  // The clock may have been set back while the request was under way.
  const plannedMs = Math.min(askedMs, scheduler.clock.wallMs());
  const earliestMs = plannedMs + (delayMs ?? options.retryDelayMs);
  journal.note({ kind: "send-back", group, id, outcome, earliestMs });
}
