/** docs/timers.md, clause by clause, over HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type WholeHouse, withHouse } from "../../support/whole_house.ts";

const send = "POST /v1/topics/orders/messages";

/** Every body that consumers can read. */
async function bodies(house: WholeHouse): Promise<string[]> {
  const found: string[] = [];
  for (let queueId = 0; queueId < 4; queueId++) {
    const line = `GET /v1/topics/orders/queues/${queueId}/messages?offset=0&max=100`;
    const { json } = await house.ask(line);
    found.push(...(json.messages ?? []).map(({ body }: { body: string }) => body));
  }
  return found.sort();
}

test("timers: a send with delayMs answers no offset but deliverAtMs, and fires then", async () => {
  await withHouse(async (house) => {
    const { json } = await house.ask(send, { body: "a", delayMs: 1000, messageId: "m-1" });
    const { queueId, ...receipt } = json.receipts[0];
    assert.deepEqual(receipt, {
      messageId: "m-1",
      offset: null,
      survived: "process-crash",
      deliverAtMs: house.broker.nowMs + 1000,
    });
    await house.pass(999);
    assert.deepEqual(await bodies(house), []);
    await house.pass(10);
    assert.deepEqual(await bodies(house), ["a"]);
    assert(queueId >= 0 && queueId < 4);
  });
});

test("timers: the fields stand in a batch, in NDJSON and in headers of a raw body", async () => {
  await withHouse(async (house) => {
    const atMs = house.broker.nowMs + 500;
    await house.ask(send, {
      messages: [{ body: "a", deliverAtMs: atMs }, { body: "b" }, { body: "c", delayMs: 500 }],
    });
    const lines = '{"body":"d","delayMs":500}\n{"body":"e","timerKey":"k","delayMs":500}\n';
    await house.ask(send, lines, { "content-type": "application/x-ndjson" });
    const raw = (name: string, value: string) =>
      house.ask(send, `raw ${name}`, { "content-type": "text/plain", [name]: value });
    await raw("curlew-delay-ms", "500");
    await raw("curlew-deliver-at-ms", String(atMs));
    assert.deepEqual(await bodies(house), ["b"]);
    const { json } = await house.ask("GET /v1/timers?topic=orders");
    assert.equal(json.count, 6);
    await house.pass(510);
    const fired = ["a", "b", "c", "d", "e", "raw curlew-delay-ms", "raw curlew-deliver-at-ms"];
    assert.deepEqual(await bodies(house), fired);
  });
});

test("timers: what is no time is refused with what was found", async () => {
  await withHouse(async (house) => {
    const cases: [Record<string, unknown>, RegExp][] = [
      [{ delayMs: -1 }, /delayMs.*-1/],
      [{ delayMs: 1.5 }, /delayMs.*1\.5/],
      [{ deliverAtMs: "soon" }, /deliverAtMs.*soon/],
      [{ timerKey: "" }, /timerKey/],
      [{ delayMs: 5, deliverAtMs: 5 }, /both/],
      [{ delayMs: 41 * 86_400_000 }, /3542400000 ms from now: at most 3456000000 ms/],
      [{ delayMs: 5, timerKey: "k", queueId: 1 }, /timer key chooses the queue/],
    ];
    for (const [fields, message] of cases) {
      const { status, json } = await house.ask(send, { body: "a", ...fields });
      assert.deepEqual([status, json.code], [400, "invalid_argument"]);
      assert.match(json.detail, message);
    }
    const { status } = await house.ask(send, "a", {
      "content-type": "text/plain",
      "curlew-delay-ms": "soon",
    });
    assert.equal(status, 400);
    assert.equal((await house.ask("GET /v1/timers?topic=orders")).json.count, 0);
  });
});

test("timers: GET lists by due time within a span, in pages, and finds by id and key", async () => {
  await withHouse(async (house) => {
    const base = house.broker.nowMs + 1000;
    for (const step of [3, 1, 2]) {
      const timer = { deliverAtMs: base + step, messageId: `m-${step}`, timerKey: `k ${step}` };
      await house.ask(send, { body: "a", ...timer });
    }
    const list = async (query: string) => {
      const { json } = await house.ask(`GET /v1/timers?topic=orders${query}`);
      return json;
    };
    const ids = (page: { timers: { messageId: string }[] }) =>
      page.timers.map(({ messageId }) => messageId);
    assert.deepEqual(ids(await list("")), ["m-1", "m-2", "m-3"]);
    assert.deepEqual(ids(await list(`&fromMs=${base + 2}&toMs=${base + 2}`)), ["m-2"]);
    const first = await list("&max=2");
    assert.deepEqual([ids(first), first.count], [["m-1", "m-2"], 3]);
    const second = await list(`&max=2&after=${first.next}`);
    assert.deepEqual([ids(second), second.next], [["m-3"], null]);
    assert.deepEqual(ids(await list("&key=k%202")), ["m-2"]);
    assert.deepEqual(ids(await list("&key=nobody")), []);
    const { json: timer } = await house.ask("GET /v1/timers/m-3");
    assert.deepEqual([timer.topic, timer.timerKey, timer.deliverAtMs], [
      "orders",
      "k 3",
      base + 3,
    ]);
    assert.equal((await house.ask("GET /v1/timers/m-9")).status, 404);
    assert.equal((await house.ask("GET /v1/timers?topic=nobody")).status, 404);
    assert.equal((await house.ask("GET /v1/timers?topic=orders&after=x")).status, 400);
    assert.equal((await house.ask("GET /v1/timers?topic=orders&key=k&max=5")).status, 400);
  });
});

test("timers: DELETE answers 200 and one of cancelled, already-delivered, unknown", async () => {
  await withHouse(async (house) => {
    await house.ask(send, { body: "a", delayMs: 500, messageId: "m-a" });
    await house.ask(send, { body: "b", delayMs: 500, messageId: "m-b" });
    await house.ask(send, { body: "c", delayMs: 500, timerKey: "k c" });
    const cancel = async (path: string) => {
      const { status, json } = await house.ask(`DELETE /v1/timers${path}`);
      assert.equal(status, 200);
      return json;
    };
    assert.deepEqual(await cancel("/m-a"), { verdict: "cancelled" });
    assert.deepEqual(await cancel("?topic=orders&key=k%20c"), { verdict: "cancelled" });
    await house.pass(510);
    assert.deepEqual(await bodies(house), ["b"]);
    assert.deepEqual(await cancel("/m-b"), { verdict: "already-delivered" });
    assert.deepEqual(await cancel("/m-a"), { verdict: "unknown" });
    assert.deepEqual(await cancel("/m-a?topic=orders"), { verdict: "unknown" });
    assert.deepEqual(await cancel("?topic=orders&key=k%20c"), { verdict: "unknown" });
  });
});

test("timers: PATCH moves by id and key; a time in the past fires at once", async () => {
  await withHouse(async (house) => {
    const base = house.broker.nowMs;
    await house.ask(send, { body: "a", delayMs: 500, messageId: "m-a" });
    await house.ask(send, { body: "b", delayMs: 500, timerKey: "k" });
    await house.ask(send, { body: "c", delayMs: 500, messageId: "m-c" });
    const move = (path: string, to: unknown) => house.ask(`PATCH /v1/timers${path}`, to);
    const moved = await move("/m-a", { delayMs: 5000 });
    assert.deepEqual(moved.json, { verdict: "rescheduled", deliverAtMs: base + 5000 });
    await move("?topic=orders&key=k", { deliverAtMs: base + 10 });
    await move("/m-c?topic=orders", { deliverAtMs: 0 });
    await house.settle();
    assert.deepEqual(await bodies(house), ["c"]);
    await house.pass(20);
    assert.deepEqual(await bodies(house), ["b", "c"]);
    assert.equal((await move("/m-c", { delayMs: 1 })).json.verdict, "already-delivered");
    for (const wrong of [{}, { delayMs: 1, deliverAtMs: 1 }, { delayMs: -1 }, { when: 1 }]) {
      assert.equal((await move("/m-a", wrong)).status, 400);
    }
    assert.equal((await move("/m-a", { delayMs: 41 * 86_400_000 })).status, 400);
    await house.pass(5000);
    assert.deepEqual(await bodies(house), ["a", "b", "c"]);
  });
});

test("timers: a second send with the same key takes the place of the pending one", async () => {
  await withHouse(async (house) => {
    await house.ask(send, { body: "a", delayMs: 500, timerKey: "k", messageId: "m-a" });
    const { json } = await house.ask(send, { body: "b", delayMs: 600, timerKey: "k" });
    assert.equal(json.receipts[0].replacedMessageId, "m-a");
    await house.pass(700);
    assert.deepEqual(await bodies(house), ["b"]);
  });
});
