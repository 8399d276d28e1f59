/**
 * Simulated operators: they reset groups, make and delete topics and groups, and set the clock.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { limits } from "../../src/base/limits.ts";
import type { ResetTarget } from "../../src/broker/broker.ts";
import { everything } from "../../src/model/subscription.ts";
import { attempt, type ClientParts, pickTopic } from "./clients.ts";
import { receiveOnce } from "./consumers.ts";
import { type Names, sendOnce } from "./producers.ts";
import { askPlaces, type Calls } from "./pullers.ts";

/** A topic that stays for the whole run. */
export const topicName = (number: number) => `topic-${number}`;
/** A group whose members lease. */
export const groupName = (number: number) => `group-${number}`;
/** A group that reads by offset. */
export const pullGroupName = (number: number) => `readers-${number}`;

/** Makes the topics and groups of the run, before anything may fail. */
export async function setUp(parts: ClientParts): Promise<void> {
  const { options, topics, world } = parts;
  const broker = await world.broker();
  for (let number = 0; number < options.topics; number++) {
    const weak = options.processCrashTopics && number % 2 === 1;
    const shortLived = options.retention && number === 0;
    await broker.createTopic(topicName(number), {
      queues: options.queuesPerTopic,
      durability: weak ? "process-crash" : "power-loss",
      ...(shortLived ? { retentionMs: limits.retentionMsMin } : {}),
    });
    topics.add(topicName(number));
  }
  const { attemptsMax } = options;
  const settings = { attemptsMax, retryDelaysMs: [options.retryDelayMs] };
  const groups = Array.from({ length: options.groups }, (_, number) => groupName(number));
  const readers = Array.from({ length: options.pullers }, (_, number) => pullGroupName(number));
  for (const group of [...groups, ...readers]) {
    await broker.createGroup(group, settings);
    // A place from the start on: retention keeps what these groups have not read.
    for (const topic of topics) {
      for (let queueId = 0; queueId < options.queuesPerTopic; queueId++) {
        await broker.commitOffset(group, topic, queueId, 0);
      }
    }
  }
}

/** Puts groups back, never forward, so that all is consumed in the end. */
export async function runResets(parts: ClientParts, prng: Prng, calls: Calls): Promise<void> {
  const { options, scheduler, world, journal } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(500, 6_000));
    if (world.isCalm) return;
    const group = groupName(prng.int(options.groups));
    const topic = topicName(prng.int(options.topics));
    const committed = await askPlaces(parts, group, topic, calls);
    if (committed === null) continue;
    const queueId = prng.int(committed.length);
    const offset = prng.int((committed[queueId] ?? 0) + 1);
    const target: ResetTarget = prng.chance(0.5)
      ? { kind: "earliest" }
      : { kind: "offset", queueId, offset };
    const call = calls.next();
    journal.note({ kind: "reset-asked", call, group, topic });
    await attempt(parts, `reset of ${group}`, (broker) => {
      return broker.resetOffsets(group, topic, target, "operator");
    });
    journal.note({ kind: "reset-ended", call, group, topic });
  }
}

/** Topics that come and go while others work on them. */
export async function runTopicChurn(
  parts: ClientParts,
  prng: Prng,
  names: Names,
): Promise<void> {
  const { scheduler, world, topics, journal } = parts;
  for (let number = 0; !world.isCalm; number++) {
    const topic = `passing-${number}`;
    const made = await attempt(parts, `create ${topic}`, (broker) => {
      return broker.createTopic(topic, { queues: prng.between(1, 3) });
    });
    if ("answer" in made) topics.add(topic);
    for (let send = prng.int(4); send > 0 && "answer" in made; send--) {
      await sendOnce(parts, "churn", prng, names, topic);
    }
    await scheduler.sleep(prng.between(100, 5_000));
    topics.delete(topic);
    journal.note({ kind: "topic-gone", name: topic });
    await attempt(parts, `delete ${topic}`, (broker) => broker.deleteTopic(topic));
  }
}

/** Groups that come and go, with members still waiting when they are deleted. */
export async function runGroupChurn(parts: ClientParts, prng: Prng): Promise<void> {
  const { scheduler, world, journal } = parts;
  for (let number = 0; !world.isCalm; number++) {
    const group = `passing-group-${number}`;
    const made = await attempt(parts, `create ${group}`, (broker) => {
      return broker.createGroup(group, { attemptsMax: 1, retryDelaysMs: [0] });
    });
    if ("answer" in made) {
      const topic = pickTopic(prng, parts.topics);
      const member = { group, client: `${group}-client`, filter: everything };
      const polls = [1, 2, 3].map(() => receiveOnce(parts, member, prng.fork(), topic));
      await scheduler.sleep(prng.between(1, 2_000));
      journal.note({ kind: "group-gone", name: group });
      await attempt(parts, `delete ${group}`, (broker) => broker.deleteGroup(group));
      await Promise.all(polls);
    }
    await scheduler.sleep(prng.between(100, 3_000));
  }
}

/** The host's clock is set now and then. */
export async function runClockJumps(parts: ClientParts, prng: Prng): Promise<void> {
  const { scheduler, world, journal } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(1_000, 10_000));
    if (world.isCalm) return;
    const ms = prng.between(-4_000, 4_000);
    scheduler.clock.jump(ms);
    journal.note({ kind: "clock-jump", ms });
  }
}
