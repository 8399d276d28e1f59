import assert from "node:assert/strict";
import { test } from "node:test";
import { portPair, settle } from "../../tests/support/thread_ports.ts";
import { limits } from "../base/limits.ts";
import { BrokerError, StorageError } from "../model/errors.ts";
import { LinkClient } from "./client.ts";
import { type Departure, gathering } from "./departure.ts";
import { jsonAndBlob, jsonOperation, type WithBlob } from "./codec.ts";
import { LinkServer, type ServerBounds } from "./server.ts";

const operations = {
  double: jsonOperation<number, number>(),
  shout: { request: jsonAndBlob<string>(), answer: jsonAndBlob<string>() },
  forget: jsonOperation<{ readonly id: number }, null>(),
};
type Operations = typeof operations;

/** Turns of an event loop that end when the test says so. */
class TestTurns {
  #planned: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  readonly departure: Departure;

  constructor(part: Partial<Departure> = {}) {
    this.departure = {
      later: (fn) => void this.#planned.push(fn),
      late: (fn) => void this.#waiting.push(fn),
      ...{ quietTurnsMin: 2, itemsEnough: 5, secondItemsMin: 3, enoughOf: () => Infinity },
      ...{ crowdMin: Infinity, ...part },
    };
  }

  end(): void {
    for (const fn of this.#planned.splice(0)) fn();
  }

  /** The time that a crowd is given is over. */
  pass(): void {
    for (const fn of this.#waiting.splice(0)) fn();
  }
}

/** A client and a server whose role is `work`; nothing moves until `settle`. */
function joined(pendingMax = 100, bounds: ServerBounds = limits) {
  const [near, far] = portPair("on-demand");
  const notices: unknown[] = [];
  const onNotice = (notice: unknown) => notices.push(notice);
  const { linkBatchBytesMax } = bounds;
  const client = new LinkClient(operations, near, pendingMax, onNotice, linkBatchBytesMax);
  let arrivals = 0;
  const server: LinkServer<Operations> = new LinkServer(operations, far, () => arrivals++, bounds);
  return { near, far, client, server, notices, arrivals: () => arrivals };
}

/** Answers all that has arrived, as a role's turn does. Answers the names it saw. */
function turn(server: LinkServer<Operations>): string[] {
  const asked = server.take();
  for (const question of asked) {
    const { name, id } = question;
    if (name === "double") server.answer(name, id, question.request * 2);
    else if (name === "shout") {
      const { head, blob } = question.request;
      server.answer(name, id, { head: head.toUpperCase(), blob: blob.toReversed() });
    } else server.answer(name, id, null);
  }
  server.post();
  return asked.map(({ name }) => name);
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (thrown) {
    if (thrown instanceof BrokerError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "none";
}

test("LinkClient.ask() in one turn leaves as one buffer; each gets its own answer", async () => {
  const { near, far, client, server, arrivals } = joined();
  const answers = Promise.all([
    client.ask("double", 4),
    client.ask("shout", { head: "hello", blob: new Uint8Array([1, 2, 3]) }),
    client.ask("double", 5),
  ]);
  await settle(far);

  assert.equal(arrivals(), 1);
  assert.deepEqual(turn(server), ["double", "shout", "double"]);
  await settle(near);
  const [four, shout, five] = await answers;
  assert.deepEqual([four, five], [8, 10]);
  const { head, blob }: WithBlob<string> = shout;
  assert.deepEqual([head, [...blob]], ["HELLO", [3, 2, 1]]);
  assert.equal(client.pendingCount, 0);
});

test("LinkServer.refuse() carries code and sentence, not inner details", async () => {
  const { near, far, client, server } = joined();
  const answers = [1, 2, 3].map((number) => codeOf(client.ask("double", number)));
  await settle(far);
  const thrown = [
    new BrokerError("topic_not_found", "Cannot send to “ü”: it does not exist"),
    new StorageError("full", "Cannot append: no room"),
    new TypeError("secret inner detail"),
  ];
  for (const [at, { id }] of server.take().entries()) server.refuse(id, thrown[at]);
  server.post();
  await settle(near);

  assert.deepEqual(await Promise.all(answers), [
    "topic_not_found: Cannot send to “ü”: it does not exist",
    "disk_full: Cannot append: no room",
    "internal: The broker made a mistake; see its log",
  ]);
});

test("LinkClient has two buffers under way; more waits for a credit", async () => {
  const { near, far, client, server, arrivals } = joined();
  const answers: Promise<number>[] = [];
  for (let number = 0; number < 5; number++) {
    answers.push(client.ask("double", number));
    await settle(far);
  }
  assert.equal(arrivals(), 2);

  assert.equal(turn(server).length, 2);
  await settle(near, far);
  assert.equal(arrivals(), 3);
  assert.equal(turn(server).length, 3);
  await settle(near);
  assert.deepEqual(await Promise.all(answers), [0, 2, 4, 6, 8]);
});

test("LinkClient gathers while turns bring questions, and leaves after two quiet ones", () => {
  const [near, far] = portPair("on-demand");
  const turns = new TestTurns();
  const { departure } = turns;
  const client = new LinkClient(operations, near, 100, () => {}, 1_000_000, departure);
  const ask = () => client.ask("double", 1).catch(() => {});
  ask();
  const sent: number[] = [];
  for (const brings of [true, false, true, false, false]) {
    if (brings) ask();
    turns.end();
    sent.push(far.waiting);
  }
  assert.deepEqual(sent, [0, 0, 0, 0, 1]);
});

test("LinkClient sends enough questions at once, and a second batch when it is worth it", () => {
  const [near, far] = portPair("on-demand");
  const turns = new TestTurns();
  const { departure } = turns;
  const client = new LinkClient(operations, near, 100, () => {}, 1_000_000, departure);
  const waiting = (questions: number, quietTurns: number) => {
    for (let at = 0; at < questions; at++) client.ask("double", 1).catch(() => {});
    for (let at = 0; at < quietTurns; at++) turns.end();
    return far.waiting;
  };
  assert.equal(waiting(5, 1), 1, "five are enough");
  assert.equal(waiting(2, 9), 1, "two wait for the first batch");
  assert.equal(waiting(1, 2), 2, "three are worth a second one");
  assert.equal(waiting(9, 9), 2, "and nothing makes a third");
});

test("LinkClient plans the next batch when a credit comes back", async () => {
  const [near, far] = portPair("on-demand");
  const turns = new TestTurns();
  const { departure } = turns;
  const client = new LinkClient(operations, near, 100, () => {}, 1_000_000, departure);
  const server = new LinkServer(operations, far, () => {});
  const answers = [client.ask("double", 1)];
  for (let at = 0; at < 2; at++) turns.end();
  answers.push(client.ask("double", 2));
  await settle(far);
  turn(server);
  await settle(near);
  assert.equal(far.waiting, 0, "it gathers first");
  for (let at = 0; at < 2; at++) turns.end();
  assert.equal(far.waiting, 1);
  await settle(far);
  turn(server);
  await settle(near);
  assert.deepEqual(await Promise.all(answers), [2, 4]);
});

/** A client that gathers by crowds, and what its batches carried. */
function crowded() {
  const [near, far] = portPair("on-demand");
  const { enoughOf, secondItemsMin, crowdMin } = gathering(noTimers);
  const turns = new TestTurns({ itemsEnough: 1000, secondItemsMin, enoughOf, crowdMin });
  const client = new LinkClient(operations, near, 1000, () => {}, 1_000_000, turns.departure);
  const server = new LinkServer(operations, far, () => {});
  const sizes: number[] = [];
  return {
    sizes,
    leaving: () => far.waiting,
    ask: (questions: number) => {
      for (let at = 0; at < questions; at++) client.ask("double", 1).catch(() => {});
    },
    quieten: () => {
      for (let at = 0; at < 3; at++) turns.end();
    },
    pass: () => turns.pass(),
    answerOne: async () => {
      await settle(far);
      sizes.push(turn(server).length);
      await settle(near);
    },
  };
}

const noTimers = { immediate: () => () => {}, setTimer: () => () => {} };

test("LinkClient sends half of a crowd, and the other half beside it", async () => {
  const { sizes, leaving, ask, quieten, answerOne } = crowded();
  ask(32);
  quieten();
  await answerOne();
  // Those who were answered ask again: half of them are enough, without a quiet turn.
  ask(15);
  assert.equal(leaving(), 0, "fewer than half gather");
  ask(1);
  assert.equal(leaving(), 1);
  ask(15);
  quieten();
  assert.equal(leaving(), 1, "fewer than half do not leave beside the other half");
  ask(1);
  assert.equal(leaving(), 2);
  await answerOne();
  assert.deepEqual(sizes, [32, 32]);
});

test("LinkClient gives each batch of a crowd its time, and no more", async () => {
  const { sizes, leaving, ask, quieten, pass, answerOne } = crowded();
  ask(32);
  quieten();
  await answerOne();
  ask(3);
  quieten();
  assert.equal(leaving(), 0, "turns do not count for a crowd");
  ask(13);
  assert.equal(leaving(), 1, "half of it is there");
  await answerOne();
  ask(2);
  pass();
  assert.equal(leaving(), 0, "the time was given to the batch that left");
  pass();
  assert.equal(leaving(), 1);
  await answerOne();
  assert.deepEqual(sizes, [32, 16, 2]);
});

test("LinkClient notices after a while that a crowd has left", async () => {
  const { sizes, leaving, ask, quieten, pass, answerOne } = crowded();
  ask(400);
  quieten();
  await answerOne();
  ask(1);
  assert.equal(leaving(), 0, "one of a crowd waits for others");
  let waited = 0;
  for (; leaving() === 0; waited++) {
    pass();
    quieten();
    await answerOne();
    ask(1);
  }
  assert.ok(waited > 50 && waited < 150, `${waited} batches of one`);
  assert.deepEqual(new Set(sizes), new Set([400, 1]));
});

test("gathering() lets a lone asker go at once, and keeps a small crowd together", () => {
  const { enoughOf } = gathering(noTimers);
  assert.deepEqual([1, 2, 15, 16, 33, 512].map(enoughOf), [1, 2, 15, 8, 17, 128]);
});

test("LinkServer.post() gives the credit back although nothing is answered yet", async () => {
  const { near, far, client, server } = joined();
  const parked = client.ask("double", 1);
  await settle(far);
  const [question] = server.take();
  server.post();
  assert.equal(near.waiting, 1);

  // Both credits are free again: two more buffers leave while the first question is parked.
  await settle(near);
  const others = [client.ask("double", 2)];
  await settle(far);
  others.push(client.ask("double", 3));
  await settle(far);
  turn(server);
  server.answer("double", question?.id ?? 0, 99);
  server.post();
  await settle(near);
  assert.deepEqual(await Promise.all([parked, ...others]), [99, 4, 6]);
});

test("LinkServer.post() posts nothing when there is nothing to say", () => {
  const { near, server } = joined();
  server.take();
  server.post();
  assert.equal(near.waiting, 0);
});

test("LinkClient.ask() tells the question's id, and the server sees the same", async () => {
  const { far, client, server } = joined();
  const ids: number[] = [];
  client.ask("double", 1, (id) => ids.push(id)).catch(() => {});
  client.ask("forget", { id: ids[0] ?? 0 }, (id) => ids.push(id)).catch(() => {});
  await settle(far);

  const asked = server.take();
  assert.deepEqual(asked.map(({ id }) => id), ids);
  assert.deepEqual(asked[1]?.request, { id: ids[0] });
});

test("LinkClient ignores an answer to a question it no longer knows", async () => {
  const { near, far, client, server } = joined();
  const answers = [client.ask("double", 1), client.ask("double", 2)];
  await settle(far);
  const [first, second] = server.take().map(({ id }) => id);
  server.answer("double", first ?? 0, 2);
  server.answer("double", first ?? 0, 3);
  server.refuse((second ?? 0) + 1000, new BrokerError("internal"));
  server.answer("double", second ?? 0, 4);
  server.post();
  await settle(near);

  assert.equal(client.pendingCount, 0);
  assert.deepEqual(await Promise.all(answers), [2, 4]);
});

test("LinkClient.ask() is too busy with pendingMax questions open, and not before", async () => {
  const { near, far, client, server } = joined(2);
  const answers = [client.ask("double", 1), client.ask("double", 2)];
  assert.match(await codeOf(client.ask("double", 3)), /^too_busy: .* 2 requests are pending/);

  await settle(far);
  turn(server);
  await settle(near);
  assert.deepEqual(await Promise.all(answers), [2, 4]);
  const later = client.ask("double", 4);
  await settle(far);
  turn(server);
  await settle(near);
  assert.equal(await later, 8);
});

test("LinkClient.lose() fails all that is pending and to come, and closes the port", async () => {
  const { near, client } = joined();
  const pending = codeOf(client.ask("double", 1));
  client.lose(new BrokerError("storage_failed", "the shard's thread ended"));

  assert.equal(await pending, "storage_failed: the shard's thread ended");
  assert.equal(await codeOf(client.ask("double", 2)), "storage_failed: the shard's thread ended");
  assert.deepEqual([client.pendingCount, near.closed], [0, true]);
});

test("LinkServer.tell() arrives before the answers that follow it", async () => {
  const { near, far, client, server, notices } = joined();
  const seen: unknown[] = [];
  const answer = client.ask("double", 1).then(() => seen.push(...notices));
  await settle(far);
  const [question] = server.take();
  server.tell({ kind: "topic-deleted", name: "t" });
  server.answer("double", question?.id ?? 0, 2);
  server.post();
  await settle(near);
  await answer;

  assert.deepEqual(seen, [{ kind: "topic-deleted", name: "t" }]);
});

/** A question of `bytes` bytes and a little more. */
function large(bytes: number) {
  return { head: "x", blob: new Uint8Array(bytes) };
}

test("LinkServer.take() takes one turn of requests or bytes, and is called again", async () => {
  const bounds = { turnRequestsMax: 3, turnBytesMax: 1000, linkBatchBytesMax: 1_000_000 };
  const { near, far, client, server, arrivals } = joined(100, bounds);
  const numbers = [1, 2, 3, 4];
  const answers: Promise<unknown>[] = numbers.map((number) => client.ask("double", number));
  for (const bytes of [600, 600, 600]) answers.push(client.ask("shout", large(bytes)));
  await settle(far);

  const turns: string[][] = [];
  for (let seen = 0; seen < arrivals(); seen++) {
    turns.push(turn(server));
    await settle();
  }
  assert.deepEqual(turns, [
    ["double", "double", "double"],
    ["double", "shout", "shout"],
    ["shout"],
  ]);
  await settle(near);
  assert.equal((await Promise.all(answers)).length, 7);
});

test("LinkServer gives a buffer's credit back when the last of it was taken", async () => {
  const bounds = { turnRequestsMax: 1, turnBytesMax: 1000, linkBatchBytesMax: 1_000_000 };
  const { near, far, client, server } = joined(100, bounds);
  const answers = [client.ask("double", 1), client.ask("double", 2)];
  await settle(far);
  answers.push(client.ask("double", 3));
  await settle(far);
  answers.push(client.ask("double", 4));

  const waiting: number[] = [];
  for (let at = 0; at < 2; at++) {
    turn(server);
    await settle(near);
    waiting.push(far.waiting);
  }
  assert.deepEqual(waiting, [0, 1], "the third buffer leaves with the first one's credit");
  await settle(far);
  for (let at = 0; at < 2; at++) turn(server);
  await settle(near);
  assert.deepEqual(await Promise.all(answers), [2, 4, 6, 8]);
});

test("LinkServer.answer() posts a full batch without waiting for the turn's end", async () => {
  const bounds = { turnRequestsMax: 100, turnBytesMax: 1_000_000, linkBatchBytesMax: 1000 };
  const { near, far, client, server } = joined(100, bounds);
  const answers = [client.ask("shout", large(400)), client.ask("shout", large(400))];
  await settle(far);

  const asked = server.take();
  const posted = asked.map(({ id }) => {
    server.answer("shout", id, large(700));
    return near.waiting;
  });
  assert.deepEqual(posted, [0, 1]);
  server.post();
  assert.equal(near.waiting, 1);
  await settle(near);
  assert.deepEqual((await Promise.all(answers)).map(({ blob }) => blob.length), [700, 700]);
});

test("LinkClient.ask() is too busy when a full batch waits for a credit, not before", async () => {
  const bounds = { turnRequestsMax: 100, turnBytesMax: 1_000_000, linkBatchBytesMax: 1000 };
  const { near, far, client, server } = joined(100, bounds);
  // Each is a batch of its own: the next question finds it full and lets it leave.
  const answers: Promise<unknown>[] = [];
  for (let at = 0; at < 3; at++) answers.push(client.ask("shout", large(1000)));
  const refused = await codeOf(client.ask("double", 1));
  assert.match(
    refused,
    /^too_busy: Cannot ask for "double": 10\d\d bytes of requests are pending$/,
  );

  await settle(far);
  turn(server);
  await settle(near);
  answers.push(client.ask("double", 2));
  await settle(far);
  turn(server);
  await settle(near);
  assert.equal((await Promise.all(answers)).at(-1), 4);
});
