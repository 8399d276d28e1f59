import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../src/base/limits.ts";
import { Checkpoints } from "./checkpoints.ts";
import { openDatabase } from "./open.ts";
import type { SqliteClient } from "./session.ts";

type World = {
  readonly path: string;
  readonly client: SqliteClient;
  readonly checkpoints: Checkpoints;
  /** Commits a row of so many bytes, and notes it. */
  write(bytes: number): void;
};

function withCheckpoints(walBytesMax: number, story: (world: World) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "curlew-checkpoints-"));
  const path = join(folder, "a.db");
  const client = openDatabase({ path });
  client.prepare("CREATE TABLE t (a)").all();
  const checkpoints = new Checkpoints(client, path, walBytesMax);
  checkpoints.truncate();
  const insert = client.prepare("INSERT INTO t VALUES (zeroblob(?))");
  const write = (bytes: number) => {
    insert.all(bytes);
    checkpoints.wrote(bytes);
  };
  try {
    story({ path, client, checkpoints, write });
  } finally {
    client.close();
    rmSync(folder, { recursive: true });
  }
}

const halfDue = limits.checkpointBytesMin / 2;

test("Checkpoints.due() waits for the bytes that are worth it, and again after each run", () => {
  withCheckpoints(limits.walBytesMax, ({ checkpoints, write }) => {
    for (let round = 0; round < 2; round++) {
      assert.equal(checkpoints.due(), false);
      write(halfDue);
      assert.equal(checkpoints.due(), false);
      write(halfDue);
      assert.equal(checkpoints.due(), true);
      checkpoints.run();
    }
    assert.equal(checkpoints.count, 3);
  });
});

test("Checkpoints.run() lets the next commit begin the WAL anew", () => {
  withCheckpoints(limits.walBytesMax, ({ checkpoints, write }) => {
    write(halfDue);
    checkpoints.run();
    const bytes = checkpoints.walBytes();
    write(halfDue / 2);

    assert.equal(checkpoints.walBytes(), bytes);
  });
});

test("Checkpoints.truncate() empties the WAL's file", () => {
  withCheckpoints(limits.walBytesMax, ({ checkpoints, write }) => {
    write(halfDue);
    assert.ok(checkpoints.walBytes() >= halfDue);
    checkpoints.truncate();

    assert.equal(checkpoints.walBytes(), 0);
  });
});

test("Checkpoints.assertRoom() refuses while a reader holds the WAL, and no longer", () => {
  withCheckpoints(limits.checkpointBytesMin, ({ path, checkpoints, write }) => {
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM t").get();
    write(2 * halfDue);
    checkpoints.run();
    assert.throws(() => checkpoints.assertRoom(), /A reader keeps it from being emptied/);
    // It did not move everything: the next attempt waits until it may be worth it.
    assert.equal(checkpoints.due(), false);

    reader.exec("COMMIT");
    reader.close();
    checkpoints.run();
    checkpoints.assertRoom();
  });
});

test("Checkpoints.overdue() tells that dropping queues has written much, and nothing else", () => {
  withCheckpoints(limits.walBytesMax, ({ checkpoints, write }) => {
    write(limits.droppedBytesMax);
    assert.deepEqual([checkpoints.due(), checkpoints.overdue()], [true, false]);
    checkpoints.dropped(limits.droppedBytesMax / 8192);
    assert.equal(checkpoints.overdue(), true);
    checkpoints.run();
    assert.equal(checkpoints.overdue(), false);
  });
});

test("Checkpoints tells which part of what it moves dropping queues has written", () => {
  withCheckpoints(limits.walBytesMax, ({ checkpoints, write }) => {
    checkpoints.run();
    assert.equal(checkpoints.dropShare, 0);
    checkpoints.dropped(61);
    assert.equal(checkpoints.dropShare, 1);
    write(29 * 8192);
    write(29 * 8192);
    assert.equal(checkpoints.dropShare, 0.5);
    checkpoints.run();
    assert.equal(checkpoints.dropShare, 0);
  });
});
