import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "./prng.ts";
import { Ring } from "./ring.ts";

test("Ring refuses an item beyond its bound", () => {
  const ring = new Ring<number>(2);

  assert.deepEqual([ring.push(1), ring.push(2), ring.push(3)], [true, true, false]);
  assert.deepEqual([[...ring], ring.full], [[1, 2], true]);
});

test("Ring.pushOver() loses the oldest of a full ring", () => {
  const ring = new Ring<number>(2);

  assert.deepEqual([ring.pushOver(1), ring.pushOver(2), ring.pushOver(3)], [
    undefined,
    undefined,
    1,
  ]);
  assert.deepEqual([...ring], [2, 3]);
});

test("Ring agrees with an array, for random pushes and shifts", () => {
  const random = new Prng(1);
  for (let round = 0; round < 50; round++) {
    const ring = new Ring<number>(100);
    const model: number[] = [];
    for (let step = 0; step < 1000; step++) {
      if (random.chance(0.55)) {
        const accepted = ring.push(step);
        assert.equal(accepted, model.length < 100);
        if (accepted) model.push(step);
      } else {
        assert.equal(ring.peek(), model[0]);
        assert.equal(ring.shift(), model.shift());
      }
      assert.equal(ring.size, model.length);
    }
    assert.deepEqual([...ring], model);
  }
});

test("Ring.clear() forgets everything", () => {
  const ring = new Ring<number>(20);
  for (let item = 0; item < 20; item++) ring.push(item);
  ring.clear();

  assert.deepEqual([[...ring], ring.peek(), ring.shift()], [[], undefined, undefined]);
});
