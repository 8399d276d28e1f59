/**
 * Simulated operators: they reset groups, make and delete topics and groups, set the clock, and end
 * threads.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import { limits } from "../../src/base/limits.ts";
import type { Broker, ResetTarget } from "../../src/broker/broker.ts";
import { everything } from "../../src/model/subscription.ts";
import { openDesk } from "./askers.ts";
import { attempt, type ClientParts, pickTopic } from "./clients.ts";
import { receiveOnce } from "./consumers.ts";
import { keptGroups, pullGroupName, type SimGroup, topicName } from "./groups.ts";
import { type Names, sendOnce } from "./producers.ts";
import { askPlaces, type Calls } from "./pullers.ts";
import { seatScreens } from "./screens.ts";

/** Makes the topics and groups of the run, before anything may fail. */
export async function setUp(parts: ClientParts, groups: readonly SimGroup[]): Promise<void> {
  const { options, topics, world } = parts;
  const broker = await world.broker();
  for (let number = 0; number < options.topics; number++) {
    const weak = options.processCrashTopics && number % 2 === 1;
    const shortLived = options.retention && number === 0;
    const isLast = number === options.topics - 1;
    await broker.createTopic(topicName(number), {
      queues: options.queuesPerTopic,
      durability: weak ? "process-crash" : "power-loss",
      ...(shortLived ? { retentionMs: limits.retentionMsMin } : {}),
      ...(isLast ? { messageTtlMs: options.topicTtlMs } : {}),
    });
    topics.add(topicName(number));
  }
  const settings = { attemptsMax: options.attemptsMax, retryDelaysMs: [options.retryDelayMs] };
  for (const group of groups) {
    await broker.createGroup(group.name, group.settings);
    if (group.settings.startFrom !== "latest") await begin(parts, group.name);
    await tellWishes(parts, group);
  }
  for (let number = 0; number < options.pullers; number++) {
    await broker.createGroup(pullGroupName(number), settings);
    await begin(parts, pullGroupName(number));
  }
  for (const name of options.keptPlaces ? keptGroups : []) {
    await broker.createGroup(name, settings);
    await begin(parts, name);
  }
  await seatScreens(parts);
  await openDesk(parts);
}

/** A place from the start on: retention keeps what the group has not read. */
async function begin({ options, topics, world }: ClientParts, group: string): Promise<void> {
  const broker = await world.broker();
  for (const topic of topics) {
    for (let queueId = 0; queueId < options.queuesPerTopic; queueId++) {
      await broker.commitOffset(group, topic, queueId, 0);
    }
  }
}

/** Members that want different things say so before there are messages: each is kept for one. */
async function tellWishes({ topics, world }: ClientParts, group: SimGroup): Promise<void> {
  const broker = await world.broker();
  const kinds = new Set(group.filters.map(({ kind }) => kind));
  if (kinds.size < 2) return;
  for (const topic of topics) {
    for (const [member, filter] of group.filters.entries()) {
      await broker.receive({
        topic,
        group: group.name,
        clientId: `${group.name}-${member}`,
        messagesMax: 1,
        bytesMax: 1,
        invisibleMs: limits.invisibleMsMin,
        waitMs: 0,
        filter,
      });
    }
  }
}

/** Puts groups back, never forward, so that all is consumed in the end. */
export async function runResets(parts: ClientParts, prng: Prng, calls: Calls): Promise<void> {
  const { options, scheduler, world } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(500, 6_000));
    if (world.isCalm) return;
    const group = `group-${prng.int(options.groups)}`;
    const topic = topicName(prng.int(options.topics));
    const committed = await askPlaces(parts, group, topic, calls);
    if (committed === null) continue;
    const queueId = prng.int(committed.length);
    const offset = prng.int((committed[queueId] ?? 0) + 1);
    const target: ResetTarget = prng.chance(0.5)
      ? { kind: "earliest" }
      : { kind: "offset", queueId, offset };
    await move(parts, "reset", calls, group, topic, (broker) => {
      return broker.resetOffsets(group, topic, target, "operator");
    });
    if (!prng.chance(0.3)) continue;
    await scheduler.sleep(prng.int(1_000));
    await move(parts, "undo", calls, group, topic, (broker) => {
      return broker.undoReset(group, topic, "operator");
    });
  }
}

async function move(
  parts: ClientParts,
  how: "reset" | "undo",
  calls: Calls,
  group: string,
  topic: string,
  ask: (broker: Broker) => Promise<unknown>,
): Promise<void> {
  const call = calls.next();
  parts.journal.note({ kind: "reset-asked", how, call, group, topic });
  await attempt(parts, `${how} of ${group}`, ask);
  parts.journal.note({ kind: "reset-ended", how, call, group, topic });
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
      const client = `${group}-client`;
      const member = { group, reader: group, client, filter: everything, ordered: false };
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

/** Threads of single shards end now and then. */
export async function runShardLosses(parts: ClientParts, prng: Prng): Promise<void> {
  const { options, scheduler, world } = parts;
  while (!world.isCalm) {
    await scheduler.sleep(prng.between(1_000, 15_000));
    if (!world.isCalm) world.endShard(prng.int(options.shards));
  }
}
