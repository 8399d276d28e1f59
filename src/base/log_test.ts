import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "./limits.ts";
import {
  createLog,
  jsonLine,
  type LogLevel,
  type LogRecord,
  plainLine,
  safeText,
  silentLog,
} from "./log.ts";

function recordingLog(levelMin?: LogLevel) {
  const records: LogRecord[] = [];
  const options = { sink: (record: LogRecord) => void records.push(record), wallMs: () => 1000 };
  return { records, log: createLog(levelMin ? { ...options, levelMin } : options) };
}

test("Log leaves out what is below its level", () => {
  const { records, log } = recordingLog("warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");

  assert.deepEqual(records.map((record) => `${record.level} ${record.event}`), [
    "warn c",
    "error d",
  ]);
  assert.deepEqual([log.enabled("info"), log.enabled("warn")], [false, true]);
});

test("Log is quiet about debug unless asked", () => {
  const { records, log } = recordingLog();
  log.debug("a");
  log.info("b");

  assert.deepEqual(records.map((record) => record.event), ["b"]);
});

test("Log.child() adds its fields, and a record's own fields win", () => {
  const { records, log } = recordingLog();
  log.child({ shard: 1, part: "turn" }).child({ part: "read" }).info("x", { count: 2 });

  assert.deepEqual(records[0]?.fields, { shard: 1, part: "read", count: 2 });
});

test("Log escapes what a client could forge a line with", () => {
  const { records, log } = recordingLog();
  log.info("x", { clientId: "a\nlevel=error\u001b[2J\u202e" });

  assert.equal(records[0]?.fields["clientId"], "a\\u000alevel=error\\u001b[2J\\u202e");
});

test("Log writes an error with its causes", () => {
  const { records, log } = recordingLog();
  const cause = new RangeError("no room");
  log.error("x", { error: new Error("Cannot append", { cause }) });

  assert.equal(records[0]?.fields["error"], "Error: Cannot append (RangeError: no room)");
});

test("Log follows causes a bounded way, even in a circle", () => {
  const { records, log } = recordingLog();
  const error = new Error("round");
  error.cause = error;
  log.error("x", { error });

  assert.equal(String(records[0]?.fields["error"]).match(/round/g)?.length, 5);
});

test("Log drops undefined fields and turns bigints into text", () => {
  const { records, log } = recordingLog();
  log.info("x", { absent: undefined, big: 10n ** 20n, none: null });

  assert.deepEqual(records[0]?.fields, { big: "100000000000000000000", none: null });
});

test("Log keeps no more fields than its bound", () => {
  const { records, log } = recordingLog();
  log.info("x", Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, n])));

  assert.equal(Object.keys(records[0]?.fields ?? {}).length, limits.logFieldsMax);
});

test("safeText() cuts what is too long and says how long it was", () => {
  const cut = safeText("x".repeat(5000));

  assert.ok(cut.length < limits.logTextLengthMax + 40);
  assert.match(cut, /… \(5000 characters\)$/);
});

test("jsonLine() is one line of JSON whose own fields cannot be hidden", () => {
  const { records, log } = recordingLog();
  log.warn("disk.low", { freeBytes: 5, level: "forged", event: "forged" });

  assert.deepEqual(JSON.parse(jsonLine(records[0] as LogRecord)), {
    freeBytes: 5,
    time: "1970-01-01T00:00:01.000Z",
    level: "warn",
    event: "disk.low",
  });
});

test("plainLine() quotes text and leaves numbers bare", () => {
  const { records, log } = recordingLog();
  log.warn("disk.low", { freeBytes: 5, path: "/a b" });

  assert.equal(
    plainLine(records[0] as LogRecord),
    '1970-01-01T00:00:01.000Z warn  disk.low freeBytes=5 path="/a b"',
  );
});

test("silentLog takes everything and gives nothing", () => {
  silentLog.child({ a: 1 }).error("x");

  assert.equal(silentLog.enabled("error"), false);
});
