import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { OwnProcess } from "../../../tests/support/own_process.ts";
import { systemFiles } from "./files.ts";

async function withFolder(story: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "curlew-files-"));
  try {
    await story(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("writeSmall() replaces a file as a whole and leaves nothing else", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "note");
    assert.equal(await systemFiles.readSmall(path), null);
    await systemFiles.writeSmall(path, "first, and longer");
    await systemFiles.writeSmall(path, "second");

    assert.equal(await systemFiles.readSmall(path), "second");
    assert.deepEqual(await systemFiles.list(folder), ["note"]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });
});

test("readSmall() refuses a file over the limit, and says how large it is", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "large");
    await writeFile(path, new Uint8Array(limits.smallFileBytesMax + 1));

    await assert.rejects(
      systemFiles.readSmall(path),
      new RegExp(`Cannot read .*large: ${limits.smallFileBytesMax + 1} bytes`),
    );
  });
});

test("makeDirectory() makes parents, for the owner only, and may find them made", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a", "b");
    await systemFiles.makeDirectory(path);
    await systemFiles.makeDirectory(path);

    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });
});

test("remove(), rename() and sizeBytes() do what they say", async () => {
  await withFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await systemFiles.writeSmall(from, "four");
    await systemFiles.rename(from, to);
    assert.deepEqual(
      [await systemFiles.sizeBytes(from), await systemFiles.sizeBytes(to)],
      [null, 4],
    );
    await systemFiles.remove(to);
    await systemFiles.remove(to);
    assert.equal(await systemFiles.sizeBytes(to), null);
  });
});

test("diskSpace() tells what is free of how much", async () => {
  await withFolder(async (folder) => {
    const { freeBytes, totalBytes } = await systemFiles.diskSpace(folder);

    assert.ok(freeBytes > 0 && freeBytes <= totalBytes, `${freeBytes} of ${totalBytes}`);
  });
});

test("setBallast() takes real room, changes it, and gives it back", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "ballast");
    await systemFiles.setBallast(path, 1_000_000);
    const { size, blocks } = await stat(path);
    assert.deepEqual([size, blocks * 512 >= size], [1_000_000, true]);
    await systemFiles.setBallast(path, 70_000);
    assert.equal(await systemFiles.sizeBytes(path), 70_000);
    await systemFiles.setBallast(path, 0);
    assert.equal(await systemFiles.sizeBytes(path), null);
  });
});

test("lockDirectory() refuses a second holder and names the first", async () => {
  await withFolder(async (folder) => {
    const first = await systemFiles.lockDirectory(folder, 1234);
    assert.ok(first.kind === "locked");
    await first.announce("127.0.0.1:8080");
    const second = await systemFiles.lockDirectory(folder, 5678);

    assert.deepEqual(second, {
      kind: "held",
      holder: { pid: process.pid, address: "127.0.0.1:8080", startedMs: 1234 },
    });
    await first.release();
    const third = await systemFiles.lockDirectory(folder, 5678);
    assert.ok(third.kind === "locked");
    await third.release();
  });
});

test("lockDirectory() refuses while the holder's note cannot be read", async () => {
  await withFolder(async (folder) => {
    const first = await systemFiles.lockDirectory(folder, 1);
    assert.ok(first.kind === "locked");
    await writeFile(join(folder, "curlew.lock.json"), "not a holder");

    assert.deepEqual(await systemFiles.lockDirectory(folder, 2), { kind: "held", holder: null });
    await first.release();
  });
});

test("lockDirectory() passes over a holder that was killed", async () => {
  await withFolder(async (folder) => {
    const child = new OwnProcess(`
      const { systemFiles } = await import(${JSON.stringify(new URL("files.ts", import.meta.url))});
      const { kind } = await systemFiles.lockDirectory(${JSON.stringify(folder)}, 1);
      // The lock must not go with the object it forgets, where the collector can be called.
      await new Promise((resolve) => setTimeout(resolve, 0));
      globalThis.Bun?.gc(true);
      console.log(kind);
      setInterval(() => {}, 1000);`);
    try {
      assert.equal(await child.nextLine(), "locked");
      assert.equal((await systemFiles.lockDirectory(folder, 2)).kind, "held");
    } finally {
      child.signal("SIGKILL");
      await child.exited;
    }

    const lock = await systemFiles.lockDirectory(folder, 3);
    assert.ok(lock.kind === "locked");
    await lock.release();
  });
});
