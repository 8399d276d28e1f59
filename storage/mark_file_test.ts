import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MarkFile, readBoot, readMark } from "./mark_file.ts";

const first = { position: 10, chain: 111 };
const second = { position: 2 ** 45, chain: 0xffff_ffff };
const nobody = { position: 0, chain: 0 };

/** A path for a mark, and its folder gone afterwards. */
function withPath(story: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "curlew-mark-"));
  try {
    story(join(folder, "shard-0.mark"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the given turns, the last of them not power-safe. */
function write(path: string): void {
  const file = new MarkFile(path, 77, 1000, nobody);
  file.note(first, true, 0);
  file.note(second, false, 1);
  file.close();
}

test("readMark() reads what MarkFile.note() said last, both turns and the boot", () => {
  withPath((path) => {
    write(path);

    assert.deepEqual(readMark(path), { written: second, powerSafe: first, boot: 77 });
  });
});

test("readMark() knows no mark where there is no file, or one nobody wrote into", () => {
  withPath((path) => {
    assert.equal(readMark(path), null);
    new MarkFile(path, 1, 1000, nobody).close();
    assert.equal(readMark(path), null);
  });
});

test("readMark() notices every flipped bit, and a file that is too short or too long", () => {
  withPath((path) => {
    write(path);
    const whole = readFileSync(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bent = new Uint8Array(whole);
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bent);
      assert.match(String(readMark(path)), /Cannot trust the mark/, `bit ${bit}`);
    }
    for (const bytes of [whole.subarray(0, 39), new Uint8Array([...whole, 0])]) {
      writeFileSync(path, bytes);
      assert.match(String(readMark(path)), /Cannot trust the mark/);
    }
  });
});

test("MarkFile goes on in a file that is there, from the turn it is given", () => {
  withPath((path) => {
    write(path);
    const again = new MarkFile(path, 78, 1000, second);
    // Opening alone changes nothing: a crash now must leave the old mark.
    assert.deepEqual(readMark(path), { written: second, powerSafe: first, boot: 77 });

    const third = { position: second.position + 1, chain: 5 };
    again.note(third, false, 0);
    again.close();
    assert.deepEqual(readMark(path), { written: third, powerSafe: second, boot: 78 });
  });
});

test("readBoot() is the same number for all of one run of the system", () => {
  assert.equal(readBoot(), readBoot());
});
