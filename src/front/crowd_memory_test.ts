import assert from "node:assert/strict";
import { test } from "node:test";
import { CrowdMemory } from "./crowd_memory.ts";

test("CrowdMemory collects when a crowd has asked enough, and not before", () => {
  let collections = 0;
  const crowd = new CrowdMemory({ collectYoung: () => void collections++ });
  const seen = [0, 500, 750, 751, 1_499, 1_500, 9_000, 9_000].map((chunks) => {
    crowd.look(5_000, chunks);
    return collections;
  });

  assert.deepEqual(seen, [0, 0, 1, 1, 1, 2, 3, 3]);
});

test("CrowdMemory leaves the garbage of few connections to the runtime", () => {
  const crowd = new CrowdMemory({ collectYoung: () => assert.fail("it is no crowd") });
  crowd.look(64, 1_000_000);
});
