import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpHouse, openHouse } from "../../support/http_app.ts";

const queue = "/v1/topics/orders/queues/0/messages";

async function fill(house: HttpHouse, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const message = { body: `m${at}`, queueId: 0, tag: at % 2 ? "odd" : "even", keys: [`k${at}`] };
    await house.ask("POST /v1/topics/orders/messages", { ...message, messageId: `id${at}` });
    await house.broker.tick(1000);
  }
}
const bodies = (json: { messages: { body: string }[] }) => json.messages.map(({ body }) => body);

test("HTTP 4.1 a queue is read from a number, from earliest and from latest", async () => {
  const house = await openHouse();
  await fill(house, 3);
  const { json } = await house.ask(`GET ${queue}?offset=1&max=1`);
  assert.deepEqual(bodies(json), ["m1"]);
  assert.deepEqual([json.nextOffset, json.minOffset, json.maxOffset], [2, 0, 3]);
  assert.equal(json.messages[0].receipt, undefined);
  assert.equal(bodies((await house.ask(`GET ${queue}?offset=earliest`)).json).length, 3);
  assert.equal((await house.ask(`GET ${queue}?offset=latest`)).json.nextOffset, 3);
});

test("HTTP 4.2 an offset outside the queue is a problem with the bounds", async () => {
  const house = await openHouse();
  await fill(house, 3);
  house.broker.trim("orders", 0, 2);
  for (const offset of [1, 4]) {
    const { status, json } = await house.ask(`GET ${queue}?offset=${offset}`);
    assert.equal(status, 404);
    assert.deepEqual([json.code, json.minOffset, json.maxOffset], ["offset_not_found", 2, 3]);
  }
  for (const path of ["orders/queues/2", "orders/queues/x"]) {
    const missing = await house.ask(`GET /v1/topics/${path}/messages?offset=0`);
    assert.equal(missing.json.code, "queue_not_found");
  }
  for (const query of ["", "?offset=-1", "?offset=soon", "?offset=0&max=0", "?offset=0&wait=1"]) {
    assert.equal((await house.ask(`GET ${queue}${query}`)).status, 400, query);
  }
});

test("HTTP 4.3 a read by tags moves on past what it leaves out", async () => {
  const house = await openHouse();
  await fill(house, 4);
  const { json } = await house.ask(`GET ${queue}?offset=0&tags=odd`);
  assert.deepEqual([bodies(json), json.nextOffset], [["m1", "m3"], 4]);
  assert.equal((await house.ask(`GET ${queue}?offset=0&tags=a||`)).json.code, "filter_invalid");
});

test("HTTP 4.3 a read by SQL moves on too, or is refused with the place of a mistake", async () => {
  const house = await openHouse();
  await fill(house, 4);
  const ask = (sql: string, more = "") =>
    house.ask(`GET ${queue}?offset=0&sql=${encodeURIComponent(sql)}${more}`);
  const { json } = await ask("TAGS = 'odd' and not KEYS = 'k1'");
  assert.deepEqual([bodies(json), json.nextOffset], [["m3"], 4]);
  const refused = await ask("TAGS = 'odd' nand");
  assert.deepEqual([refused.status, refused.json.code], [400, "filter_invalid"]);
  assert.match(refused.json.detail, /at character 14 expected AND, OR or the end, found "nand"/);
  const both = await ask("TAGS = 'odd'", "&tags=odd");
  assert.deepEqual([both.status, both.json.code], [400, "invalid_argument"]);
});

test("HTTP 4.4 a read waits for its message, and no longer than it said", async () => {
  const house = await openHouse();
  const waiting = house.ask(`GET ${queue}?offset=0&waitMs=5000`);
  await house.broker.untilParked(1);
  await fill(house, 1);
  assert.deepEqual(bodies((await waiting).json), ["m0"]);
  const empty = house.ask(`GET ${queue}?offset=1&waitMs=5000`);
  await house.broker.untilParked(1);
  await house.broker.tick(5000);
  assert.deepEqual((await empty).json.messages, []);
});

test("HTTP 4.5 messages are found by id, by key and by time", async () => {
  const house = await openHouse();
  const startMs = house.clock.wallMs();
  await fill(house, 3);
  const found = async (query: string) => (await house.ask(`GET /v1/messages?${query}`)).json;
  const byId = await found("id=id1");
  assert.deepEqual([bodies(byId), byId.messages[0].topic], [["m1"], "orders"]);
  assert.deepEqual(bodies(await found("topic=orders&key=k2")), ["m2"]);
  const span = `topic=orders&fromMs=${startMs + 1000}&toMs=${startMs + 3000}`;
  assert.deepEqual(bodies(await found(span)), ["m1", "m2"]);
  assert.deepEqual(bodies(await found(`${span}&max=1`)), ["m1"]);
  const offsetId = "7F00000100002694" + "0000000000000002";
  assert.deepEqual(bodies(await found(`id=${offsetId}`)), ["m2"]);
  assert.deepEqual(bodies(await found("id=none")), []);
});

test("HTTP 4.6 a look-up needs exactly one way to look", async () => {
  const house = await openHouse();
  for (
    const query of [
      "",
      "topic=orders",
      "id=a&key=b",
      "key=a",
      "topic=orders&fromMs=1",
      "fromMs=1&toMs=2",
    ]
  ) {
    assert.equal((await house.ask(`GET /v1/messages?${query}`)).status, 400, query);
  }
});

test("HTTP 5.1 offsets tell place and lag, are committed, and are reset", async () => {
  const house = await openHouse();
  await fill(house, 4);
  const put = await house.ask("PUT /v1/groups/billing/offsets", {
    offsets: [{ topic: "orders", queueId: 0, offset: 3 }],
  });
  assert.deepEqual([put.status, put.json.places[0].committedOffset, put.json.places[0].lag], [
    200,
    3,
    1,
  ]);
  const read = await house.ask("GET /v1/groups/billing/offsets?topic=orders");
  assert.deepEqual(read.json, put.json);
  const reset = async (to: unknown) => {
    const { json } = await house.ask("POST /v1/groups/billing/reset", { topic: "orders", to });
    return json.places?.[0].nextOffset;
  };
  assert.equal(await reset("earliest"), 0);
  assert.equal(await reset("latest"), 4);
  assert.equal(await reset({ queueId: 0, offset: 2 }), 2);
  assert.equal(await reset({ timeMs: house.clock.wallMs() - 1000 }), 3);
  assert.equal(await reset("newest"), undefined);
});

test("HTTP 5.2 nothing is committed when one offset lies beyond the end of its queue", async () => {
  const house = await openHouse();
  await fill(house, 4);
  const good = { topic: "orders", queueId: 0, offset: 4 };
  const put = await house.ask("PUT /v1/groups/billing/offsets", {
    offsets: [good, { ...good, offset: 5 }],
  });

  assert.equal(
    put.json.detail,
    "Cannot commit offset 5 of queue 0 of orders: it has offsets 0 to 4",
  );
  assert.equal(put.status, 400);
  assert.deepEqual((await house.ask("GET /v1/groups/billing/offsets")).json.places, []);
});

test("HTTP 5.2 nothing is committed when one name is wrong", async () => {
  const house = await openHouse();
  const good = { topic: "orders", queueId: 0, offset: 0 };
  for (const wrong of [{ ...good, topic: "oders" }, { ...good, queueId: 2 }]) {
    const { status } = await house.ask("PUT /v1/groups/billing/offsets", {
      offsets: [good, wrong],
    });
    assert.equal(status, 404);
  }
  assert.deepEqual((await house.ask("GET /v1/groups/billing/offsets")).json.places, []);
});
