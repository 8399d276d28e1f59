import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { systemFiles } from "../../runtime/node/files.ts";
import { emptyState, parseState, StateFile } from "./state.ts";

test("parseState() refuses what is no state, and that of another import", () => {
  const text = JSON.stringify(emptyState("rocketmq://a:1", "b:2"));

  assert.deepEqual(parseState(text, "p", "rocketmq://a:1", "b:2"), JSON.parse(text));
  const told = (found: string, source: string, target: string) => () =>
    parseState(found, "p", source, target);
  assert.throws(told(text, "rocketmq://c:1", "b:2"), /of an import from rocketmq:\/\/a:1/);
  assert.throws(told(text, "rocketmq://a:1", "d:2"), /of an import to b:2, not d:2/);
  assert.throws(told("{", "rocketmq://a:1", "b:2"), /p is not the state of an import/);
  assert.throws(told(`{"format":2}`, "rocketmq://a:1", "b:2"), /is not the state of an import/);
});

test("StateFile.read() begins empty, and goes on with what was written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "curlew-import-state-"));
  try {
    const path = join(folder, "state.json");
    const file = new StateFile(path, systemFiles);
    const first = await file.read(fakeHost([]), "s", "t");
    first.queues.push({
      topic: "t",
      broker: "b",
      queueId: 0,
      targetQueueId: 0,
      firstOffset: 3,
      next: 5,
      targetBase: 0,
      targetNext: 2,
      stretches: [[3, 0, 2]],
      skipped: 0,
      digest: 7,
    });
    await file.write(first);

    const bytes = new TextEncoder().encode(JSON.stringify(first));
    const second = await file.read(fakeHost([], { files: { [path]: bytes } }), "s", "t");

    assert.deepEqual(second, first);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
