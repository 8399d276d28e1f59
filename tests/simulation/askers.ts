/**
 * Simulated requests and replies: askers who wait for an answer until their deadline, and clerks
 * who answer at once, late, twice, or not at all.
 *
 * @module
 */
import { utf8 } from "../../src/base/bytes.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { ReceivedMessage } from "../../src/broker/broker.ts";
import { encodeProperties, propertyNames, readProperty } from "../../src/model/properties.ts";
import { readRecord } from "../../src/model/record.ts";
import { everything } from "../../src/model/subscription.ts";
import { attempt, type ClientParts, dialled, newMessage, seen } from "./clients.ts";
import type { Names } from "./producers.ts";

/** Where the questions are, apart from all else. */
const questions = "questions";
const clerks = "clerks";
/** How many answer. */
export const clerksCount = 2;
/** Between two looks of a clerk, when no question has to be quick. */
const calmSleepMs = 1_000;
const decoder = new TextDecoder();

/** The topic and the group, before anything may fail. */
export async function openDesk({ options, world }: ClientParts): Promise<void> {
  if (options.askers === 0) return;
  const broker = await world.broker();
  await broker.createTopic(questions, { queues: options.queuesPerTopic });
  await broker.createGroup(clerks, { attemptsMax: 3, retryDelaysMs: [0] });
}

/** Asks until the storm is over, one question after the other. */
export async function runAsker(parts: ClientParts, prng: Prng, names: Names): Promise<void> {
  const { options, scheduler, world, journal } = parts;
  for (let count = 0; count < options.sends && !world.isCalm; count++) {
    const id = `q${++names.messages}`;
    const timeoutMs = prng.pick([5, 300, 2_000, 8_000]);
    const facts = { id, topic: questions, tag: null, key: null, amount: 0, ttlMs: null };
    const message = newMessage(parts, { ...facts, how: "send", bodyBytes: 8, ownId: false });
    await world.broker();
    const gone = world.gone;
    const askedMs = scheduler.nowMs;
    journal.note({ kind: "request-asked", id, timeoutMs });
    const result = await attempt(parts, `request ${id}`, (broker) => {
      const target = { topic: questions, queueId: null, storeHost: dialled };
      const asked = { ...target, message, timeoutMs };
      return broker.request(gone === undefined ? asked : { ...asked, signal: gone });
    });
    const tookMs = scheduler.nowMs - askedMs;
    journal.note({ kind: "waited", what: "request", waitMs: timeoutMs, tookMs });
    const answer = "answer" in result ? decoder.decode(result.answer.body) : null;
    const code = "answer" in result ? null : result.error.code;
    journal.note({ kind: "request-ended", id, answer, code, tookMs });
    await scheduler.sleep(prng.int(Math.ceil(options.stormMs / options.sends)));
  }
}

/** Answers until all is over. */
export async function runClerk(parts: ClientParts, number: number, prng: Prng): Promise<void> {
  const { scheduler } = parts;
  while (!parts.isOver()) {
    const result = await attempt(parts, `receive of ${clerks}`, (broker) =>
      broker.receive({
        topic: questions,
        group: clerks,
        clientId: `clerk-${number}`,
        messagesMax: prng.between(1, 4),
        bytesMax: 10_000,
        invisibleMs: 2_000,
        waitMs: prng.pick([0, 1_000]),
        filter: everything,
      }));
    const received = "answer" in result ? result.answer : [];
    for (const message of received) {
      const { id, storedMs } = seen(message.record);
      const grantedMs = message.invisibleUntilMs - 2_000;
      parts.journal.note({ kind: "request-seen", id, storedMs, grantedMs });
      // Answers are given side by side: one that takes long keeps no other question waiting.
      answer(parts, id, message, prng).catch((thrown) => scheduler.fail(thrown));
    }
    await scheduler.sleep(parts.world.isCalm ? calmSleepMs : prng.between(1, 200));
  }
}

async function answer(
  parts: ClientParts,
  id: string,
  { record, receipt }: ReceivedMessage,
  prng: Prng,
): Promise<void> {
  const { scheduler, world } = parts;
  const { properties } = readRecord(record);
  const correlationId = readProperty(properties, propertyNames.correlationId) ?? "";
  const replyTo = readProperty(properties, propertyNames.replyToClient) ?? "";
  const times = world.isCalm ? 1 : prng.pick([0, 1, 1, 2]);
  for (let time = 0; time < times; time++) {
    await scheduler.sleep(world.isCalm ? 0 : prng.pick([0, 0, 4, 290, 2_500]));
    const text = `${id} ${parts.journal.count}`;
    parts.journal.note({ kind: "reply-asked", id, text });
    const result = await attempt(parts, `reply to ${id}`, (broker) => {
      const body = utf8(text);
      return broker.reply({ correlationId, replyTo, body, properties: encodeProperties([]) });
    });
    const code = "answer" in result ? null : result.error.code;
    parts.journal.note({ kind: "reply-ended", id, text, code });
  }
  await attempt(parts, `ack of ${clerks}`, (broker) => broker.ack(clerks, [receipt]));
}
