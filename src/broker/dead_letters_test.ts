import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodyText,
  type OneThreadBroker,
  sendOf,
  withBroker,
} from "../../tests/support/one_thread_broker.ts";
import { BrokerError } from "../model/errors.ts";
import { everything } from "../model/subscription.ts";
import type { DeadLetterPage, LetterPlace } from "./dead_letter_desk.ts";

const group = "billing";

test("deadLetters.list() tells each letter's story, page by page over all shards", () =>
  withBroker({ shards: 2 }, async (broker) => {
    await die(broker, ["a", "b", "c"]);

    const [first, second] = await pages(broker, 2);

    assert.deepEqual([first?.length, second?.length], [2, 1]);
    const story = [...first ?? [], ...second ?? []].map((letter) => {
      const { originTopic, originOffset, attempts, reason } = letter;
      return `${bodyText(letter.record)}: ${originTopic} ${originOffset} ${attempts} ${reason}`;
    });
    assert.deepEqual(story.sort(), [
      "a: orders 0 1 attempts-exhausted",
      "b: orders 0 1 attempts-exhausted",
      "c: orders 1 1 attempts-exhausted",
    ]);
  }));

test("deadLetters.redrive() sends all back, to be tried as if they were new", () =>
  withBroker({}, async (broker) => {
    await die(broker, ["a", "b"]);
    const { id } = await broker.run(
      broker.door.deadLetters.redrive(group, { kind: "all" }, 1_000),
    );
    await broker.pass(100);

    assert.equal(stateOf(broker, id), "done: 2 redriven, 0 gone, 0 left");
    assert.deepEqual(await received(broker), ["a#1", "b#1"]);
    assert.deepEqual(await pages(broker, 10), [[]]);
  }));

test("deadLetters.redrive() goes on after a restart where it was, and sends nothing twice", () =>
  withBroker({}, async (broker) => {
    await die(broker, ["a", "b", "c"]);
    await broker.run(broker.door.deadLetters.redrive(group, { kind: "all" }, 1));
    await broker.pass(1_001);
    await broker.restart();

    assert.deepEqual(broker.door.deadLetters.redrives(group), []);
    await broker.run(broker.door.deadLetters.redrive(group, { kind: "all" }, 1_000));
    await broker.pass(100);

    assert.deepEqual(await received(broker), ["a#1", "b#1", "c#1"]);
  }));

test("deadLetters.redrive() keeps to its rate, and stops when it is told to", () =>
  withBroker({}, async (broker) => {
    await die(broker, ["a", "b", "c", "d"]);
    const { id } = await broker.run(broker.door.deadLetters.redrive(group, { kind: "all" }, 1));
    await broker.pass(1_500);
    assert.equal(stateOf(broker, id), "running: 2 redriven, 0 gone, 0 left");

    broker.door.deadLetters.stopRedrive(group, id);
    await broker.pass(60_000);

    assert.equal(stateOf(broker, id), "stopped: 2 redriven, 0 gone, 0 left");
  }));

test("deadLetters.redrive() takes letters by id, or the oldest", () =>
  withBroker({ shards: 2 }, async (broker) => {
    await die(broker, ["a", "b", "c", "d"]);
    const letters = (await pages(broker, 10)).flat();
    const c = letters.find((letter) => bodyText(letter.record) === "c");
    const chosen = { kind: "ids", messageIds: [c?.messageId ?? ""] } as const;
    await broker.run(broker.door.deadLetters.redrive(group, chosen, 1_000));
    await broker.pass(100);
    assert.deepEqual(await received(broker), ["c#1"]);

    const oldest = { kind: "oldest", messagesMax: 2 } as const;
    await broker.run(broker.door.deadLetters.redrive(group, oldest, 1_000));
    await broker.pass(1_000);

    assert.equal((await received(broker)).length, 2);
    assert.equal((await pages(broker, 10)).flat().length, 1);
  }));

test("deadLetters.redrive() refuses an id that names no dead letter", () =>
  withBroker({}, async (broker) => {
    await die(broker, ["a"]);
    const choice = { kind: "ids", messageIds: ["nobody"] } as const;

    await assert.rejects(
      broker.run(broker.door.deadLetters.redrive(group, choice, 10)),
      (thrown) => thrown instanceof BrokerError && thrown.code === "message_not_found",
    );
  }));

test("deadLetters.redrive() leaves letters whose topic is gone, and says so", () =>
  withBroker({}, async (broker) => {
    await die(broker, ["a"]);
    await broker.run(broker.door.deleteTopic("orders"));
    const { id } = await broker.run(broker.door.deadLetters.redrive(group, { kind: "all" }, 10));
    await broker.pass(1_000);

    assert.equal(stateOf(broker, id), "done: 0 redriven, 0 gone, 1 left");
    const [redrive] = broker.door.deadLetters.redrives(group);
    assert.match(redrive?.problem ?? "", /stays: its topic "orders" does not exist any more/);
  }));

test("deadLetters.purge() drops letters, and says how many", () =>
  withBroker({ shards: 2 }, async (broker) => {
    await die(broker, ["a", "b", "c"]);

    const oldest = { kind: "oldest", messagesMax: 1 } as const;
    assert.equal(await broker.run(broker.door.deadLetters.purge(group, oldest)), 1);
    assert.equal(await broker.run(broker.door.deadLetters.purge(group, { kind: "all" })), 2);
    assert.deepEqual((await pages(broker, 10)).flat(), []);
    assert.deepEqual(await received(broker), []);
  }));

/** Sends, and lets every message fail as often as the group allows. */
async function die(broker: OneThreadBroker, bodies: readonly string[]): Promise<void> {
  await broker.run(broker.door.createTopic("orders", { queues: 2 }));
  const settings = { attemptsMax: 1, retryDelaysMs: [0] };
  await broker.run(broker.door.createGroup(group, settings));
  for (const body of bodies) {
    await broker.run(broker.door.send(sendOf("orders", [body])));
    await broker.pass(1);
    const receipts = (await receive(broker)).map(({ receipt }) => receipt);
    await broker.run(broker.door.nack(group, receipts, 0));
    await receive(broker);
  }
}

async function receive(broker: OneThreadBroker) {
  const request = { messagesMax: 32, bytesMax: 1_000_000, invisibleMs: 30_000, waitMs: 0 };
  const who = { topic: "orders", group, clientId: "c1", filter: everything };
  const first = await broker.run(broker.door.receive({ ...who, ...request }));
  return [...first, ...await broker.run(broker.door.receive({ ...who, ...request }))];
}

/** What can be received now, acknowledged, as "body#attempt". */
async function received(broker: OneThreadBroker): Promise<string[]> {
  const given = await receive(broker);
  await broker.run(broker.door.ack(group, given.map(({ receipt }) => receipt)));
  return given.map(({ record, attempt }) => `${bodyText(record)}#${attempt}`).sort();
}

async function pages(broker: OneThreadBroker, messagesMax: number) {
  const all = [];
  let after: LetterPlace | null = null;
  do {
    const list = broker.door.deadLetters.list(group, after, messagesMax);
    const page: DeadLetterPage = await broker.run(list);
    all.push(page.letters);
    after = page.next;
  } while (after !== null);
  return all;
}

function stateOf(broker: OneThreadBroker, id: string): string {
  const one = broker.door.deadLetters.redrives(group).find((redrive) => redrive.id === id);
  if (one === undefined) return "unknown";
  return `${one.state}: ${one.redriven} redriven, ${one.gone} gone, ${one.left} left`;
}
