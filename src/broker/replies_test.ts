import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import type { Reply } from "./broker.ts";
import { Replies } from "./replies.ts";

const sent = () => Promise.resolve();

function replyTo(correlationId: string, to = "me"): Reply {
  return { correlationId, replyTo: to, body: new Uint8Array([7]), properties: "" };
}

function ask(correlationId: string, timeoutMs = 1_000) {
  return { correlationId, replyTo: "me", timeoutMs };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "fine";
}

test("Replies.wait() is answered by the reply of its correlation id, once", async () => {
  const replies = new Replies(new ManualTimers());
  const one = replies.wait(ask("1"), sent);
  const two = replies.wait(ask("2"), sent);

  await replies.answer(replyTo("2"));
  await replies.answer(replyTo("1"));

  assert.deepEqual([(await one).correlationId, (await two).correlationId], ["1", "2"]);
  assert.equal(await codeOf(replies.answer(replyTo("1"))), "message_not_found");
  assert.equal(replies.size, 0);
});

test("Replies.wait() takes a reply that is faster than the receipt", async () => {
  const replies = new Replies(new ManualTimers());

  const reply = await replies.wait(ask("1"), () => replies.answer(replyTo("1")));

  assert.equal(reply.correlationId, "1");
});

test("Replies.wait() ends at its deadline, and not a millisecond before", async () => {
  const timers = new ManualTimers();
  const replies = new Replies(timers);
  const outcome = codeOf(replies.wait(ask("1", 500), sent));
  await Promise.resolve();
  timers.advance(499);
  assert.equal(replies.size, 1);
  timers.advance(1);

  assert.equal(await outcome, "timeout");
  assert.equal(await codeOf(replies.answer(replyTo("1"))), "message_not_found");
});

test("Replies.wait() forgets a request that was refused, or whose client left", async () => {
  const replies = new Replies(new ManualTimers());
  const refused = replies.wait(ask("1"), () => Promise.reject(new BrokerError("disk_full")));
  assert.equal(await codeOf(refused), "disk_full");
  const client = new AbortController();
  const left = codeOf(replies.wait({ ...ask("2"), signal: client.signal }, sent));
  client.abort();

  assert.equal(await left, "timeout");
  assert.equal(replies.size, 0);
});

test("Replies.wait() bounds who waits, and keeps correlation ids apart", async () => {
  const timers = new ManualTimers();
  const replies = new Replies(timers);
  const waiting = Array.from(
    { length: limits.requestsWaitingMax },
    (_, at) => codeOf(replies.wait(ask(`${at}`), sent)),
  );

  assert.equal(await codeOf(replies.wait(ask("0"), sent)), "conflict");
  assert.equal(await codeOf(replies.wait(ask("more"), sent)), "too_busy");
  timers.advance(1_000);
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["timeout"]));
});

test("Replies.answer() leaves replies to others to the protocol whose client waits", async () => {
  const replies = new Replies(new ManualTimers());
  const carried: string[] = [];
  const stop = replies.addCarrier({
    deliver: (reply) => {
      carried.push(reply.correlationId);
      return Promise.resolve(reply.replyTo === "java-client");
    },
  });

  await replies.answer(replyTo("1", "java-client"));
  assert.equal(await codeOf(replies.answer(replyTo("2", "nobody"))), "message_not_found");
  stop();
  assert.equal(await codeOf(replies.answer(replyTo("3", "java-client"))), "message_not_found");
  assert.deepEqual(carried, ["1", "2"]);
});

test("Replies.close() refuses who waits, and who would begin to", async () => {
  const replies = new Replies(new ManualTimers());
  const outcome = codeOf(replies.wait(ask("1"), sent));
  await Promise.resolve();
  replies.close();

  assert.equal(await outcome, "shutting_down");
  assert.equal(await codeOf(replies.wait(ask("2"), sent)), "shutting_down");
  assert.equal(replies.size, 0);
});
