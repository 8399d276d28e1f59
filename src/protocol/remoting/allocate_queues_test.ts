import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerError } from "../../model/errors.ts";
import { allocateQueues } from "./allocate_queues.ts";

for (const strategy of ["AVG", "AVG_BY_CIRCLE"]) {
  test(`allocateQueues() by ${strategy} gives each queue to one member, sharing evenly`, () => {
    for (const queues of [0, 1, 3, 8, 17]) {
      for (const count of [1, 2, 3, 5, 20]) {
        const members = Array.from({ length: count }, (_, n) => `c${n}`);
        const shares = members.map((one) => allocateQueues(strategy, queues, members, one));

        const all = shares.flat().sort((one, other) => one - other);
        assert.deepEqual(all, Array.from({ length: queues }, (_, queueId) => queueId));
        const sizes = shares.map((share) => share.length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }
    }
  });
}

test("allocateQueues() goes by the order of names, whoever came first or twice", () => {
  assert.deepEqual(allocateQueues("AVG", 4, ["b", "a", "b"], "a"), [0, 1]);
  assert.deepEqual(allocateQueues("AVG_BY_CIRCLE", 4, ["b", "a", "b"], "b"), [1, 3]);
});

test("allocateQueues() gives a stranger nothing, and refuses a strategy nobody knows", () => {
  assert.deepEqual(allocateQueues("AVG", 4, ["a"], "b"), []);
  assert.throws(() => allocateQueues("DICE", 4, ["a"], "a"), BrokerError);
});
