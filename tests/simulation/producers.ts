/**
 * Simulated producers: one message, many, or by sharding key; each waits for its answer.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { SendRequest } from "../../src/broker/broker.ts";
import type { SendReceipt } from "../../src/model/message.ts";
import {
  attempt,
  type ClientParts,
  dialled,
  drawMessage,
  newMessage,
  pickTopic,
} from "./clients.ts";
import type { Spot } from "./events.ts";
import { topicName } from "./groups.ts";

/** Numbers of sends and messages, unique in a run. */
export class Names {
  sends = 0;
  messages = 0;
}

/** Sends until its number of sends is reached, or the storm is over. */
export async function runProducer(
  parts: ClientParts,
  name: string,
  prng: Prng,
  names: Names,
): Promise<void> {
  const { options, scheduler, world } = parts;
  for (let count = 0; count < options.sends && !world.isCalm; count++) {
    await sendOnce(parts, name, prng, names, pickTopic(prng, parts.topics));
    await scheduler.sleep(prng.int(Math.ceil(options.stormMs / options.sends)));
  }
}

/** One send, noted from asking to its end. */
export async function sendOnce(
  parts: ClientParts,
  producer: string,
  prng: Prng,
  names: Names,
  topic: string,
): Promise<void> {
  const { options, journal, world } = parts;
  const send = ++names.sends;
  const known = (await world.broker()).topic(topic);
  const durability = known?.settings.durability ?? "power-loss";
  // Where a power cut may take a message, or retention, its repeat is rightly stored anew.
  const isKept = durability === "power-loss" && !(options.retention && topic === topicName(0));
  const repeats = isKept && topic.startsWith("topic-") && prng.chance(options.repeatRate);
  const count = repeats ? 1 : prng.between(1, options.batchMax);
  const ids = Array.from({ length: count }, () => `m${++names.messages}`);
  const drawn = drawMessage(parts, prng, topic);
  const messages = ids.map((id) => {
    return newMessage(parts, { ...drawn, id, how: "send", ownId: repeats });
  });
  const keyed = drawn.key === null ? {} : { shardingKey: drawn.key };
  const request = { topic, queueId: null, ...keyed, storeHost: dialled, messages };
  journal.note({ kind: "send-asked", send, producer, topic, durability, ids });
  const result = await attempt(parts, `send ${send}`, (broker) => {
    return broker.send({ ...request, ownIds: repeats });
  });
  if ("answer" in result) {
    const spots = spotsOf(topic, result.answer);
    journal.note({ kind: "send-ended", send, outcome: "done", code: null, spots });
  } else {
    const { outcome, error } = result;
    journal.note({ kind: "send-ended", send, outcome, code: error.code, spots: [] });
    // What was refused was not sent, and a repeat would be the first.
    if (outcome === "refused") return;
  }
  if (repeats) await repeatSend(parts, send, request, prng);
}

async function repeatSend(
  parts: ClientParts,
  send: number,
  request: SendRequest,
  prng: Prng,
): Promise<void> {
  const { scheduler, journal } = parts;
  for (let repeat = prng.between(1, 3); repeat > 0; repeat--) {
    await scheduler.sleep(prng.pick([0, 10, 3_000]));
    const result = await attempt(parts, `repeat of send ${send}`, (broker) => {
      return broker.send({ ...request, ownIds: true });
    });
    if (!("answer" in result)) continue;
    const repeated = result.answer.every((receipt) => receipt.repeated);
    const spots = spotsOf(request.topic, result.answer);
    journal.note({ kind: "repeat-ended", send, repeated, spots });
  }
}

function spotsOf(topic: string, receipts: readonly SendReceipt[]): Spot[] {
  // Only a message that is not visible yet has no offset; nobody sends one here.
  return receipts.flatMap(({ queueId, offset }) =>
    offset === null ? [] : [{ topic, queueId, offset }]
  );
}
