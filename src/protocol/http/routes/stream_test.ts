import assert from "node:assert/strict";
import { test } from "node:test";
import { EventReader, type HttpHouse, openHouse } from "../../../../tests/support/http_app.ts";
import { limits } from "../../../base/limits.ts";

const path = "/v1/topics/orders/groups/billing/stream";

async function open(house: HttpHouse, query = "", lastId?: string): Promise<EventReader> {
  const headers: Record<string, string> = lastId === undefined ? {} : { "last-event-id": lastId };
  const response = await house.fetch(`${path}${query}`, { headers });
  assert.equal(response.status, 200, response.status === 200 ? "" : await response.text());
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  return new EventReader(response);
}

async function send(house: HttpHouse, body: string, queueId = 0, tag = "t"): Promise<void> {
  const { status } = await house.ask("POST /v1/topics/orders/messages", { body, queueId, tag });
  assert.equal(status, 200);
}

test("stream in broadcast resumes after any event without gap or repeat", async () => {
  const house = await openHouse();
  const bodies = Array.from({ length: 9 }, (_, at) => `m${at}`);
  for (const [at, body] of bodies.entries()) await send(house, body, at % 2);
  for (let cut = 0; cut <= bodies.length; cut++) {
    const seen: string[] = [];
    const first = await open(house, "?mode=broadcast&max=2");
    let id = /^retry: 1000\nid: (.*)$/.exec(await first.next() ?? "")?.[1] ?? "";
    for (let at = 0; at < cut; at++) {
      const event = await first.message();
      id = event.id;
      seen.push(event.data.body);
    }
    await first.leave();
    const second = await open(house, "?mode=broadcast", id);
    while (seen.length < bodies.length) seen.push((await second.message()).data.body);
    await second.leave();
    assert.deepEqual(seen.sort(), bodies, `cut after ${cut}`);
  }
  await house.broker.tick();
  assert.equal(house.broker.parked, 0);
});

test("stream in broadcast keeps the place it began at, before any message", async () => {
  const house = await openHouse();
  await send(house, "old");
  const first = await open(house, "?mode=broadcast&from=latest");
  const id = /id: (.*)$/.exec(await first.next() ?? "")?.[1];
  await first.leave();
  await send(house, "while away");
  const second = await open(house, "?mode=broadcast&from=latest", id);
  assert.equal((await second.message()).data.body, "while away");
  await second.leave();
});

test("stream in broadcast moves its place over messages the filter leaves out", async () => {
  const house = await openHouse();
  await send(house, "a", 0, "no");
  const reader = await open(house, "?mode=broadcast&tags=yes");
  await reader.next();
  const id = /^id: (.*)$/.exec(await reader.next() ?? "")?.[1] ?? "";
  const payload = JSON.parse(atob(id.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/")));
  assert.deepEqual(payload, ["b", "orders", "billing", [1, 0]]);
  await reader.leave();
});

test("stream sends what meets an SQL expression, in both modes", async () => {
  const house = await openHouse();
  await send(house, "a", 0, "no");
  await send(house, "b", 0, "yes");
  const sql = encodeURIComponent("TAGS = 'yes'");
  const broadcast = await open(house, `?mode=broadcast&sql=${sql}`);
  assert.equal((await broadcast.message()).data.body, "b");
  await broadcast.leave();
  const cluster = await open(house, `?sql=${sql}`);
  assert.equal((await cluster.message()).data.body, "b");
  await cluster.leave();
});

test("stream in broadcast tells of messages deleted before they were read", async () => {
  const house = await openHouse();
  for (const body of ["a", "b", "c"]) await send(house, body);
  const first = await open(house, "?mode=broadcast");
  const { id } = await first.message();
  await first.leave();
  house.broker.trim("orders", 0, 2);
  const second = await open(house, "?mode=broadcast", id);
  await second.next();
  const gap = await second.next() ?? "";
  assert.match(gap, /^event: gap\nid: .*\ndata: {"queueId":0,"fromOffset":1,"toOffset":2}$/);
  assert.equal((await second.message()).data.body, "c");
  await second.leave();
});

test("stream in broadcast reads queues that are added from their beginning", async () => {
  const house = await openHouse();
  const reader = await open(house, "?mode=broadcast&from=latest");
  await house.broker.changeTopic("orders", { queues: 3 });
  await send(house, "third", 2);
  await send(house, "first", 0);
  const seen = [await reader.message(), await reader.message()].map(({ data }) => data.body);
  assert.deepEqual(seen.sort(), ["first", "third"]);
  await reader.leave();
});

test("stream says something when nothing comes for a heartbeat", async () => {
  for (const mode of ["broadcast", "cluster"]) {
    const house = await openHouse();
    const reader = await open(house, `?mode=${mode}`);
    await reader.next();
    const waiting = reader.next();
    await house.broker.untilParked(mode === "cluster" ? 1 : 2);
    await house.broker.tick(15_000);
    assert.equal(await waiting, ": waiting");
    await reader.leave();
    assert.equal(house.broker.parked, 0, mode);
  }
});

test("stream in cluster leases with receipts that ack takes, unseen by others", async () => {
  const house = await openHouse();
  await send(house, "a");
  const reader = await open(house, "?clientId=me&invisibleMs=60000");
  const { data, id } = await reader.message();
  assert.equal(data.attempt, 1);
  assert.equal(house.broker.receives[0]?.clientId, "me");
  const receive = await house.ask("POST /v1/topics/orders/groups/billing/receive", {});
  assert.deepEqual(receive.json.messages, []);
  const ack = { receipts: [data.receipt] };
  const acked = await house.ask("POST /v1/topics/orders/groups/billing/ack", ack);
  assert.equal(acked.status, 200);
  await reader.leave();
  const again = await open(house, "", id);
  const pending = again.message();
  await house.broker.tick();
  assert.equal(house.broker.receives.at(-1)?.clientId, "me");
  await send(house, "b");
  assert.equal((await pending).data.body, "b");
  await again.leave();
});

test("stream with ack=auto acknowledges a batch when the next is asked for", async () => {
  const house = await openHouse();
  await send(house, "a");
  const reader = await open(house, "?ack=auto");
  await reader.message();
  assert.equal((await house.broker.places("billing", "orders"))[0]?.openDeliveries, 1);
  const next = reader.next();
  await house.broker.tick();
  assert.equal((await house.broker.places("billing", "orders"))[0]?.openDeliveries, 0);
  await reader.leave();
  await next;
});

test("stream asks for nothing before its reader takes what there is", async () => {
  const house = await openHouse();
  for (let at = 0; at < 5; at++) await send(house, `m${at}`);
  const reader = await open(house, "?max=1");
  await house.broker.tick();
  assert.equal(house.broker.receives.length, 0);
  await reader.message();
  assert.equal(house.broker.receives.length, 1);
  await reader.leave();
});

test("stream ends when the request's signal says that the client left", async () => {
  for (const mode of ["broadcast", "cluster"]) {
    const house = await openHouse();
    const client = new AbortController();
    const response = await house.fetch(`${path}?mode=${mode}`, { signal: client.signal });
    const reader = new EventReader(response);
    await reader.next();
    const end = reader.next();
    await house.broker.tick();
    assert.ok(house.broker.parked > 0);
    client.abort();
    assert.equal(await end, undefined);
    assert.equal(house.broker.parked, 0);
    assert.match((await house.ask("GET /metrics")).json, /curlew_http_event_streams 0\n/);
  }
});

test("stream tells why it ends", async () => {
  const house = await openHouse();
  const reader = await open(house, "?mode=broadcast");
  await reader.next();
  const last = reader.next();
  await house.broker.tick();
  await house.broker.deleteTopic("orders");
  const block = await last ?? "";
  assert.match(block, /^event: problem\ndata: {.*"code":"topic_not_found".*}$/);
  assert.equal(await reader.next(), undefined);
});

test("stream refuses ids that are forged, of another stream or another mode", async () => {
  const house = await openHouse();
  await send(house, "a");
  await house.broker.createGroup("other", {});
  const reader = await open(house, "?mode=broadcast");
  const { id } = await reader.message();
  await reader.leave();
  const bent = `${id.startsWith("W") ? "X" : "W"}${id.slice(1)}`;
  const asks: [string, string][] = [
    [`${path}?mode=broadcast`, bent],
    [`${path}?mode=broadcast`, "nonsense"],
    [path, id],
    [`${path.replace("billing", "other")}?mode=broadcast`, id],
  ];
  for (const [target, lastId] of asks) {
    const { status, json } = await house.ask(`GET ${target}`, undefined, {
      "last-event-id": lastId,
    });
    assert.equal(status, 400, target);
    assert.match(json.detail, /Last-Event-ID/);
  }
});

test("stream refuses options that have no meaning in its mode", async () => {
  const house = await openHouse();
  for (const query of ["?mode=broadcast&ack=auto", "?from=latest", "?mode=both", "?tag=a"]) {
    assert.equal((await house.ask(`GET ${path}${query}`)).status, 400, query);
  }
});

test("stream refuses more streams than the bound, and takes one again when one ends", async () => {
  const house = await openHouse();
  const readers: EventReader[] = [];
  for (let at = 0; at < limits.eventStreamsMax; at++) readers.push(await open(house));
  assert.equal((await house.ask(`GET ${path}`)).status, 429);
  await readers.pop()?.leave();
  readers.push(await open(house));
  for (const reader of readers) await reader.leave();
});

test("stream opens nothing for HEAD, whose body nobody would end", async () => {
  const house = await openHouse();
  assert.equal((await house.fetch(path, { method: "HEAD" })).status, 200);
  assert.match((await house.ask("GET /metrics")).json, /curlew_http_event_streams 0\n/);
});

test("stream in mode broadcast with a clientId leases for that client", async () => {
  const house = await openHouse();
  await send(house, "a");
  const events = await open(house, "?mode=broadcast&clientId=screen-1&ack=auto");
  assert.equal((await events.message()).data.body, "a");
  await events.leave();

  const [asked] = house.broker.receives;
  assert.deepEqual([asked?.mode, asked?.clientId], ["broadcast", "screen-1"]);
  const query = "?mode=broadcast&clientId=screen-1&from=latest";
  const refused = await house.ask(`GET ${path}${query}`);
  assert.match(refused.json.detail, /from has no meaning in mode broadcast with clientId/);
});
