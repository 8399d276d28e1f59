import assert from "node:assert/strict";
import { test } from "node:test";
import { WholeHouse } from "../../support/whole_house.ts";

const request = "POST /v1/topics/questions/requests";
const receive = "POST /v1/topics/questions/groups/clerks/receive";

async function withHouse(work: (house: WholeHouse) => Promise<void>): Promise<void> {
  const house = new WholeHouse();
  try {
    await house.broker.start();
    await house.ask("PUT /v1/topics/questions", { queues: 1 });
    await work(house);
  } finally {
    await house.broker.remove();
  }
}

test("a request is answered with the reply to its message", async () => {
  await withHouse(async (house) => {
    const asked = house.begin(request, { body: "6 x 7?", properties: { unit: "none" } });
    await house.settle();
    const { json } = await house.ask(receive, {});
    const [message] = json.messages;
    assert.equal(message.body, "6 x 7?");
    assert.deepEqual(message.properties, { unit: "none", TTL: "10000", CLUSTER: "test" });
    const { correlationId, replyTo } = message;

    const reply = { correlationId, replyTo, body: "42", properties: { sure: "yes" } };
    assert.equal((await house.ask("POST /v1/replies", reply)).status, 204);
    await house.settle();

    const answer = await asked;
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { correlationId, body: "42", properties: { sure: "yes" } });
    const late = await house.ask("POST /v1/replies", reply);
    assert.deepEqual([late.status, late.json.code], [404, "message_not_found"]);
  });
});

test("a request without a reply ends at its deadline, and its message with it", async () => {
  await withHouse(async (house) => {
    const asked = house.begin(request, { body: "?", timeoutMs: 2_000 });
    await house.settle();
    await house.pass(2_000);

    const { status, json } = await asked;
    assert.deepEqual([status, json.code], [504, "timeout"]);
    assert.deepEqual((await house.ask(receive, {})).json.messages, []);
  });
});

test("requests and replies are refused when they are not whole", async () => {
  await withHouse(async (house) => {
    const faults: [string, unknown, RegExp][] = [
      [request, { timeoutMs: 5 }, /body/],
      [request, { body: "x", timeoutMs: 0 }, /timeoutMs/],
      [request, { body: "x", timeoutMs: 60_001 }, /timeoutMs/],
      [request, { body: "x", delayMs: 5 }, /waits now/],
      [request, { body: "x", boddy: 5 }, /boddy/],
      ["POST /v1/replies", { correlationId: "a", body: "x" }, /replyTo/],
      ["POST /v1/replies", { correlationId: "a", replyTo: "b" }, /body/],
      ["POST /v1/replies", { correlationId: "a", replyTo: "b", body: "x", tag: "t" }, /tag/],
    ];
    for (const [line, body, detail] of faults) {
      const { status, json } = await house.ask(line, body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.match(json.detail, detail);
    }
    const lost = await house.ask("POST /v1/topics/none/requests", { body: "x" });
    assert.equal(lost.json.code, "topic_not_found");
  });
});
