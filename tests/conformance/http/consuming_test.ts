import assert from "node:assert/strict";
import { test } from "node:test";
import { withHouse } from "../../support/whole_house.ts";

const send = "POST /v1/topics/news/messages";
const receive = "POST /v1/topics/news/groups/desk/receive";

type Shown = { readonly body: string };

function bodies(json: { messages: readonly Shown[] }): string[] {
  return json.messages.map(({ body }) => body);
}

test("members that want different tags get their own; what nobody wants is counted", async () => {
  await withHouse(async (house) => {
    await house.ask("PUT /v1/topics/news", { queues: 1 });
    for (const tags of ["a", "b"]) await house.ask(receive, { tags, clientId: tags });
    for (const tag of ["a", "b", "c"]) await house.ask(send, { body: `to ${tag}`, tag });

    assert.deepEqual(bodies((await house.ask(receive, { tags: "a" })).json), ["to a"]);
    assert.deepEqual(bodies((await house.ask(receive, { tags: "b" })).json), ["to b"]);
    const { json } = await house.ask("GET /v1/groups/desk/offsets?topic=news");
    const [{ unmatched, expired }] = json.places;
    assert.deepEqual({ unmatched, expired }, { unmatched: 1, expired: 0 });
    const metrics = String((await house.ask("GET /metrics")).json);
    assert.match(metrics, /curlew_shard_unmatched_messages_total\{shard="\d"\} 1\n/);
  });
});

test("a single | between tags is refused, with the word that was meant", async () => {
  await withHouse(async (house) => {
    await house.ask("PUT /v1/topics/news", { queues: 1 });
    const queue = "GET /v1/topics/news/queues/0/messages?offset=earliest&tags=a||b%20%7C%20c";
    const stream = "GET /v1/topics/news/groups/desk/stream?tags=b%20%7C%20c";
    const refused = [
      await house.ask(receive, { tags: "a || b | c" }),
      await house.ask(queue),
      await house.ask(stream),
      await house.ask(receive, { tags: "a ||| b" }),
    ];

    assert.deepEqual(refused.map(({ status }) => status), [400, 400, 400, 400]);
    for (const { json } of refused) assert.equal(json.code, "filter_invalid");
    assert.match(refused[0]?.json.detail, /tag "b \| c": tags are joined by \|\|/);
  });
});

test("what expired is passed over by groups and by readers of queues, and counted", async () => {
  await withHouse(async (house) => {
    await house.ask("PUT /v1/topics/news", { queues: 1, messageTtlMs: 60_000 });
    await house.ask(send, { messages: [{ body: "short", ttlMs: 10 }, { body: "topic's" }] });
    await house.pass(10);

    const queue = "GET /v1/topics/news/queues/0/messages?offset=earliest";
    const read = await house.ask(queue);
    assert.deepEqual([bodies(read.json), read.json.nextOffset], [["topic's"], 2]);
    await house.pass(60_000);
    assert.deepEqual(bodies((await house.ask(receive, {})).json), []);
    const { json } = await house.ask("GET /v1/groups/desk/offsets?topic=news");
    assert.equal(json.places[0].expired, 2);
  });
});

test("a message sent again with its id answers the first receipt, in all forms", async () => {
  await withHouse(async (house) => {
    await house.ask("PUT /v1/topics/news", { queues: 3 });
    const { json } = await house.ask(send, { body: "x", messageId: "once" });
    const again = { ...json.receipts[0], repeated: true };
    const raw = { "content-type": "text/plain", "curlew-message-id": "once" };
    const lines = { "content-type": "application/x-ndjson" };

    assert.deepEqual((await house.ask(send, { body: "x", messageId: "once" })).json.receipts, [
      again,
    ]);
    assert.deepEqual((await house.ask(send, "x", raw)).json.receipts, [again]);
    const line = '{"body":"x","messageId":"once"}\n';
    assert.deepEqual((await house.ask(send, line + line, lines)).json.receipts, [again, again]);
    const [fresh, known] = [{ body: "new", messageId: "new" }, { body: "x", messageId: "once" }];
    const batch = { messages: [fresh, known] };
    const receipts = (await house.ask(send, batch)).json.receipts;
    assert.deepEqual([receipts[0].repeated, receipts[1]], [undefined, again]);
  });
});

test("clients in mode broadcast get everything each, and settle as others do", async () => {
  await withHouse(async (house) => {
    await house.ask("PUT /v1/topics/news", { queues: 1 });
    await house.ask(send, { body: "a" });
    for (const clientId of ["one", "two"]) {
      const { json } = await house.ask(receive, { mode: "broadcast", clientId });
      assert.deepEqual(bodies(json), ["a"]);
      const receipts = [json.messages[0].receipt];
      const acked = await house.ask("POST /v1/topics/news/groups/desk/ack", { receipts });
      assert.equal(acked.json.verdicts[0].verdict, "done");
      const rest = await house.ask(receive, { mode: "broadcast", clientId });
      assert.deepEqual(bodies(rest.json), []);
    }
    assert.deepEqual(bodies((await house.ask(receive, {})).json), ["a"]);
  });
});
