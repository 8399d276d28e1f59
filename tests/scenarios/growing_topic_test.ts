/**
 * A producer that did not get its answer sends again, and its topic was given more queues
 * meanwhile: over HTTP, in three shards, in every way to send.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type WholeHouse, withHouse } from "../support/whole_house.ts";

const send = "POST /v1/topics/orders/messages";
const ids = Array.from({ length: 24 }, (_, at) => `order-${at}`);
const ndjson = { "content-type": "application/x-ndjson" };

type Receipt = {
  readonly messageId: string;
  readonly queueId: number;
  readonly offset: number | null;
  readonly repeated?: boolean;
  readonly replacedMessageId?: string;
};
type Fields = Readonly<Record<string, unknown>>;
type Way = (
  house: WholeHouse,
  messages: readonly Fields[],
) => Promise<Receipt[]>;

async function ask(
  house: WholeHouse,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const { status, json } = await house.ask(send, body, headers);
  assert.equal(status, 200, JSON.stringify(json));
  return json.receipts as Receipt[];
}

async function oneByOne(
  house: WholeHouse,
  messages: readonly Fields[],
  way: (fields: Fields) => [unknown, Record<string, string>?],
): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (const fields of messages) {
    receipts.push(...await ask(house, ...way(fields)));
  }
  return receipts;
}

const ways: Readonly<Record<string, Way>> = {
  "one by one": (house, messages) =>
    oneByOne(house, messages, (fields) => [fields]),
  "as a batch": (house, messages) => ask(house, { messages }),
  "as NDJSON": (house, messages) => {
    return ask(
      house,
      messages.map((fields) => `${JSON.stringify(fields)}\n`).join(""),
      ndjson,
    );
  },
  "as raw bodies": (house, messages) =>
    oneByOne(house, messages, ({ body, messageId }) => [
      String(body),
      { "content-type": "text/plain", "curlew-message-id": String(messageId) },
    ]),
};

async function grow(house: WholeHouse, queues: number): Promise<void> {
  const { status, json } = await house.ask("PATCH /v1/topics/orders", {
    queues,
  });
  assert.equal(status, 200, JSON.stringify(json));
}

function placesOf(receipts: readonly Receipt[]): string[] {
  return receipts.map(({ messageId, queueId, offset }) =>
    `${messageId} ${queueId}/${offset}`
  );
}

/** Messages that anybody can see. */
async function storedCount({ broker }: WholeHouse): Promise<number> {
  const ranges = await broker.run(broker.door.queueRanges("orders"));
  return ranges.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
}

for (const [name, way] of Object.entries(ways)) {
  test(`messages sent again ${name} after a growth are where they were`, async () => {
    await withHouse(async (house) => {
      const messages = ids.map((messageId) => ({ body: messageId, messageId }));
      const first = await way(house, messages);
      await grow(house, 7);
      const second = await way(house, messages);
      await grow(house, 11);
      await house.broker.restart();
      const third = await way(house, messages);

      assert.ok(first.every(({ repeated }) => repeated === undefined));
      for (const again of [second, third]) {
        assert.deepEqual(placesOf(again), placesOf(first));
        assert.ok(again.every(({ repeated }) => repeated === true));
      }
      assert.equal(await storedCount(house), ids.length);
    }, { shards: 3 });
  });
}

test("messages sent again in another way than before a growth are where they were", async () => {
  await withHouse(async (house) => {
    const messages = ids.map((messageId) => ({ body: messageId, messageId }));
    const first = await ask(house, { messages });
    await grow(house, 9);
    for (const way of Object.values(ways)) {
      assert.deepEqual(placesOf(await way(house, messages)), placesOf(first));
    }
    assert.equal(await storedCount(house), ids.length);
  }, { shards: 3 });
});

test("a batch of ids, sharding keys and queues is stored as far as it is new", async () => {
  await withHouse(async (house) => {
    const batchOf = (names: readonly string[]) => ({
      messages: names.flatMap((id, at) => [
        { body: id, messageId: id },
        { body: id, messageId: `${id}-keyed`, shardingKey: `key ${id}` },
        { body: id, messageId: `${id}-placed`, queueId: at % 4 },
        { body: id },
      ]),
    });
    const first = await ask(house, batchOf(ids.slice(0, 12)));
    await grow(house, 9);
    const second = await ask(house, batchOf(ids));

    const [known, fresh] = [second.slice(0, 48), second.slice(48)];
    const named = ({ messageId }: Receipt) => messageId.startsWith("order-");
    assert.deepEqual(
      placesOf(known.filter(named)),
      placesOf(first.filter(named)),
    );
    assert.ok(known.filter(named).every(({ repeated }) => repeated === true));
    assert.ok(fresh.every(({ repeated }) => repeated === undefined));
    // Nobody can tell that those without an id were sent before.
    assert.equal(await storedCount(house), 24 * 3 + 12 + 24);
  }, { shards: 3 });
});

for (const name of ["one by one", "as a batch", "as NDJSON"]) {
  test(`timed messages sent again ${name} after a growth are pending once`, async () => {
    const way = ways[name] ?? assert.fail();
    await withHouse(async (house) => {
      const messages = ids.map((messageId) => ({
        body: messageId,
        messageId,
        delayMs: 60_000,
      }));
      await way(house, messages);
      await grow(house, 7);
      const second = await way(house, messages);
      await grow(house, 11);
      await house.broker.restart();
      const third = await way(house, messages);

      for (const again of [second, third]) {
        assert.deepEqual(again.map(({ messageId }) => messageId), ids);
        assert.deepEqual(
          again.map(({ replacedMessageId }) => replacedMessageId),
          ids,
        );
      }
      assert.equal(
        (await house.ask("GET /v1/timers?topic=orders")).json.count,
        ids.length,
      );
      await house.pass(60_010);
      assert.equal(await storedCount(house), ids.length);
      // What fired is known to a send that is not timed.
      const plain = await way(
        house,
        ids.map((messageId) => ({ body: messageId, messageId })),
      );
      assert.ok(plain.every(({ repeated }) => repeated === true));
    }, { shards: 3 });
  });
}

test("a message beside a timed one in a batch is recognised when both come again", async () => {
  await withHouse(async (house) => {
    const messages = ids.flatMap((messageId) => [
      { body: messageId, messageId },
      { body: messageId, messageId: `${messageId}-later`, delayMs: 60_000 },
    ]);
    await ask(house, { messages });
    const same = await ask(house, { messages });
    await grow(house, 9);
    const grown = await ask(house, { messages });

    for (const again of [same, grown]) {
      assert.equal(again.filter(({ repeated }) => repeated).length, ids.length);
    }
    assert.equal(await storedCount(house), ids.length);
    assert.equal(
      (await house.ask("GET /v1/timers?topic=orders")).json.count,
      ids.length,
    );
  }, { shards: 3 });
});
