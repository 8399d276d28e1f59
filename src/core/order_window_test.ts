import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderWindow } from "./order_window.ts";

function windowWith(...entries: [string, number][]): OrderWindow {
  const window = new OrderWindow();
  for (const [key, offset] of entries) window.add(key, offset);
  return window;
}

test("OrderWindow lets only the first open message of a key through", () => {
  const window = windowWith(["a", 12], ["b", 13], ["a", 15]);

  assert.deepEqual([12, 13, 15].map((offset) => window.isFirst(offset)), [true, true, false]);
  assert.equal(window.isBlocked("a"), true);
  assert.equal(window.isBlocked("c"), false);
});

test("OrderWindow moves a key on when its first message is finished, and says so", () => {
  const window = windowWith(["a", 12], ["a", 15]);

  assert.equal(window.remove(12), true);
  assert.equal(window.isFirst(15), true);
  assert.equal(window.remove(15), false);
  assert.equal(window.keyCount, 0);
});

test("OrderWindow does not move a key on when a later message is finished", () => {
  const window = windowWith(["a", 12], ["a", 15], ["a", 21]);

  assert.equal(window.remove(15), false);
  assert.equal(window.isFirst(21), false);
  assert.equal(window.behind(12), 1);
  assert.equal(window.firstOf(21), 12);
});

test("OrderWindow knows nothing of offsets that are not open", () => {
  const window = windowWith();

  assert.equal(window.isFirst(7), true);
  assert.equal(window.remove(7), false);
  assert.equal(window.keyOf(7), undefined);
});
