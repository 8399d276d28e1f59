import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";
import { DamagedRows } from "./damaged_rows.ts";

/** Reads rows of which some are bad. */
function reader(...bad: number[]) {
  const damaged = new DamagedRows();
  const read = ({ id }: { readonly id: number }) => {
    if (bad.includes(id)) throw new StorageError("damaged", `row ${id}`);
    return id;
  };
  const good = (ids: readonly number[], countMax = 10) =>
    damaged.good(ids.map((id) => ({ id })), countMax, read);
  return { damaged, good };
}

test("good() tells of a bad row once and passes over it from then on", () => {
  const { damaged, good } = reader(1, 3);
  assert.throws(() => good([1, 2, 3, 4]), /row 1/);
  assert.deepEqual([good([1, 2, 3, 4]), damaged.count], [[2, 4], 2]);
  assert.deepEqual([damaged.has(1), damaged.has(2)], [true, false]);
});

test("good() answers no more than was asked for", () => {
  const { good } = reader();
  assert.deepEqual(good([1, 2, 3], 2), [1, 2]);
});

test("good() gives a file up that has too many bad rows", () => {
  const ids = Array.from({ length: limits.damagedRowsMax + 1 }, (_, at) => at);
  const { good } = reader(...ids);
  assert.throws(() => good(ids), StorageError);
  assert.throws(() => good(ids), StorageError);
});
