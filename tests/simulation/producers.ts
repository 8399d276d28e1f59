/**
 * Simulated producers: one message, many, or by sharding key; each waits for its answer.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { attempt, type ClientParts, dialled, messageOf, pickTopic } from "./clients.ts";

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
  const { options, scheduler, journal } = parts;
  const send = ++names.sends;
  const count = prng.between(1, options.batchMax);
  const ids = Array.from({ length: count }, () => `m${++names.messages}`);
  const tag = options.tags ? prng.pick(["A", "B", null]) : null;
  const bodyBytes = prng.int(options.bodyBytesMax);
  const nowMs = scheduler.clock.wallMs();
  const messages = ids.map((id) => messageOf(id, tag, nowMs, bodyBytes));
  const keyed = prng.chance(0.4) ? { shardingKey: `key ${prng.int(5)}` } : {};
  const request = { topic, queueId: null, ...keyed, storeHost: dialled, messages };
  const known = (await parts.world.broker()).topic(topic);
  const durability = known?.settings.durability ?? "power-loss";
  journal.note({ kind: "send-asked", send, producer, topic, durability, ids, tag });
  const result = await attempt(parts, `send ${send}`, (broker) => broker.send(request));
  if ("answer" in result) {
    // Only a message that is not visible yet has no offset; nobody here sends one.
    const spots = result.answer.flatMap(({ queueId, offset }) =>
      offset === null ? [] : [{ topic, queueId, offset }]
    );
    journal.note({ kind: "send-ended", send, outcome: "done", code: null, spots });
  } else {
    const { outcome, error } = result;
    journal.note({ kind: "send-ended", send, outcome, code: error.code, spots: [] });
  }
}
