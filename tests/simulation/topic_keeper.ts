/**
 * One simulated operator with a topic of his own: he sends timers with keys and messages under ids
 * of his own, gives it more queues, deletes it and makes it anew under its name, and knows what is
 * there at every step. No timer of it is due within a run.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { attempt, type ClientParts, dialled } from "./clients.ts";
import { KeptIds, messageOf } from "./kept_ids.ts";

const topic = "kept-topic";
const keys = ["red", "green", "blue"] as const;
const hourMs = 3_600_000;
/** More steps than numbers of queues are remembered one by one. */
const queuesMax = 24;
/** Between two tries of what has to succeed in the end. */
const againMs = 200;

/** What is pending: key → message; `null`: none; absent: nobody knows. */
type Pending = Map<string, string | null>;
type Step = "replace" | "cancel" | "find" | "count" | "again" | "anew";

/** Goes on until the storm is over, and leaves nothing behind. */
export async function runTopicKeeper(parts: ClientParts, prng: Prng): Promise<void> {
  await new TopicKeeper(parts, prng).run();
}

class TopicKeeper {
  readonly #parts: ClientParts;
  readonly #prng: Prng;
  readonly #ids: KeptIds;
  #pending: Pending = new Map();
  #sent = 0;

  constructor(parts: ClientParts, prng: Prng) {
    this.#parts = parts;
    this.#prng = prng;
    const note = (expected: string, found: string) => this.#note("again", expected, found);
    this.#ids = new KeptIds({ parts, prng: prng.fork(), topic, grow: () => this.#grow(), note });
  }

  async run(): Promise<void> {
    const { scheduler, world } = this.#parts;
    await this.#makeAnew();
    while (!world.isCalm) {
      await this.#act();
      await scheduler.sleep(this.#prng.pick([0, 5, 400]));
    }
    await this.#delete();
  }

  async #act(): Promise<void> {
    const prng = this.#prng;
    const key = prng.pick(keys);
    const chance = prng.float();
    if (chance < 0.3) await this.#schedule(key);
    else if (chance < 0.37) await this.#cancel(key);
    else if (chance < 0.45) await this.#find(key);
    else if (chance < 0.5) await this.#count();
    else if (chance < 0.7) await this.#ids.send();
    else if (chance < 0.8) await this.#ids.schedule();
    else if (chance < 0.95) await this.#grow();
    else {
      const old = await this.#sendNow(`now-${++this.#sent}`);
      await this.#delete();
      await this.#makeAnew();
      await this.#lookAnew(old?.messageId ?? null);
    }
  }

  async #schedule(timerKey: string): Promise<void> {
    const id = `later-${++this.#sent}`;
    const timing = { deliverAtMs: null, delayMs: hourMs, timerKey };
    const before = this.#pending.get(timerKey);
    const sent = await this.#ask("keyed timer", timerKey, (broker) => {
      return broker.send({ ...requestOf(), messages: [{ ...messageOf(id), timing }] });
    });
    if (sent === null) return;
    this.#pending.set(timerKey, id);
    const [receipt] = sent;
    if (before !== undefined) this.#note("replace", before, receipt?.replacedMessageId ?? null);
  }

  async #cancel(timerKey: string): Promise<void> {
    const before = this.#pending.get(timerKey);
    const outcome = await this.#ask("cancel by key", timerKey, (broker) => {
      return broker.timers.cancel(topic, { by: "key", timerKey });
    });
    if (outcome === null) return;
    this.#pending.set(timerKey, null);
    if (before === undefined) return;
    this.#note("cancel", before === null ? "unknown" : "cancelled", outcome.verdict);
  }

  async #find(timerKey: string): Promise<void> {
    const found = await this.#look((broker) => {
      return broker.timers.find(topic, { by: "key", timerKey });
    });
    const expected = this.#pending.get(timerKey);
    if (found === undefined || expected === undefined) return;
    this.#note("find", expected, found?.messageId ?? null);
  }

  async #count(): Promise<void> {
    const known = keys.map((key) => this.#pending.get(key));
    const page = await this.#look((broker) => {
      const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, after: null, timersMax: 100 };
      return broker.timers.list({ topic, ...all });
    });
    const byId = this.#ids.pendingCount;
    if (page === undefined || known.includes(undefined) || byId === null) return;
    const expected = known.filter((id) => id !== null).length + byId;
    this.#note("count", String(expected), `${page.timers.length}`);
  }

  async #grow(): Promise<void> {
    await this.#look(async (broker) => {
      const { queueRefs } = broker.topic(topic) ?? { queueRefs: [] };
      const queues = Math.min(queuesMax, queueRefs.length + this.#prng.between(1, 2));
      return await broker.changeTopic(topic, { queues });
    });
  }

  /** A message that is visible at once. */
  async #sendNow(id: string) {
    const sent = await this.#look((broker) => {
      return broker.send({ ...requestOf(), messages: [messageOf(id)], ownIds: true });
    });
    return sent?.[0] ?? null;
  }

  /** The topic was made anew a moment ago. */
  async #lookAnew(oldId: string | null): Promise<void> {
    const found = await this.#look(async (broker) => {
      const ranges = await broker.queueRanges(topic);
      const copies = oldId === null ? [] : await broker.findById(topic, oldId);
      const ends = ranges.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
      return `${ends} stored, ${copies.length} found`;
    });
    if (found !== undefined) this.#note("anew", "0 stored, 0 found", found);
    await this.#count();
    const again = oldId === null ? null : await this.#sendNow(oldId);
    if (again !== null) this.#note("anew", "new", again.repeated ? "repeated" : "new");
  }

  async #makeAnew(): Promise<void> {
    const queues = this.#prng.between(1, 3);
    await this.#atLast("create", (broker) => broker.createTopic(topic, { queues }), "topic_exists");
    for (const key of keys) this.#pending.set(key, null);
    this.#ids.clear();
  }

  async #delete(): Promise<void> {
    const { journal } = this.#parts;
    await this.#atLast("delete", (broker) => broker.deleteTopic(topic), "topic_not_found");
    journal.note({ kind: "topic-gone", name: topic });
  }

  /** Until it is so, whoever made it so. */
  async #atLast(what: string, ask: (broker: Broker) => Promise<unknown>, done: string) {
    for (;;) {
      const result = await attempt(this.#parts, `${what} of ${topic}`, ask);
      if ("answer" in result || result.error.code === done) return;
      await this.#parts.scheduler.sleep(againMs);
    }
  }

  /** What may have happened or not leaves the key unknown. */
  async #ask<T>(what: string, key: string, ask: (broker: Broker) => Promise<T>) {
    const result = await attempt(this.#parts, what, ask);
    if ("answer" in result) return result.answer;
    if (result.outcome === "unknown") this.#pending.delete(key);
    return null;
  }

  /** `undefined`: it failed. */
  async #look<T>(ask: (broker: Broker) => Promise<T>): Promise<T | undefined> {
    const result = await attempt(this.#parts, `look at ${topic}`, ask);
    return "answer" in result ? result.answer : undefined;
  }

  #note(step: Step, expected: string | null, found: string | null): void {
    this.#parts.journal.note({ kind: "topic-kept", step, expected, found });
  }
}

function requestOf() {
  return { topic, queueId: null, storeHost: dialled };
}
