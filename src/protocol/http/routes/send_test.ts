import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../../base/limits.ts";
import { readRecord } from "../../../model/record.ts";
import { decodeProperties } from "../../../model/properties.ts";
import { queueOfId } from "../../../broker/send.ts";
import { openHouse } from "../../../../tests/support/http_app.ts";

const send = "POST /v1/topics/orders/messages";

test("send answers a receipt for one JSON message and stores every field", async () => {
  const house = await openHouse();
  const { status, json, headers } = await house.ask(send, {
    body: "grüße",
    tag: "created",
    keys: ["a", "b"],
    properties: { colour: "red" },
    shardingKey: "42",
    queueId: 1,
    messageId: "my-1",
  });
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/json");
  assert.deepEqual(json, {
    receipts: [{ messageId: "my-1", queueId: 1, offset: 0, survived: "power-loss" }],
  });
  const [sent] = house.broker.sends;
  assert.equal(sent?.shardingKey, "42");
  assert.deepEqual(sent?.messages[0]?.bornHost, { ip: "127.0.0.1", port: 50_000 });
  assert.equal(sent?.messages[0]?.bornMs, house.clock.wallMs());
  const [found] = await house.broker.findById("orders", "my-1");
  assert.ok(found);
  const record = readRecord(found.record);
  assert.equal(new TextDecoder().decode(record.body), "grüße");
  assert.deepEqual(
    decodeProperties(record.properties),
    new Map([
      ["colour", "red"],
      ["TAGS", "created"],
      ["KEYS", "a b"],
      ["__SHARDINGKEY", "42"],
      ["UNIQ_KEY", "my-1"],
    ]),
  );
});

test("send keeps the order of receipts over messages for several queues", async () => {
  const house = await openHouse();
  const { json } = await house.ask(send, {
    messages: [
      { body: "a", queueId: 1, messageId: "a" },
      { body: "b", queueId: 0, messageId: "b" },
      { body: "c", queueId: 1, messageId: "c" },
      { body: "d", shardingKey: "k", messageId: "d" },
      { body: "e", messageId: "e" },
      { body: "f", messageId: "f" },
    ],
  });
  const receipts = json.receipts as { messageId: string; queueId: number }[];
  assert.deepEqual(receipts.map(({ messageId }) => messageId), ["a", "b", "c", "d", "e", "f"]);
  assert.deepEqual(receipts.slice(0, 3).map(({ queueId }) => queueId), [1, 0, 1]);
  const topic = house.broker.topic("orders");
  assert.ok(topic);
  // By their own ids, so that each of them sent again alone meets the first one.
  const byId = ["e", "f"].map((id) => queueOfId(topic, id));
  assert.deepEqual(receipts.slice(4).map(({ queueId }) => queueId), byId);
  assert.equal(house.broker.sends.length, 3);
});

test("send tells which messages are stored when only some are", async () => {
  const house = await openHouse();
  house.broker.sendFault = ({ queueId }) => queueId === 0 ? "disk_full" : null;
  const messages = [{ body: "a", queueId: 1 }, { body: "b", queueId: 0 }, {
    body: "c",
    queueId: 1,
  }];
  const { status, json } = await house.ask(send, { messages });
  assert.equal(status, 507);
  assert.equal(json.code, "disk_full");
  assert.deepEqual(
    json.receipts.map((receipt: { offset: number } | null) => receipt?.offset ?? null),
    [0, null, 1],
  );
});

test("send refuses as a whole when nothing is stored", async () => {
  const house = await openHouse();
  house.broker.sendFault = () => "disk_full";
  const { status, json, headers } = await house.ask(send, {
    messages: [{ body: "a" }, { body: "b" }],
  });
  assert.equal(status, 507);
  assert.equal(json.receipts, undefined);
  assert.equal(headers.get("retry-after"), "1");
});

test("send takes a raw body with its headers", async () => {
  const house = await openHouse();
  const body = new Uint8Array([0, 255, 1]);
  const { status, json } = await house.ask(send, body, {
    "content-type": "application/octet-stream",
    "curlew-tag": "t",
    "curlew-keys": "k1  k2",
    "curlew-queue": "1",
    "curlew-message-id": "raw-1",
    "curlew-sharding-key": "s k",
    "curlew-property-Colour": "light blue",
  });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.receipts[0].queueId, 1);
  const record = readRecord((await house.broker.findById("orders", "raw-1"))[0]!.record);
  assert.deepEqual(new Uint8Array(record.body), body);
  const properties = decodeProperties(record.properties);
  assert.equal(properties.get("colour"), "light blue");
  assert.equal(properties.get("KEYS"), "k1 k2");
  assert.equal(properties.get("__SHARDINGKEY"), "s k");
});

test("send refuses headers it does not know, cannot read or that JSON has fields for", async () => {
  const house = await openHouse();
  const text = { "content-type": "text/plain" };
  const faults: [Record<string, string>, RegExp][] = [
    [{ ...text, "curlew-tga": "x" }, /curlew-tga.*not known/],
    [{ ...text, "curlew-queue": "one" }, /curlew-queue/],
    [{ ...text, "curlew-queue": "1024" }, /curlew-queue/],
    [{ ...text, "curlew-tag": "a b" }, /curlew-tag/],
    [{ ...text, "curlew-tag": "gr\u00fc\u00df" }, /ASCII/],
    [{ ...text, "curlew-property-": "x" }, /curlew-property-/],
    [{ ...text, "curlew-message-id": "a b" }, /curlew-message-id/],
    [{ "content-type": "application/json", "curlew-tag": "x" }, /JSON has fields/],
  ];
  for (const [headers, message] of faults) {
    const { status, json } = await house.ask(send, JSON.stringify({ body: "x" }), headers);
    assert.equal(status, 400, JSON.stringify(headers));
    assert.match(json.detail, message);
  }
  assert.equal(house.broker.sends.length, 0);
});

test("send refuses JSON that is none, UTF-8 that is none, and a query", async () => {
  const house = await openHouse();
  assert.match((await house.ask(send, "{")).json.detail, /JSON/);
  assert.match((await house.ask(send, "[".repeat(200_000))).json.detail, /JSON|list|object/);
  const latin = new Uint8Array([0x7b, 0x22, 0xfc, 0x22, 0x7d]);
  assert.match((await house.ask(send, latin)).json.detail, /UTF-8/);
  assert.match((await house.ask(`${send}?durable=1`, { body: "x" })).json.detail, /durable/);
  assert.equal(house.broker.sends.length, 0);
});

test("send refuses a body that announces too much before reading it", async () => {
  const house = await openHouse();
  let pulls = 0;
  const body = new ReadableStream({ pull: () => void pulls++ }, { highWaterMark: 0 });
  const response = await house.fetch("/v1/topics/orders/messages", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(limits.httpBodyBytesMax + 1),
    },
    body,
    duplex: "half",
  } as RequestInit);
  assert.equal(response.status, 413);
  assert.equal((await response.json()).code, "message_too_large");
  assert.equal(pulls, 0);
});

test("send stops reading a body without a length at the limit", async () => {
  const house = await openHouse();
  let bytes = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += 1 << 20;
      controller.enqueue(new Uint8Array(1 << 20));
    },
    cancel() {
      isCancelled = true;
    },
  });
  const response = await house.fetch("/v1/topics/orders/messages", {
    method: "POST",
    body,
    duplex: "half",
  } as RequestInit);
  assert.equal(response.status, 413);
  assert.ok(bytes <= limits.httpBodyBytesMax + (4 << 20), `${bytes} were read`);
  assert.ok(isCancelled);
});

test("send refuses one message body above the limit and a batch of too many", async () => {
  const house = await openHouse();
  const large = await house.ask(send, { body: "x".repeat(limits.bodyBytesMax + 1) });
  assert.equal(large.status, 413);
  const messages = Array.from({ length: limits.batchMessagesMax + 1 }, () => ({ body: "x" }));
  const many = await house.ask(send, { messages });
  assert.equal(many.status, 422);
  assert.match(many.json.detail, /1025/);
});

test("send to a topic that is missing names the nearest one", async () => {
  const house = await openHouse();
  const { status, json } = await house.ask("POST /v1/topics/oders/messages", { body: "x" });
  assert.equal(status, 404);
  assert.equal(json.code, "topic_not_found");
  assert.equal(json.suggestion, "orders");
  assert.match(json.detail, /did you mean "orders"/);
});

test("send makes the topic when the broker allows it", async () => {
  const house = await openHouse();
  house.broker.autoCreate = true;
  const { status } = await house.ask("POST /v1/topics/fresh/messages", { body: "x" });
  assert.equal(status, 200);
  assert.equal(house.broker.topic("fresh")?.settings.queues, 4);
});

test("send reads % and | of a topic's name from the path", async () => {
  const house = await openHouse();
  const paths = { "%RETRY%g": "%25RETRY%25g", "a|b": "a%7Cb", "a|c": "a|c" };
  for (const [name, path] of Object.entries(paths)) {
    await house.broker.createTopic(name, {});
    const { status, json } = await house.ask(`POST /v1/topics/${path}/messages`, { body: "x" });
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(house.broker.sends.at(-1)?.topic, name);
  }
  const bent = await house.ask("POST /v1/topics/%RETRY%g/messages", { body: "x" });
  assert.equal(bent.status, 400);
  assert.match(bent.json.detail, /%25/);
});

test("send takes a time to live from JSON and from a header, and shows it to readers", async () => {
  const house = await openHouse();
  await house.ask(send, { body: "a", ttlMs: 60_000, queueId: 0 });
  const headers = { "content-type": "text/plain", "curlew-ttl-ms": "5", "curlew-queue": "0" };
  assert.equal((await house.ask(send, "b", headers)).status, 200);

  const { json } = await house.ask("GET /v1/topics/orders/queues/0/messages?offset=earliest");

  const shown = json.messages.map((
    { body, ttlMs, properties }: Record<string, unknown>,
  ) => [body, ttlMs, properties]);
  assert.deepEqual(shown, [["a", 60_000, {}], ["b", 5, {}]]);
  const refused = await house.ask(send, "b", { ...headers, "curlew-ttl-ms": "0" });
  assert.match(refused.json.detail, /curlew-ttl-ms/);
});

test("send says which messages were stored before", async () => {
  const house = await openHouse();
  const places = { queueId: 1, offset: 7, physicalOffset: 7, storedMs: 1 };
  house.broker.send = (request) => {
    assert.equal(request.ownIds, true);
    const receipt = { messageId: "m", ...places, survived: "power-loss" } as const;
    return Promise.resolve([{ ...receipt, repeated: true }]);
  };

  const { json } = await house.ask(send, { body: "a", messageId: "m" });

  assert.deepEqual(json.receipts, [
    { messageId: "m", queueId: 1, offset: 7, survived: "power-loss", repeated: true },
  ]);
});
