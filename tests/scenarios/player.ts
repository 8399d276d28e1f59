/**
 * Carries out the commands of a play on a broker in one thread: real door, coordinator, shards and
 * stores, on a clock that moves when the play says so.
 *
 * A message is called by its body, which is also its id; a delivery by the message and the group.
 *
 * @module
 */
import { BrokerError } from "../../src/model/errors.ts";
import type { GroupSettings } from "../../src/model/group.ts";
import type { NewMessage } from "../../src/model/message.ts";
import { encodeProperties } from "../../src/model/properties.ts";
import type { TopicSettings } from "../../src/model/topic.ts";
import { bodyText } from "../support/one_thread_broker.ts";
import { askerCommands } from "./askers.ts";
import { operatorCommands } from "./operators.ts";
import type { Command, Stage, Words } from "./stage.ts";

const host = { ip: "127.0.0.1", port: 1 };
const groupDefaults = { retryDelaysMs: [0] };

const commands: Readonly<Record<string, Command>> = {
  topic: async ({ broker }, { plain: [name = ""], named }) => {
    await broker.run(broker.door.createTopic(name, { queues: 1, ...topicSettings(named) }));
    return ["ok"];
  },
  "change-topic": async ({ broker }, { plain: [name = ""], named }) => {
    await broker.run(broker.door.changeTopic(name, topicSettings(named)));
    return ["ok"];
  },
  group: async ({ broker }, { plain: [name = ""], named }) => {
    await broker.run(broker.door.createGroup(name, { ...groupDefaults, ...groupSettings(named) }));
    return ["ok"];
  },
  "change-group": async ({ broker }, { plain: [name = ""], named }) => {
    await broker.run(broker.door.changeGroup(name, groupSettings(named)));
    return ["ok"];
  },
  send,
  receive,
  ack: async ({ broker, receipts }, { plain: [group = "", ...bodies] }) => {
    const verdicts = await broker.run(broker.door.ack(group, receiptsOf(receipts, group, bodies)));
    return verdicts.map(({ verdict }, index) => `${bodies[index]} ${verdict}`);
  },
  nack: async ({ broker, receipts }, { plain: [group = "", ...bodies], named }) => {
    const delayMs = named["delay"] === undefined ? null : Number(named["delay"]);
    const given = receiptsOf(receipts, group, bodies);
    const verdicts = await broker.run(broker.door.nack(group, given, delayMs));
    return verdicts.map(({ verdict }, index) => `${bodies[index]} ${verdict}`);
  },
  pass: async ({ broker }, { plain: [ms = ""] }) => {
    await broker.pass(Number(ms));
    return ["ok"];
  },
  restart: async ({ broker }) => {
    await broker.restart();
    return ["ok"];
  },
  cancel: async ({ broker }, { plain: [topic = "", messageId = ""] }) => {
    const { door } = broker;
    const { verdict } = await broker.run(door.timers.cancel(topic, { by: "id", messageId }));
    return [verdict];
  },
  move: async ({ broker }, { plain: [topic = "", messageId = ""], named }) => {
    const { door, nowMs } = broker;
    const when = { deliverAtMs: null, delayMs: Number(named["delay"]) };
    const moved = await broker.run(door.timers.move(topic, { by: "id", messageId }, when));
    const { verdict, deliverAtMs } = moved;
    return [deliverAtMs === null ? verdict : `${verdict}, due in ${deliverAtMs - nowMs} ms`];
  },
  extend: async ({ broker, receipts }, { plain: [group = "", ...bodies], named }) => {
    const given = receiptsOf(receipts, group, bodies);
    const untilMs = Number(named["invisible"]);
    const verdicts = await broker.run(broker.door.extend(group, given, untilMs));
    return verdicts.map(({ verdict }, index) => `${bodies[index]} ${verdict}`);
  },
  rearm: async ({ broker }) => {
    return [`${await broker.run(broker.door.transactions.rearm(null))} asked again`];
  },
  prepare: async ({ broker, transactions }, { plain: [topic = "", body = ""], named }) => {
    const prepared = await broker.run(broker.door.transactions.prepare({
      topic,
      queueId: null,
      storeHost: host,
      producerGroup: named["producers"] ?? "shop",
      message: messageOf(body, named),
      checkUrl: null,
      immunityMs: null,
    }));
    transactions.set(body, prepared.transactionId);
    return [`${body} prepared`];
  },
  settle: async ({ broker, transactions }, { plain: [verdict = "", body = ""] }) => {
    const id = transactions.get(body) ?? "";
    const wish = verdict === "commit" ? "commit" : "rollback";
    const settled = await broker.run(broker.door.transactions.settle(id, wish, "shop"));
    return [`${settled.state}${settled.first ? "" : " before"}`];
  },
  /** The producers collect their questions for so long, and answer none. */
  wonder: async ({ broker }, { plain: [producerGroup = "", forMs = ""] }) => {
    let asked = 0;
    for (let passedMs = 0; passedMs < Number(forMs); passedMs += 1_000) {
      await broker.pass(1_000);
      const ask = { producerGroup, checksMax: 10, waitMs: 0 };
      asked += (await broker.run(broker.door.transactions.collectChecks(ask))).length;
    }
    return [`asked ${asked} times`];
  },
  /** Sends so many messages at once: "a0", "a1", and so on. */
  "send-many": async ({ broker }, { plain: [topic = "", count = ""], named }) => {
    const shardingKey = named["key"] ?? "";
    const bodies = Array.from({ length: Number(count) }, (_, index) => `${shardingKey}${index}`);
    const messages = bodies.map((body) => messageOf(body, named));
    const ask = { topic, queueId: null, shardingKey, storeHost: host, messages };
    const receipts = await broker.run(broker.door.send(ask));
    return [`${receipts.length} sent`];
  },
  ...askerCommands,
  ...operatorCommands,
};

/** Plays one command. What the broker refuses is a result too. */
export async function play(stage: Stage, line: string): Promise<readonly string[]> {
  const [name = "", ...words] = line.split(/\s+/).filter((word) => word !== "");
  const command = commands[name];
  if (command === undefined) throw new Error(`A play cannot say "${name}"`);
  const plain = words.filter((word) => !/^[a-zA-Z]+=/.test(word));
  const named = Object.fromEntries(
    words.filter((word) => !plain.includes(word))
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  try {
    return await command(stage, { plain, named });
  } catch (thrown) {
    if (thrown instanceof BrokerError) return [`refused: ${thrown.code}`];
    throw thrown;
  }
}

async function send(
  { broker }: Stage,
  { plain: [topic = "", ...bodies], named }: Words,
): Promise<readonly string[]> {
  const queueId = named["queue"] === undefined ? null : Number(named["queue"]);
  const shardingKey = named["key"];
  const told: string[] = [];
  for (const body of bodies) {
    const [receipt] = await broker.run(broker.door.send({
      topic,
      queueId,
      ...(shardingKey === undefined ? {} : { shardingKey }),
      storeHost: host,
      messages: [messageOf(body, named)],
      ownIds: true,
    }));
    if (receipt === undefined) continue;
    const { deliverAtMs, repeated, offset } = receipt;
    const where = offset === null
      ? `due in ${(deliverAtMs ?? 0) - broker.nowMs} ms`
      : `at ${receipt.queueId}/${offset}`;
    told.push(`${body} ${where}${repeated ? " already" : ""}`);
  }
  return told;
}

async function receive(
  { broker, receipts, records }: Stage,
  { plain: [topic = "", group = "", clientId = ""], named }: Words,
): Promise<readonly string[]> {
  const sql = named["sql"]?.replaceAll("_", " ");
  const expression = sql === undefined
    ? { language: "TAG", text: named["tags"] ?? "*" } as const
    : { language: "SQL92", text: sql } as const;
  const filter = await broker.run(broker.door.compile(expression));
  const given = await broker.run(broker.door.receive({
    topic,
    group,
    clientId,
    messagesMax: Number(named["max"] ?? 32),
    bytesMax: 1_000_000,
    invisibleMs: Number(named["invisible"] ?? 30_000),
    waitMs: 0,
    filter,
    mode: named["mode"] === "broadcast" ? "broadcast" : "cluster",
  }));
  for (const { record, receipt } of given) {
    records.set(bodyText(record), record);
    receipts.set(`${group}/${bodyText(record)}`, receipt);
    receipts.set(`${group}/${clientId}/${bodyText(record)}`, receipt);
  }
  const shown = given.map(({ record, attempt }) => `${bodyText(record)}#${attempt}`);
  return shown.length === 0 ? ["nothing"] : shown;
}

function receiptsOf(
  receipts: ReadonlyMap<string, string>,
  group: string,
  bodies: readonly string[],
): string[] {
  return bodies.map((body) => receipts.get(`${group}/${body}`) ?? "none");
}

function messageOf(body: string, named: Words["named"]): NewMessage {
  const { key, tag, ttl, delay, timer, ...properties } = named;
  const { queue: _queue, producers: _producers, ...own } = properties;
  const entries: [string, string][] = [["UNIQ_KEY", body], ...Object.entries(own)];
  if (key !== undefined) entries.push(["__SHARDINGKEY", key]);
  if (tag !== undefined) entries.push(["TAGS", tag]);
  if (ttl !== undefined) entries.push(["__TTL_MS", ttl]);
  const message = {
    body: new TextEncoder().encode(body),
    properties: encodeProperties(entries),
    flag: 0,
    sysFlag: 0,
    bornMs: 1,
    bornHost: host,
    reconsumeTimes: 0,
  };
  if (delay === undefined && timer === undefined) return message;
  const delayMs = delay === undefined ? null : Number(delay);
  return { ...message, timing: { deliverAtMs: null, delayMs, timerKey: timer ?? null } };
}

function topicSettings(named: Words["named"]): Partial<TopicSettings> {
  const { queues, ttl, perm, retention, ordered } = named;
  return {
    ...(queues === undefined ? {} : { queues: Number(queues) }),
    ...(ttl === undefined ? {} : { messageTtlMs: Number(ttl) }),
    ...(perm === undefined ? {} : { perm: Number(perm) }),
    ...(retention === undefined ? {} : { retentionMs: Number(retention), deleteUnread: true }),
    ...(ordered === undefined ? {} : { ordered: ordered === "yes" }),
  };
}

function groupSettings(named: Words["named"]): Partial<GroupSettings> {
  const { attempts, delays, start, ordered, consume } = named;
  return {
    ...(attempts === undefined ? {} : { attemptsMax: Number(attempts) }),
    ...(delays === undefined ? {} : { retryDelaysMs: delays.split(",").map(Number) }),
    ...(start === "latest" ? { startFrom: "latest" } : {}),
    ...(ordered === undefined ? {} : { ordered: ordered === "yes" }),
    ...(consume === undefined ? {} : { consumeEnabled: consume === "on" }),
  };
}
