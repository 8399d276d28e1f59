import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpHouse, openHouse } from "../../support/http_app.ts";

const names = (items: { name: string }[]) => items.map(({ name }) => name);

test("HTTP 1.1 PUT makes a topic or group once, with 201, and repeats with 200", async () => {
  const house = new HttpHouse();
  for (const [path, body] of [["topics/a", { queues: 3 }], ["groups/g", { attemptsMax: 4 }]]) {
    const made = await house.ask(`PUT /v1/${path}`, body);
    assert.equal(made.status, 201);
    assert.equal((await house.ask(`PUT /v1/${path}`, body)).status, 200);
    assert.equal((await house.ask(`GET /v1/${path}`)).json.settings.perm, made.json.settings.perm);
  }
  const differs = await house.ask("PUT /v1/topics/a", { queues: 5 });
  assert.equal(differs.status, 409);
  assert.equal(differs.json.code, "topic_exists");
});

test("HTTP 1.2 PATCH changes the settings it names and no others", async () => {
  const house = await openHouse();
  const changes = { queues: 8, perm: "read-only", retentionBytes: null };
  const { status, json } = await house.ask("PATCH /v1/topics/orders", changes);
  assert.equal(status, 200);
  assert.equal(json.settings.queues, 8);
  assert.equal(json.settings.perm, "read-only");
  assert.equal(house.broker.topic("orders")?.settings.perm, 4);
  assert.equal(json.settings.durability, "power-loss");
  assert.equal((await house.ask("PATCH /v1/topics/orders", { queues: 1 })).status, 409);
  const group = await house.ask("PATCH /v1/groups/billing", { consumeEnabled: false });
  assert.equal(group.json.settings.consumeEnabled, false);
  assert.equal(group.json.settings.startFrom, "earliest");
});

test("HTTP 1.3 DELETE answers 204, and 404 when there is nothing", async () => {
  const house = await openHouse();
  for (const path of ["topics/orders", "groups/billing"]) {
    assert.equal((await house.ask(`DELETE /v1/${path}`)).status, 204);
    assert.equal((await house.ask(`GET /v1/${path}`)).status, 404);
    assert.equal((await house.ask(`DELETE /v1/${path}`)).status, 404);
  }
});

test("HTTP 1.4 lists are paged by name, with a prefix; system topics only when asked", async () => {
  const house = new HttpHouse();
  for (const name of ["b2", "a", "b1", "b3", "%RETRY%g"]) await house.broker.createTopic(name, {});
  const first = (await house.ask("GET /v1/topics?prefix=b&limit=2")).json;
  assert.deepEqual([names(first.topics), first.next], [["b1", "b2"], "b2"]);
  const second = (await house.ask("GET /v1/topics?prefix=b&limit=2&after=b2")).json;
  assert.deepEqual([names(second.topics), second.next], [["b3"], null]);
  const all = (await house.ask("GET /v1/topics?system=true")).json;
  assert.deepEqual(names(all.topics), ["%RETRY%g", "a", "b1", "b2", "b3"]);
  await house.broker.createGroup("g", {});
  assert.deepEqual(names((await house.ask("GET /v1/groups")).json.groups), ["g"]);
});

test("HTTP 1.5 GET of a topic tells where its queues begin and end", async () => {
  const house = await openHouse();
  await house.ask("POST /v1/topics/orders/messages", { body: "x", queueId: 1 });
  assert.deepEqual((await house.ask("GET /v1/topics/orders")).json.queues, [
    { queueId: 0, minOffset: 0, maxOffset: 0 },
    { queueId: 1, minOffset: 0, maxOffset: 1 },
  ]);
});

test("HTTP 1.6 unknown settings, bad values and bad names are refused by name", async () => {
  const house = new HttpHouse();
  const faults: [string, unknown, RegExp][] = [
    ["PUT /v1/topics/a", { queue: 1 }, /queue/],
    ["PUT /v1/topics/a", { queues: 0 }, /queues/],
    ["PUT /v1/topics/a", { durability: "none" }, /durability/],
    ["PUT /v1/topics/a%20b", {}, /a b/],
    ["PUT /v1/groups/g", { attemptsMax: 1000 }, /attemptsMax/],
    ["PUT /v1/groups/g", { retryDelaysMs: [] }, /retryDelaysMs/],
    ["GET /v1/topics?limit=0", undefined, /limit/],
    ["GET /v1/topics?pre=a", undefined, /pre/],
    ["GET /v1/topics?limit=1&limit=2", undefined, /twice/],
  ];
  for (const [line, body, message] of faults) {
    const { status, json } = await house.ask(line, body);
    assert.equal(status, 400, line);
    assert.match(json.detail, message);
  }
});
