/** docs/transactions.md, clause by clause, over HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type WholeHouse, withHouse } from "../../support/whole_house.ts";

/** Begins a transaction of group `payments`. */
async function begin(house: WholeHouse, body: string, fields: Record<string, unknown> = {}) {
  const { message, ...rest } = { message: {}, ...fields };
  const { status, json } = await house.ask("POST /v1/transactions", {
    topic: "orders",
    producerGroup: "payments",
    message: { body, messageId: `m-${body}`, ...message },
    ...rest,
  });
  assert.equal(status, 200, JSON.stringify(json));
  return json as { transactionId: string; messageId: string; queueId: number };
}

/** What a consumer group receives. */
async function received(house: WholeHouse): Promise<string[]> {
  const line = "POST /v1/topics/orders/groups/readers/receive";
  const { json } = await house.ask(line, { max: 100 });
  return json.messages.map(({ body }: { body: string }) => body);
}

test("transactions: nobody receives a half message; a commit makes it visible", async () => {
  await withHouse(async (house) => {
    await house.broker.run(house.broker.door.createGroup("readers", { startFrom: "earliest" }));
    const { transactionId, messageId } = await begin(house, "a");
    assert.equal(messageId, "m-a");
    assert.deepEqual(await received(house), []);
    const { json } = await house.ask(`POST /v1/transactions/${transactionId}/commit`);
    assert.deepEqual([json.state, json.first, json.receipt.messageId], ["committed", true, "m-a"]);
    assert.equal(json.receipt.offset, 0);
    assert.deepEqual(await received(house), ["a"]);
  });
});

test("transactions: a second verdict is answered with the first", async () => {
  await withHouse(async (house) => {
    const { transactionId } = await begin(house, "a");
    const path = `POST /v1/transactions/${transactionId}`;
    assert.deepEqual((await house.ask(`${path}/rollback`)).json, {
      state: "rolled-back",
      first: true,
    });
    await house.broker.restart();
    for (const verdict of ["commit", "rollback"]) {
      assert.deepEqual((await house.ask(`${path}/${verdict}`)).json, {
        state: "rolled-back",
        first: false,
      });
    }
  });
});

test("transactions: another group, a forged id and a wrong body are refused", async () => {
  await withHouse(async (house) => {
    const { transactionId } = await begin(house, "a");
    const path = `POST /v1/transactions/${transactionId}/commit`;
    const other = await house.ask(path, { producerGroup: "others" });
    assert.deepEqual([other.status, other.json.code], [403, "no_permission"]);
    const forged = await house.ask(`POST /v1/transactions/${transactionId.slice(0, -1)}!/commit`);
    assert.equal(forged.status, 400);
    const whole = { topic: "orders", producerGroup: "payments", message: { body: "a" } };
    const wrong: Record<string, unknown>[] = [
      { ...whole, topic: undefined },
      { ...whole, producerGroup: undefined },
      { ...whole, producerGroup: "a b" },
      { ...whole, message: {} },
      { ...whole, message: undefined },
      { ...whole, immunityMs: 1 },
      { ...whole, checkUrl: "http://anywhere/" },
      { ...whole, colour: "red" },
    ];
    for (const body of wrong) {
      const { status } = await house.ask("POST /v1/transactions", body);
      assert.equal(status, 400, JSON.stringify(body));
    }
    const missing = await house.ask("POST /v1/transactions", { ...whole, topic: "nobody" });
    assert.equal(missing.status, 404);
  });
});

test("transactions: a commit honours delay, timer key and sharding key", async () => {
  await withHouse(async (house) => {
    await house.broker.run(house.broker.door.createGroup("readers", { startFrom: "earliest" }));
    const delayed = { message: { delayMs: 5000, timerKey: "k" } };
    const one = await begin(house, "a", delayed);
    const two = await begin(house, "b", delayed);
    assert.equal(one.queueId, two.queueId);
    for (const { transactionId } of [one, two]) {
      const { json } = await house.ask(`POST /v1/transactions/${transactionId}/commit`);
      assert.equal(json.receipt.offset, null);
    }
    const { json } = await house.ask("GET /v1/timers?topic=orders&key=k");
    assert.deepEqual(json.timers.map((timer: { messageId: string }) => timer.messageId), ["m-b"]);
    await house.pass(5010);
    assert.deepEqual(await received(house), ["b"]);
  });
});

test("transactions: a group collects its questions, and each is counted", async () => {
  await withHouse(async (house) => {
    const { transactionId } = await begin(house, "a", { immunityMs: 1000 });
    const poll = house.begin("POST /v1/producers/payments/checks", { waitMs: 30_000 });
    await house.pass(1010);
    const { json } = await poll;
    assert.equal(json.checks.length, 1);
    const [check] = json.checks;
    assert.deepEqual([check.transactionId, check.check, check.message.body], [
      transactionId,
      1,
      "a",
    ]);
    const { json: info } = await house.ask(`GET /v1/transactions/${transactionId}`);
    assert.deepEqual([info.state, info.checks, info.producerGroup], ["prepared", 1, "payments"]);
    // It is in no queue yet, and the producer's group is not a property of the producer's own.
    const { offset, storedMs, properties } = check.message;
    assert.deepEqual([offset, storedMs, properties], [undefined, undefined, {}]);
    const none = await house.ask("POST /v1/producers/others/checks", {});
    assert.deepEqual(none.json, { checks: [] });
    const bad = await house.ask("POST /v1/producers/no%20name/checks", {});
    assert.equal(bad.status, 400);
  });
});

test("transactions: undecided ones are parked, listed, armed again and settled", async () => {
  await withHouse(async (house) => {
    const ids = [(await begin(house, "a")).transactionId, (await begin(house, "b")).transactionId];
    for (let round = 0; round < 16; round++) {
      await house.pass(30_010);
      await house.ask("POST /v1/producers/payments/checks", {});
    }
    const list = async (state: string) => {
      const { json } = await house.ask(`GET /v1/transactions?state=${state}`);
      const found = json.transactions as { transactionId: string; checks: number }[];
      return found.map(({ transactionId }) => transactionId);
    };
    assert.deepEqual(new Set(await list("parked")), new Set(ids));
    const rearm = async (path: string, body: unknown) =>
      (await house.ask(`POST /v1/transactions${path}`, body)).json;
    assert.deepEqual(await rearm("/rearm", { ids: [ids[0]] }), { rearmed: 1 });
    assert.deepEqual(await list("prepared"), [ids[0]]);
    assert.deepEqual(await rearm(`/${ids[0]}/rearm`, {}), { rearmed: 0 });
    assert.deepEqual(await rearm("/rearm", { all: true }), { rearmed: 1 });
    await house.ask(`POST /v1/transactions/${ids[1]}/commit`);
    assert.deepEqual([await list("committed"), await list("parked")], [[ids[1]], []]);
    for (const wrong of [{}, { all: false }, { ids: [] }]) {
      assert.equal((await house.ask("POST /v1/transactions/rearm", wrong)).status, 400);
    }
    assert.equal((await house.ask("GET /v1/transactions?state=lost")).status, 400);
  });
});

test("transactions: verdicts are remembered for a day", async () => {
  await withHouse(async (house) => {
    const { transactionId } = await begin(house, "a");
    await house.ask(`POST /v1/transactions/${transactionId}/rollback`);
    await house.pass(86_390_000);
    const path = `GET /v1/transactions/${transactionId}`;
    assert.equal((await house.ask(path)).json.state, "rolled-back");
    await house.pass(30_000);
    assert.equal((await house.ask(path)).status, 404);
  }, { shards: 1 });
});
