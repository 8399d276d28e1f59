import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { StorageError } from "../src/model/errors.ts";
import { applicationId, assertSqliteVersion, openDatabase, readPragma } from "./open.ts";

function withPath(story: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "curlew-open-"));
  try {
    story(join(folder, "a.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function faultOf(open: () => unknown): string {
  try {
    open();
  } catch (thrown) {
    if (thrown instanceof StorageError) return `${thrown.fault}: ${thrown.message}`;
    throw thrown;
  }
  return "none";
}

test("openDatabase() makes a file of ours, in WAL mode, synced, checkpointed by its owner", () => {
  withPath((path) => {
    const client = openDatabase({ path, pageBytes: 4096 });
    const names = ["application_id", "journal_mode", "synchronous", "wal_autocheckpoint"];

    assert.deepEqual(names.map((name) => readPragma(client, name)), [applicationId, "wal", 2, 0]);
    assert.equal(readPragma(client, "page_size"), 4096);
    client.close();
  });
});

test("openDatabase() opens its own file again, whatever its page size", () => {
  withPath((path) => {
    const first = openDatabase({ path, pageBytes: 4096 });
    first.prepare("CREATE TABLE t (a)").all();
    first.close();

    const again = openDatabase({ path });
    assert.equal(readPragma(again, "page_size"), 4096);
    assert.deepEqual(again.prepare("SELECT name FROM sqlite_schema").values(), [["t"]]);
    again.close();
  });
});

test("openDatabase() bounds the file, so that a full disk can be tried", () => {
  withPath((path) => {
    const client = openDatabase({ path, fileBytesMax: 100 * 8192 });

    assert.equal(readPragma(client, "max_page_count"), 100);
    client.close();
  });
});

test("openDatabase() refuses what is not a file of Curlew's, and leaves it as it is", () => {
  withPath((path) => {
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE theirs (a)");
    foreign.close();
    assert.match(faultOf(() => openDatabase({ path })), /^damaged: .* is not a file of Curlew's/);

    const after = new DatabaseSync(path);
    assert.deepEqual({ ...after.prepare("PRAGMA journal_mode").get() }, { journal_mode: "delete" });
    after.close();
    writeFileSync(path, "not a database at all, but long enough to be looked into".repeat(100));
    assert.match(faultOf(() => openDatabase({ path })), /^damaged: Cannot open /);
  });
});

test("openDatabase() says which file it could not open", () => {
  withPath((path) => {
    const inside = join(path, "b.db");
    writeFileSync(path, "");
    const fault = faultOf(() => openDatabase({ path: inside }));
    assert.ok(fault.startsWith(`io: Cannot open ${inside}`), fault);
  });
});

test("assertSqliteVersion() takes the version with the repair and newer ones", () => {
  for (const version of ["3.51.3", "3.51.10", "3.52.0", "4.0.0"]) assertSqliteVersion(version);
  for (const version of ["3.51.2", "3.50.9", "2.99.99", "three"]) {
    assert.throws(() => assertSqliteVersion(version), /3\.51\.3 or newer is needed/, version);
  }
});
