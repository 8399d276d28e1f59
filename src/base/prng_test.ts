import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "./prng.ts";

function draw(seed: number, count: number): number[] {
  const random = new Prng(seed);
  return Array.from({ length: count }, () => random.next());
}

test("Prng repeats its sequence for its seed, and another for another", () => {
  assert.deepEqual(draw(7, 20), draw(7, 20));
  assert.notDeepEqual(draw(7, 20), draw(8, 20));
  assert.notDeepEqual(draw(7, 20), draw(7 + 2 ** 32, 20));
});

test("Prng gives the same numbers in every release: saved seeds stay failures", () => {
  assert.deepEqual(draw(1, 3), [393_288_148, 2_174_103_013, 3_814_759_091]);
});

test("Prng.int() reaches every value of its range and none beyond", () => {
  const random = new Prng(3);
  const seen = new Map<number, number>();
  for (let round = 0; round < 6000; round++) {
    const value = random.int(6);
    seen.set(value, (seen.get(value) ?? 0) + 1);
  }

  assert.deepEqual([...seen.keys()].sort(), [0, 1, 2, 3, 4, 5]);
  for (const count of seen.values()) assert.ok(count > 850 && count < 1150, `${count} of 1000`);
});

test("Prng.between() includes both ends", () => {
  const random = new Prng(4);
  const seen = new Set(Array.from({ length: 200 }, () => random.between(-1, 1)));

  assert.deepEqual([...seen].sort((a, b) => a - b), [-1, 0, 1]);
});

test("Prng.chance() never happens at 0, always at 1, half the time at 0.5", () => {
  const random = new Prng(5);
  let halves = 0;
  for (let round = 0; round < 2000; round++) {
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
    if (random.chance(0.5)) halves++;
  }

  assert.ok(halves > 900 && halves < 1100, `${halves} of 1000`);
});

test("Prng.bytes() gives as many as were asked for, of every value", () => {
  const bytes = new Prng(6).bytes(10_001);

  assert.equal(bytes.length, 10_001);
  assert.equal(new Set(bytes).size, 256);
});

test("Prng.pick() refuses an empty list", () => {
  assert.throws(() => new Prng(1).pick([]), /something to pick from/);
});

test("Prng.shuffle() keeps every item", () => {
  const items = new Prng(9).shuffle([1, 2, 3, 4, 5, 6, 7, 8]);

  assert.notDeepEqual(items, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual([...items].sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("Prng.fork() is not moved by draws made from its parent later", () => {
  const parent = new Prng(11);
  const child = parent.fork();
  parent.next();

  assert.equal(child.next(), new Prng(11).fork().next());
});
