import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { fakeApi, problem, receiptsFor } from "../../tests/support/fake_api.ts";
import { chunksOf, fakeHost, type FakeHostOptions } from "../../tests/support/fake_host.ts";
import { runProgram } from "./program.ts";
import { rootFamily } from "./root.ts";

const root = rootFamily({
  readSettings: () => Promise.reject(new Error("not asked for here")),
  inspect: () => Promise.reject(new Error("not asked for here")),
  runImport: () => Promise.reject(new Error("not asked for here")),
});

async function run(words: readonly string[], options: FakeHostOptions = {}) {
  const host = fakeHost(words, options);
  const exitCode = await runProgram(root, host);
  return { exitCode, out: host.out.text, err: host.err.text };
}

test("runProgram() explains every command, with examples", async () => {
  const pending = [[...root.members.map((member) => ({ path: [member.name], member }))]].flat();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path, member } = next;
    if (member.kind === "family") {
      pending.push(...member.members.map((each) => ({ path: [...path, each.name], member: each })));
    }
    const { exitCode, out } = await run([...path, "--help"]);
    assert.equal(exitCode, 0, path.join(" "));
    assert.match(out, /\nUsage:\n {2}curlew /, path.join(" "));
    assert.match(out, /\nExamples:\n/, path.join(" "));
    assert.ok(out.split("\n").every((line) => line.length <= 100), path.join(" "));
  }
});

test("runProgram() answers a slip with the word that was meant, and exit code 2", async () => {
  const { exitCode, err } = await run(["topc", "list"]);

  assert.equal(exitCode, 2);
  assert.match(err, /Did you mean `curlew topic`\?/);
});

test("runProgram() tells a refusal, what to try, and exits with 1", async () => {
  const api = await fakeApi(() => problem(404, "topic_not_found", 'There is no topic "orders"'));
  const words = ["topic", "show", "orders", "--url", api.url];

  const plain = await run(words);
  const json = await run([...words, "--json"]);
  await api.close();

  assert.equal(plain.exitCode, 1);
  assert.match(plain.err, /There is no topic "orders"\n`curlew topic list` shows what exists/);
  assert.equal(JSON.parse(json.err).error.code, "topic_not_found");
});

test("runProgram() says that nobody answers, and exits with 3", async () => {
  const api = await fakeApi(() => ({ status: 200 }));
  await api.close();

  const { exitCode, err } = await run(["topic", "list"], { env: { CURLEW_URL: api.url } });

  assert.equal(exitCode, 3);
  assert.match(err, /Nobody listens at http:\/\/127\.0\.0\.1:\d+: the connection was refused/);
  assert.match(err, /`curlew serve`/);
});

test("topic create sends the settings that were given, in the API's units", async () => {
  const api = await fakeApi(() => ({ status: 201, json: { name: "orders" } }));
  const settings = ["--queues", "8", "--retention", "7d", "--retention-bytes", "none"];

  const { exitCode } = await run(["topic", "create", "orders", ...settings, "--url", api.url]);
  await api.close();

  assert.equal(exitCode, 0);
  assert.equal(`${api.seen[0]?.method} ${api.seen[0]?.url}`, "PUT /v1/topics/orders");
  const body = { queues: 8, retentionMs: 604_800_000, retentionBytes: null };
  assert.deepEqual(api.seen[0]?.json, body);
});

test("topic list reads every page and draws a table", async () => {
  const topic = (name: string) => ({ name, settings: { queues: 4, durability: "power-loss" } });
  const api = await fakeApi(({ url }) => ({
    status: 200,
    json: url.includes("after=a")
      ? { topics: [topic("b")], next: null }
      : { topics: [topic("a")], next: "a" },
  }));

  const table = await run(["topic", "list", "--url", api.url]);
  const json = await run(["topic", "list", "--json", "--url", api.url]);
  await api.close();

  assert.match(table.out, /^TOPIC {2}QUEUES {2}DURABILITY/);
  assert.match(table.out, /\na +4 {2}power-loss.*\nb +4 {2}power-loss/);
  assert.equal(JSON.parse(json.out).topics.length, 2);
});

test("topic change refuses to change nothing", async () => {
  const { exitCode, err } = await run(["topic", "change", "orders"]);

  assert.equal(exitCode, 2);
  assert.match(err, /Nothing to change/);
});

test("message send prints the receipt of each body", async () => {
  const api = await fakeApi(receiptsFor);
  const words = [
    "message",
    "send",
    "-t",
    "orders",
    "one",
    "two",
    "--tag",
    "x",
    "-p",
    "shop=berlin",
  ];

  const { exitCode, out } = await run([...words, "--url", api.url, "--json"]);
  await api.close();

  assert.equal(exitCode, 0);
  assert.equal(JSON.parse(out).receipts.length, 2);
  const messages = api.seen[0]?.json?.["messages"];
  assert.ok(Array.isArray(messages));
  const { body, tag, properties } = messages[1];
  assert.deepEqual({ body, tag, properties }, {
    body: "two",
    tag: "x",
    properties: { shop: "berlin" },
  });
});

test("message send --stdin streams lines and counts them at the end", async () => {
  const api = await fakeApi(receiptsFor);
  const input = chunksOf(["a\nb\n", "c\n\nd"]);

  const words = ["message", "send", "-t", "t", "--stdin", "--url", api.url];
  const { exitCode, err } = await run(words, { input });
  await api.close();

  assert.equal(exitCode, 0);
  assert.match(err, /^Sent 5 messages in /);
  const sent = api.seen.flatMap(({ json }) => json?.["messages"]);
  assert.equal(sent.length, 5);
});

test("message send refuses two sources, and none", async () => {
  assert.match((await run(["message", "send", "-t", "t"])).err, /nothing to send/);
  assert.match(
    (await run(["message", "send", "-t", "t", "x", "--stdin"])).err,
    /do not go together/,
  );
});

test("message receive prints bodies as bytes, acknowledges them, and counts aside", async () => {
  const bodies = [{ body: "text", receipt: "1" }, { bodyBase64: "/w==", receipt: "2" }];
  const api = await fakeApi(({ url }) =>
    url.endsWith("/ack") ? { status: 200, json: {} } : { status: 200, json: { messages: bodies } }
  );
  const host = fakeHost(
    ["message", "receive", "-t", "t", "-g", "g", "--max", "2", "--ack", "--url", api.url],
  );

  const exitCode = await runProgram(root, host);
  await api.close();

  assert.equal(exitCode, 0);
  assert.deepEqual(host.out.bytes, Buffer.from("text\n\xff\n", "latin1"));
  assert.equal(host.err.text, "Received 2, acknowledged 2.\n");
  assert.deepEqual(api.seen[1]?.json, { receipts: ["1", "2"] });
});

test("message tail shows the last messages of every queue", async () => {
  const api = await fakeApi(({ url }) => {
    if (!url.includes("/queues/")) {
      return { status: 200, json: { queues: [{ queueId: 0 }, { queueId: 1 }] } };
    }
    const query = new URL(url, "http://x").searchParams;
    const offset = query.get("offset") === "earliest" ? 0 : Number(query.get("offset"));
    const queue = url.includes("/queues/0/") ? "q0" : "q1";
    const messages = Array.from(
      { length: 5 - offset },
      (_, at) => ({ body: `${queue}:${offset + at}` }),
    );
    return { status: 200, json: { messages, nextOffset: 5, minOffset: 0, maxOffset: 5 } };
  });

  const { out } = await run(["message", "tail", "-t", "t", "--last", "2", "--url", api.url]);
  await api.close();

  assert.deepEqual(out.trim().split("\n").sort(), ["q0:3", "q0:4", "q1:3", "q1:4"]);
});

test("message tail goes on after what retention took meanwhile", async () => {
  let asked = 0;
  const api = await fakeApi(({ url }) => {
    const first = new URL(url, "http://x").searchParams.get("offset") === "earliest";
    if (!first) return problem(404, "offset_not_found", "Cannot read queue 0 at 2: from 3 to 4");
    const minOffset = asked++ === 0 ? 0 : 3;
    const messages = [{ body: `m${minOffset}` }];
    return { status: 200, json: { messages, nextOffset: 4, minOffset, maxOffset: 4 } };
  });
  const words = ["message", "tail", "-t", "t", "--queue", "0", "--last", "2", "--url", api.url];

  const { exitCode, out } = await run(words);
  const beyond = await run([...words, "--from", "9"]);
  await api.close();

  assert.deepEqual([exitCode, out], [0, "m3\n"]);
  assert.equal(beyond.exitCode, 1);
  assert.match(beyond.err, /Cannot read queue 0/);
});

test("message send tells what a timer replaces, and what was sent before", async () => {
  const receipt = { messageId: "b", queueId: 0, offset: 3, survived: "power-loss" };
  const api = await fakeApi(() => {
    const receipts = [{ ...receipt, replacedMessageId: "a" }, { ...receipt, repeated: true }];
    return { status: 200, json: { receipts } };
  });

  const { out } = await run(["message", "send", "-t", "t", "x", "y", "--url", api.url]);
  await api.close();

  assert.deepEqual(out.split("\n").map((line) => line.split(/ {2,}/)), [
    ["MESSAGE ID", "QUEUE", "OFFSET", "SURVIVES", "REPLACES", "REPEATED"],
    ["b", "    0", "     3", "power-loss", "a", "-"].map((cell) => cell.trim()),
    ["b", "0", "3", "power-loss", "-", "yes"],
    [""],
  ]);
});

test("message query finds an id in any topic, and needs a topic for all else", async () => {
  const found = { messageId: "7F", topic: "orders", queueId: 0, offset: 1, body: "x" };
  const api = await fakeApi(() => ({ status: 200, json: { messages: [found] } }));

  const byId = await run(["message", "query", "--id", "7F", "--url", api.url]);
  const byKey = await run(["message", "query", "--key", "k", "--url", api.url]);
  await api.close();

  assert.equal(byId.exitCode, 0);
  assert.match(byId.out, /7F +orders/);
  assert.deepEqual([byKey.exitCode, api.seen.length], [2, 1]);
});

test("message explain names what is known of a message, and nothing else", async () => {
  const causes = [{ cause: "unknown-group", sentence: "There is none.", command: null }];
  const api = await fakeApi(({ url }) => {
    const place = { queueId: null, offset: null, group: "g", causes };
    const known = url.includes("/messages/") ? { messageId: "7F", topic: "" } : { topic: "orders" };
    return { status: 200, json: { messageId: null, ...place, ...known } };
  });
  const head = async (...words: string[]) => {
    return (await run(["message", "explain", ...words, "-g", "g", "--url", api.url])).out;
  };

  const heads = [await head("7F"), await head("-t", "orders", "--queue", "0", "--offset", "9")];
  await api.close();

  assert.deepEqual(heads.map((text) => text.split("\n")[0]), [
    "Message 7F, for group g:",
    "Message in topic orders, for group g:",
  ]);
});

test("group list shows the waits that count", async () => {
  const retryBackoff = { firstMs: 1_000, maxMs: 600_000, factor: 2, jitter: 0.2 };
  const groups = [{ name: "mailer", settings: { retryDelaysMs: [10_000], retryBackoff } }];
  const api = await fakeApi(() => ({ status: 200, json: { groups, next: null } }));

  const { out } = await run(["group", "list", "--url", api.url]);
  await api.close();

  assert.match(out, /mailer .* 1 s times 2 up to 10 min/);
});

test("runProgram() refuses an address of another protocol, and exits with 2", async () => {
  const { exitCode, err } = await run(["topic", "list", "--url", "ftp://x"]);

  assert.equal(exitCode, 2);
  assert.match(err, /"ftp:\/\/x" is not an HTTP address/);
});

test("transaction commit exits with 1 when the first verdict was another one", async () => {
  const api = await fakeApi(({ method }) =>
    method === "GET"
      ? { status: 200, json: { transactions: [], count: 0, next: null } }
      : { status: 200, json: { state: "rolled-back", first: false } }
  );

  const late = await run(["transaction", "commit", "0.1.x", "--url", api.url]);
  const none = await run(["transaction", "rollback", "--all-parked", "--url", api.url]);
  await api.close();

  assert.deepEqual([late.exitCode, late.out], [1, "0.1.x  rolled-back (before)\n"]);
  assert.deepEqual([none.exitCode, none.err], [0, "No transaction is parked.\n"]);
});
