import assert from "node:assert/strict";
import { test } from "node:test";
import { Lru } from "./lru.ts";

test("Lru lets go of the entry that was not used for longest", () => {
  const gone: string[] = [];
  const cache = new Lru<string, number>({ countMax: 2, onEvict: (key) => gone.push(key) });
  cache.set("a", 1);
  cache.set("b", 2);
  cache.get("a");
  cache.set("c", 3);

  assert.deepEqual([gone, [...cache.keys()]], [["b"], ["a", "c"]]);
});

test("Lru.peek() and has() do not count as use", () => {
  const cache = new Lru<string, number>({ countMax: 2 });
  cache.set("a", 1);
  cache.set("b", 2);
  assert.equal(cache.peek("a"), 1);
  assert.equal(cache.has("a"), true);
  cache.set("c", 3);

  assert.deepEqual([...cache.keys()], ["b", "c"]);
});

test("Lru holds its bytes within the bound, and gives back what leaves", () => {
  const cache = new Lru<string, string>({
    countMax: 100,
    bytesMax: 10,
    bytesOf: (text) => text.length,
  });
  cache.set("a", "1234");
  cache.set("b", "1234");
  assert.equal(cache.bytes, 8);
  cache.set("c", "123456");
  assert.deepEqual([[...cache.keys()], cache.bytes], [["b", "c"], 10]);
  cache.set("c", "1");
  assert.equal(cache.bytes, 5);
  cache.delete("b");
  assert.equal(cache.bytes, 1);
  cache.clear();
  assert.deepEqual([cache.bytes, cache.size], [0, 0]);
});

test("Lru.set() refuses an entry that alone is over the bound, and drops the older value", () => {
  const cache = new Lru<string, string>({ countMax: 9, bytesMax: 3, bytesOf: (t) => t.length });
  cache.set("a", "old");

  assert.equal(cache.set("a", "far too long"), false);
  assert.deepEqual([cache.has("a"), cache.bytes], [false, 0]);
});

test("Lru keeps a value that is undefined", () => {
  const cache = new Lru<string, undefined>({ countMax: 1 });
  cache.set("a", undefined);

  assert.equal(cache.has("a"), true);
  assert.equal(cache.delete("a"), true);
  assert.equal(cache.delete("a"), false);
});

test("Lru without bytesOf refuses a bound in bytes", () => {
  assert.throws(() => new Lru({ countMax: 1, bytesMax: 10 }), /can be measured/);
});
