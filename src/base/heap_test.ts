import assert from "node:assert/strict";
import { test } from "node:test";
import { MinHeap } from "./heap.ts";
import { Prng } from "./prng.ts";

function drain(heap: MinHeap<number>): number[] {
  const out: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) out.push(item);
  return out;
}

test("MinHeap hands out the lowest priority first", () => {
  const heap = new MinHeap<string>((text) => text.length);
  for (const text of ["ccc", "a", "dddd", "bb"]) heap.push(text);

  assert.equal(heap.peek(), "a");
  assert.deepEqual([heap.pop(), heap.pop(), heap.pop(), heap.pop()], ["a", "bb", "ccc", "dddd"]);
});

test("MinHeap has nothing to give when it is empty", () => {
  const heap = new MinHeap<number>((item) => item);

  assert.deepEqual([heap.peek(), heap.pop(), heap.size], [undefined, undefined, 0]);
});

test("MinHeap agrees with sorting, for random pushes and pops", () => {
  const random = new Prng(42);
  for (let round = 0; round < 200; round++) {
    const heap = new MinHeap<number>((item) => item);
    const model: number[] = [];
    for (let step = 0; step < 100; step++) {
      if (random.chance(0.6)) {
        const item = random.int(50);
        heap.push(item);
        model.push(item);
        model.sort((a, b) => a - b);
      } else {
        assert.equal(heap.pop(), model.shift());
      }
      assert.equal(heap.size, model.length);
    }
    assert.deepEqual(drain(heap), model);
  }
});

test("MinHeap.clear() forgets everything", () => {
  const heap = new MinHeap<number>((item) => item);
  heap.push(1);
  heap.push(2);
  heap.clear();
  heap.push(3);

  assert.deepEqual(drain(heap), [3]);
});
