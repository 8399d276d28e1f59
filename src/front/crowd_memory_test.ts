import assert from "node:assert/strict";
import { test } from "node:test";
import type { Memory } from "../ports/memory.ts";
import { CrowdMemory } from "./crowd_memory.ts";

/** Counts collections. */
class Counted implements Memory {
  young = 0;
  all = 0;

  collectYoung(): void {
    this.young++;
  }

  collectAll(): void {
    this.all++;
  }
}

test("CrowdMemory collects when a crowd has asked enough, and not before", () => {
  const memory = new Counted();
  const crowd = new CrowdMemory(memory);
  const seen = [0, 500, 750, 751, 1_499, 1_500, 9_000, 9_000].map((chunks) => {
    crowd.look(5_000, chunks);
    return memory.young;
  });

  assert.deepEqual(seen, [0, 0, 1, 1, 1, 2, 3, 3]);
});

test("CrowdMemory collects everything once when a crowd has arrived", () => {
  const memory = new Counted();
  const crowd = new CrowdMemory(memory);
  const looks = (count: number, connections: number) => {
    for (let look = 0; look < count; look++) crowd.look(connections, 0);
    return memory.all;
  };
  for (let connections = 100; connections < 3_000; connections += 100) looks(1, connections);
  assert.equal(looks(40, 3_000), 0);
  assert.equal(looks(1, 3_000), 1);
  assert.equal(looks(100, 3_000), 1);
  assert.equal(looks(100, 3_900), 1, "a few more are no crowd");
  assert.equal(looks(100, 4_000), 2);
  looks(1, 500);
  assert.equal(looks(100, 4_000), 3, "it left, and came again");
});

test("CrowdMemory leaves the garbage of few connections to the runtime", () => {
  const memory = new Counted();
  const crowd = new CrowdMemory(memory);
  for (let look = 0; look < 100; look++) crowd.look(64, look * 1_000);
  assert.deepEqual([memory.young, memory.all], [0, 0]);
});
