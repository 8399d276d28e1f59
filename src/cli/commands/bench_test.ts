import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeAnswer, fakeApi, problem, receiptsFor } from "../../../tests/support/fake_api.ts";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { runProgram } from "../program.ts";
import { rootFamily } from "../root.ts";

const root = rootFamily({
  readSettings: () => Promise.reject(new Error("not asked for here")),
  inspect: () => Promise.reject(new Error("not asked for here")),
  runImport: () => Promise.reject(new Error("not asked for here")),
});

/** Runs `bench send` over HTTP. Answers over how many queues, and what was asked. */
async function queuesOf(words: readonly string[], put: FakeAnswer) {
  const api = await fakeApi((request) => {
    if (request.method === "PUT") return put;
    if (request.method === "GET") return { status: 200, json: { settings: { queues: 4 } } };
    return receiptsFor(request);
  });
  const sizes = ["--connections", "1", "--seconds", "1", "--warmup", "0", "--body-bytes", "1"];
  const all = ["bench", "send", "--protocol", "http", ...sizes, ...words, "--json"];
  const host = fakeHost([...all, "--url", api.url]);
  await runProgram(root, host);
  await api.close();
  const { reports: [{ settings: { queues } }] } = JSON.parse(host.out.text);
  const asked = api.seen.filter(({ method }) => method !== "POST").map(({ method }) => method);
  return { queues, asked: asked.join(" "), made: api.seen[0]?.json?.["queues"] };
}

const made = { status: 201, json: {} };
const exists = () => problem(409, "topic_exists", "It exists with other settings");

test("bench send makes its topic with eight queues, or as many as it is told", async () => {
  assert.deepEqual(await queuesOf([], made), { queues: 8, asked: "PUT", made: 8 });
  assert.deepEqual(await queuesOf(["--queues", "3"], made), { queues: 3, asked: "PUT", made: 3 });
});

test("bench send takes the queues of a topic that is there, and no more", async () => {
  assert.equal((await queuesOf([], exists())).queues, 4);
  assert.equal((await queuesOf(["--queues", "2"], exists())).queues, 2);
  assert.equal((await queuesOf(["--queues", "9"], exists())).queues, 4);
  assert.equal((await queuesOf([], exists())).asked, "PUT GET");
});

test("bench send asks no broker that may lack our API about the topic", async () => {
  const { queues, asked } = await queuesOf(["--no-create"], made);
  assert.deepEqual([queues, asked], [8, ""]);
});
