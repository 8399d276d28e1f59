/** A checker that finds nothing must be known to find something. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { check, type Evidence, faultsOf } from "./checker.ts";
import { Ledger } from "./ledger.ts";

/** Ten messages over two queues, each acknowledged, stored and delivered where it should be. */
function soundRun(): Evidence {
  const stored = Array.from({ length: 10 }, (_, at) => {
    return { queueId: at < 5 ? 0 : 1, offset: at % 5, body: `body ${at}` };
  });
  const sent = new Set(stored.map(({ body }) => body));
  return { ledger: { sent, acks: stored }, stored, delivered: stored };
}

test("check finds nothing in a sound run", () => {
  const findings = check(soundRun());
  assert.deepEqual(faultsOf(findings), []);
  assert.equal(findings.duplicates, 0);
});

test("check finds an acknowledged message that is not stored", () => {
  const run = soundRun();
  const { lost } = check({ ...run, stored: run.stored.slice(0, -1) });
  assert.deepEqual(lost, ['"body 9" was acknowledged at 1/4']);
});

test("check finds an acknowledgement nobody gave", () => {
  const run = soundRun();
  const acks = [...run.ledger.acks, { queueId: 1, offset: 5, body: "invented" }];
  assert.equal(check({ ...run, ledger: { ...run.ledger, acks } }).lost.length, 1);
});

test("check finds a body that changed in its place", () => {
  const run = soundRun();
  const stored = run.stored.map((each) => each.offset === 2 ? { ...each, body: "body 0" } : each);
  const findings = check({ ...run, stored });
  assert.equal(findings.lost.length, 2);
  assert.ok(findings.torn.length >= 2);
  assert.equal(findings.duplicates, 2);
});

test("check finds an offset that named another message to a consumer before", () => {
  const run = soundRun();
  const delivered = [{ queueId: 0, offset: 1, body: "body 7" }];
  assert.equal(check({ ...run, delivered }).torn.length, 1);
});

test("check finds a message nobody sent, and a queue with a hole", () => {
  const run = soundRun();
  const stored = [...run.stored, { queueId: 1, offset: 7, body: "from nowhere" }];
  const findings = check({ ...run, stored });
  assert.deepEqual(findings.phantoms, ["from nowhere"]);
  assert.deepEqual(findings.gaps, ["queue 1 goes from 4 to 7"]);
});

test("Ledger reads back what was noted", () => {
  const folder = mkdtempSync(join(tmpdir(), "curlew-ledger-"));
  try {
    const ledger = new Ledger(join(folder, "ledger.jsonl"));
    ledger.noteSent(["a", "b"]);
    ledger.noteAcked([{ body: "a", queueId: 3, offset: 4 }]);
    assert.deepEqual(ledger.finish(), {
      sent: new Set(["a", "b"]),
      acks: [{ body: "a", queueId: 3, offset: 4 }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
