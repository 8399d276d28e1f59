import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { type HttpHouse, openHouse } from "../../../../tests/support/http_app.ts";
import { limits } from "../../../base/limits.ts";
import { utf8 } from "../../../base/bytes.ts";

const base = "POST /v1/topics/orders/groups/billing";

async function received(house: HttpHouse, count: number): Promise<string[]> {
  for (let at = 0; at < count; at++) {
    await house.ask("POST /v1/topics/orders/messages", { body: `m${at}`, queueId: 0 });
  }
  const { json } = await house.ask(`${base}/receive`, { max: count });
  return json.messages.map(({ receipt }: { receipt: string }) => receipt);
}

test("receive answers every field of a message, and text or base64 as the body is", async () => {
  const house = await openHouse();
  const message = { body: "zwölf\n", tag: "t", keys: ["a", "b"], shardingKey: "s", messageId: "i" };
  await house.ask("POST /v1/topics/orders/messages", {
    messages: [{ ...message, properties: { own: "1" }, queueId: 0 }],
  });
  house.broker.plant("orders", 0, new Uint8Array([0xff, 0xfe]));
  house.broker.plant("orders", 0, utf8("bell \u0007"));
  const { status, json } = await house.ask(`${base}/receive`);
  assert.equal(status, 200);
  const [first, second, third] = json.messages;
  const storedMs = house.clock.wallMs();
  assert.deepEqual(first, {
    ...message,
    queueId: 0,
    offset: 0,
    properties: { own: "1" },
    bornMs: storedMs,
    storedMs,
    attempt: 1,
    receipt: first.receipt,
  });
  assert.equal(second.bodyBase64, "//4=");
  assert.equal(second.body, undefined);
  assert.equal(third.bodyBase64, btoa("bell \u0007"));
});

test("receive inflates what RocketMQ clients compressed, within bounds", async () => {
  const house = await openHouse();
  house.broker.plant("orders", 0, deflateSync(utf8("long text")), "", 1);
  house.broker.plant("orders", 0, deflateSync(utf8("also zlib")), "", 1 | 3 << 8);
  house.broker.plant("orders", 0, deflateSync(new Uint8Array(limits.inflatedBytesMax + 1)), "", 1);
  house.broker.plant("orders", 0, utf8("no zlib at all"), "", 1);
  house.broker.plant("orders", 0, utf8("lz4"), "", 1 | 1 << 8);
  const { json } = await house.ask(`${base}/receive`);
  const [old, named, bomb, damaged, lz4] = json.messages;
  assert.equal(old.body, "long text");
  assert.equal(named.body, "also zlib");
  assert.equal(bomb.bodyEncoding, "zlib");
  assert.ok(bomb.bodyBase64.length < 20_000);
  assert.equal(damaged.bodyBase64, btoa("no zlib at all"));
  assert.equal(lz4.bodyEncoding, "lz4");
});

test("receive waits for a message and answers at once when it comes", async () => {
  const house = await openHouse();
  const asked = house.ask(`${base}/receive`, { waitMs: 10_000 });
  await house.broker.untilParked(1);
  await house.broker.tick(100);
  assert.equal(house.broker.parked, 1);
  await house.ask("POST /v1/topics/orders/messages", { body: "now" });
  assert.equal((await asked).json.messages[0].body, "now");
  assert.equal(house.broker.parked, 0);
});

test("receive answers an empty list at its deadline", async () => {
  const house = await openHouse();
  const asked = house.ask(`${base}/receive`, { waitMs: 10_000 });
  await house.broker.untilParked(1);
  await house.broker.tick(9_999);
  assert.equal(house.broker.parked, 1);
  await house.broker.tick(1);
  assert.deepEqual((await asked).json, { messages: [] });
});

test("receive is forgotten when its client leaves", async () => {
  const house = await openHouse();
  const client = new AbortController();
  void house.fetch("/v1/topics/orders/groups/billing/receive", {
    method: "POST",
    body: JSON.stringify({ waitMs: 10_000 }),
    signal: client.signal,
  }).catch(() => {});
  await house.broker.untilParked(1);
  client.abort();
  await house.broker.tick();
  assert.equal(house.broker.parked, 0);
});

test("receive hands its wishes to the broker, and compiles tags once", async () => {
  const house = await openHouse();
  const ask = { max: 7, invisibleMs: 5_000, clientId: "me", tags: "a || b" };
  await house.ask(`${base}/receive`, ask);
  await house.ask(`${base}/receive`, ask);
  assert.equal(house.broker.compiles, 1);
  const [{ messagesMax, invisibleMs, clientId, filter, bytesMax } = assert.fail()] =
    house.broker.receives;
  assert.deepEqual([messagesMax, invisibleMs, clientId], [7, 5_000, "me"]);
  assert.equal(filter.kind, "tags");
  assert.equal(bytesMax, limits.replyBytesMax);
});

test("receive chooses by SQL over properties, compiled once, and not beside tags", async () => {
  const house = await openHouse();
  for (const colour of ["red", "blue", "green"]) {
    await house.ask("POST /v1/topics/orders/messages", { body: colour, properties: { colour } });
  }
  const sql = "colour in ('red', 'green')";
  const bodies: string[] = [];
  for (let round = 0; round < 2; round++) {
    const { json } = await house.ask(`${base}/receive`, { sql });
    bodies.push(...json.messages.map(({ body }: { body: string }) => body));
  }
  assert.deepEqual(bodies.sort(), ["green", "red"]);
  assert.equal(house.broker.compiles, 1);
  const both = await house.ask(`${base}/receive`, { sql, tags: "a" });
  assert.deepEqual([both.status, both.json.code], [400, "invalid_argument"]);
  assert.match(both.json.detail, /TAGS = 'created'/);
});

test("receive refuses what is out of bounds or unknown, with its name", async () => {
  const house = await openHouse();
  for (
    const [body, path] of [
      [{ max: 0 }, "max"],
      [{ max: limits.popMessagesMax + 1 }, "max"],
      [{ waitMs: limits.pollWaitMsMax + 1 }, "waitMs"],
      [{ invisibleMs: 1 }, "invisibleMs"],
      [{ waitMS: 1 }, "waitMS"],
      [[], ""],
    ] as const
  ) {
    const { status, json } = await house.ask(`${base}/receive`, body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.ok(json.detail.includes(path), json.detail);
  }
  const missing = await house.ask("POST /v1/topics/orders/groups/biling/receive", {});
  assert.equal(missing.status, 404);
  assert.equal(missing.json.suggestion, "billing");
});

test("ack settles, also when repeated after others, and tells each verdict", async () => {
  const house = await openHouse();
  const [one = "", two = ""] = await received(house, 2);
  const first = await house.ask(`${base}/ack`, { receipts: [one] });
  assert.deepEqual(first.json, { verdicts: [{ receipt: one, verdict: "done" }] });
  const mixed = await house.ask(`${base}/ack`, { receipts: [two, "other:1"] });
  assert.equal(mixed.status, 200);
  assert.deepEqual(mixed.json.verdicts, [
    { receipt: two, verdict: "done" },
    { receipt: "other:1", verdict: "invalid" },
  ]);
});

test("ack of no valid receipt is a problem that carries the verdicts", async () => {
  const house = await openHouse();
  const [one = ""] = await received(house, 1);
  const invalid = await house.ask(`${base}/ack`, { receipts: ["other:1"] });
  assert.equal(invalid.status, 400);
  assert.equal(invalid.json.code, "receipt_invalid");
  assert.equal(invalid.json.verdicts[0].verdict, "invalid");
  await house.broker.tick(30_000);
  await house.ask(`${base}/receive`, {});
  const expired = await house.ask(`${base}/ack`, { receipts: [one, "other:1"] });
  assert.equal(expired.status, 409);
  assert.equal(expired.json.code, "receipt_expired");
});

test("nack brings a message back after its delay", async () => {
  const house = await openHouse();
  const [one = ""] = await received(house, 1);
  await house.ask(`${base}/nack`, { receipts: [one], delayMs: 500 });
  const asked = house.ask(`${base}/receive`, { waitMs: 10_000 });
  await house.broker.untilParked(1);
  await house.broker.tick(499);
  assert.equal(house.broker.parked, 1);
  await house.broker.tick(1);
  assert.equal((await asked).json.messages[0].attempt, 2);
});

test("extend keeps a message hidden and says until when", async () => {
  const house = await openHouse();
  const [one = ""] = await received(house, 1);
  const { json } = await house.ask(`${base}/extend`, { receipts: [one], invisibleMs: 60_000 });
  assert.equal(json.verdicts[0].invisibleUntilMs, house.clock.wallMs() + 60_000);
  await house.broker.tick(59_999);
  assert.deepEqual((await house.ask(`${base}/receive`, {})).json.messages, []);
  await house.broker.tick(1);
  assert.equal((await house.ask(`${base}/receive`, {})).json.messages.length, 1);
});

test("receive in mode broadcast needs a clientId, and says the mode to the broker", async () => {
  const house = await openHouse();
  const receive = "POST /v1/topics/orders/groups/billing/receive";

  const refused = await house.ask(receive, { mode: "broadcast" });
  assert.equal(refused.status, 400);
  assert.match(refused.json.detail, /without clientId/);
  await house.ask(receive, { mode: "broadcast", clientId: "screen-1" });
  await house.ask(receive, { clientId: "c" });

  const modes = house.broker.receives.map(({ mode, clientId }) => [mode, clientId]);
  assert.deepEqual(modes, [["broadcast", "screen-1"], [undefined, "c"]]);
});
