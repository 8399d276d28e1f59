/**
 * Simulated members of a group: they lease, acknowledge, give back, extend, sleep in, and die.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { ReceivedMessage } from "../../src/broker/broker.ts";
import type { Filter } from "../../src/model/subscription.ts";
import { attempt, type ClientParts, pickTopic, seen } from "./clients.ts";
import type { SeenDelivery } from "./events.ts";

/** Who consumes what. */
export type Member = {
  readonly group: string;
  readonly client: string;
  /** Whose places these are: the group's, or the client's own where its group broadcasts. */
  readonly reader: string;
  readonly filter: Filter;
  readonly ordered: boolean;
};

/** The sharding key whose messages fail, where some are made to. */
export const failingKey = "key 0";

/** Why a client is gone: one reason for all, since making one takes long. */
const hungUp = new Error("the client hung up");
/** As many deliveries are remembered for those who ask about them. */
const handedOutMax = 12;
/** How long a member that died stays away at most. */
const awayMsMax = 3_000;

/** Consumes until all is over. `rest`: between two polls. */
export async function runConsumer(
  parts: ClientParts,
  member: Member,
  prng: Prng,
  rest: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { scheduler, options, world } = parts;
  while (!parts.isOver()) {
    await rest();
    const topic = pickTopic(prng, parts.topics);
    const delivered = await receiveOnce(parts, member, prng, topic);
    if (delivered === null) {
      await scheduler.sleep(prng.between(50, 500));
      continue;
    }
    if (!world.isCalm && prng.chance(options.deathRate)) {
      await scheduler.sleep(prng.int(awayMsMax));
      continue;
    }
    await work(parts, member, prng, delivered);
    await scheduler.sleep(prng.int(20));
  }
}

/** One poll, noted. `null`: it failed. */
export async function receiveOnce(
  parts: ClientParts,
  { group, client, reader, filter, ordered }: Member,
  prng: Prng,
  topic: string,
): Promise<SeenDelivery[] | null> {
  const { options, scheduler, journal } = parts;
  const waitMs = prng.pick([0, 100, 3_000]);
  const { invisibleMs } = options;
  const broadcast = reader !== group;
  const request = {
    ...(broadcast ? { mode: "broadcast" as const } : {}),
    topic,
    group,
    clientId: client,
    messagesMax: prng.between(1, 8),
    bytesMax: prng.pick([1, 1_000, 100_000]),
    invisibleMs,
    waitMs,
    filter,
  };
  const begins = parts.beginnings.get(group);
  if (begins?.has(topic) === false) {
    begins.set(topic, "asked");
    journal.note({ kind: "beginning", group, topic });
  }
  const startedMs = scheduler.nowMs;
  await parts.world.broker();
  const askedMs = scheduler.nowMs;
  const result = await attempt(
    parts,
    `receive of ${reader}`,
    (broker) => broker.receive({ ...request, ...abortSometimes(parts, prng, waitMs) }),
  );
  journal.note({ kind: "waited", what: "receive", waitMs, tookMs: scheduler.nowMs - askedMs });
  if (!("answer" in result)) return null;
  const messages = result.answer.map((message) => deliveryOf(message, invisibleMs));
  if (messages.length === 0 && begins?.get(topic) === "asked") {
    if (await isPlaced(parts, group, topic)) begins.set(topic, "placed");
  }
  if (messages.length > 0) {
    const told = { group: reader, client, ordered, broadcast, filter: filter.kind, messages };
    journal.note({ kind: "delivered", ...told });
    if (!broadcast) { for (const spot of messages) parts.handedOut.push({ group, spot }); }
    parts.handedOut.splice(0, parts.handedOut.length - handedOutMax);
  }
  return startedMs <= askedMs ? messages : null;
}

/** A shard that could not be asked gives the group its places later. */
async function isPlaced(parts: ClientParts, group: string, topic: string): Promise<boolean> {
  const result = await attempt(parts, `places of ${group}`, (broker) => {
    return broker.places(group, topic);
  });
  const places = "answer" in result ? result.answer : [{ committedOffset: null }];
  if (places.some(({ committedOffset }) => committedOffset === null)) return false;
  parts.journal.note({ kind: "placed", group, topic });
  return true;
}

/** Some clients hang up while they wait. */
function abortSometimes({ scheduler }: ClientParts, prng: Prng, waitMs: number) {
  if (waitMs === 0 || !prng.chance(0.2)) return {};
  const hangUp = new AbortController();
  scheduler.later(prng.int(waitMs), () => hangUp.abort(hungUp));
  return { signal: hangUp.signal };
}

function deliveryOf(message: ReceivedMessage, invisibleMs: number): SeenDelivery {
  const { attempt: count, receipt, invisibleUntilMs, record } = message;
  const grantedMs = invisibleUntilMs - invisibleMs;
  return { ...seen(record), attempt: count, receipt, invisibleUntilMs, grantedMs };
}

async function work(
  parts: ClientParts,
  member: Member,
  prng: Prng,
  messages: readonly SeenDelivery[],
): Promise<void> {
  const { options, scheduler, world } = parts;
  const { ordered } = member;
  const done: string[] = [];
  for (const { receipt, id } of messages) {
    if (ordered && isFailing(parts, id)) await settle(parts, "nack", member, [receipt], prng);
    else if (world.isCalm) done.push(receipt);
    else if (prng.chance(options.nackRate)) await settle(parts, "nack", member, [receipt], prng);
    else {
      if (prng.chance(options.extendRate)) await settle(parts, "extend", member, [receipt], prng);
      // Some work takes longer than the lease.
      await scheduler.sleep(prng.chance(0.1) ? options.invisibleMs * 2 : prng.int(50));
      if (prng.chance(0.5)) await settle(parts, "ack", member, [receipt], prng);
      else done.push(receipt);
    }
  }
  if (done.length > 0) await settle(parts, "ack", member, done, prng);
  if (done.length > 0 && prng.chance(0.1)) await settle(parts, "ack", member, done, prng);
}

function isFailing({ options, facts, isFailing }: ClientParts, id: string): boolean {
  return options.failingKeys && isFailing() && facts.get(id)?.key === failingKey;
}

async function settle(
  parts: ClientParts,
  how: "ack" | "nack" | "extend",
  { group, reader }: Member,
  receipts: readonly string[],
  prng: Prng,
): Promise<void> {
  const { journal, options } = parts;
  const delayMs = prng.pick([null, 0, 300]);
  const invisibleMs = prng.pick([options.invisibleMs, options.invisibleMs * 3]);
  for (const receipt of receipts) {
    journal.note({ kind: "settle-asked", how, group: reader, receipt });
  }
  const isNack = how === "nack";
  // By lot with a backoff: at once, for all that is known here.
  const againMs = isNack && options.backoff && delayMs === null
    ? 0
    : delayMs ?? options.retryDelayMs;
  const notBeforeMs = parts.scheduler.clock.wallMs() + againMs;
  const result = await attempt(parts, `${how} of ${reader}`, (broker) => {
    if (how === "ack") return broker.ack(group, receipts);
    if (how === "nack") return broker.nack(group, receipts, delayMs);
    return broker.extend(group, receipts, invisibleMs);
  });
  receipts.forEach((receipt, at) => {
    const answer = "answer" in result ? result.answer[at] : undefined;
    const verdict = answer?.verdict ?? "unknown";
    const untilMs = answer !== undefined && "invisibleUntilMs" in answer
      ? Number(answer.invisibleUntilMs)
      : isNack
      ? notBeforeMs
      : 0;
    journal.note({ kind: "settle-ended", how, group: reader, receipt, verdict, untilMs });
  });
}
