/** The contract of `ShardStore`, on the simulated store, and the faults only it has. @module */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "../../src/model/errors.ts";
import {
  shardStoreContract,
  type StoreBench,
  texts,
  turn,
} from "../contract/shard_store_contract.ts";
import { waitingContract } from "../contract/waiting_contract.ts";
import { SimDisk, SimulatedCrash, type WriteFate } from "./sim_store.ts";

function simulated(): StoreBench {
  const disk = new SimDisk();
  return { open: () => disk.open(), remove: () => {} };
}

shardStoreContract("simulated", simulated);
waitingContract("simulated", simulated);

/** What queue 7 holds after a write with this fate, by the store that wrote and by the next one. */
function written(fate: WriteFate): { thrown: unknown; after: string[] } {
  const disk = new SimDisk();
  const store = disk.open();
  disk.fateOf = () => fate;
  let thrown: unknown = null;
  try {
    store.commit(turn(store, [{ queueKey: 7, text: "a" }]));
  } catch (error) {
    thrown = error;
  }
  return { thrown, after: texts(disk.open(), 7) };
}

test("SimStore.commit() leaves nothing when it fails before, all when it fails after", () => {
  const fates: WriteFate[] = ["full", "io-before", "crash-before", "io-after", "crash-after"];
  const left = fates.map((fate) => `${fate}: ${written(fate).after.join()}`);

  assert.deepEqual(left, [
    "full: ",
    "io-before: ",
    "crash-before: ",
    "io-after: a",
    "crash-after: a",
  ]);
});

test("SimStore.commit() tells a fault of the store from the end of the process", () => {
  const full = written("full").thrown;
  const io = written("io-after").thrown;

  assert.ok(full instanceof StorageError && full.fault === "full");
  assert.ok(io instanceof StorageError && io.fault === "io");
  assert.ok(written("crash-before").thrown instanceof SimulatedCrash);
});

test("SimStore is dead after a failed write, and goes on after a full disk", () => {
  const disk = new SimDisk();
  const fates: WriteFate[] = ["full", "io-before"];
  disk.fateOf = () => fates.shift() ?? "done";
  const store = disk.open();

  assert.throws(() => store.commit(turn(store, [{ queueKey: 7, text: "a" }])), StorageError);
  assert.equal(store.nextPosition(), 1);
  assert.throws(() => store.commit(turn(store, [{ queueKey: 7, text: "b" }])), StorageError);
  assert.throws(() => store.nextPosition(), StorageError);
});

test("SimDisk.cutPower() loses what no power-loss turn followed, and names it", () => {
  const disk = new SimDisk();
  const store = disk.open();
  const add = (text: string, durability: "process-crash" | "power-loss") =>
    store.commit(turn(store, [{ queueKey: 7, text }], { durability }));
  add("a", "process-crash");
  add("b", "power-loss");
  add("c", "process-crash");
  add("d", "process-crash");

  assert.deepEqual(disk.cutPower().map((message) => message.queueOffset), [2, 3]);
  assert.deepEqual(texts(disk.open(), 7), ["a", "b"]);
});

test("SimDisk.crash() loses nothing that was written", () => {
  const disk = new SimDisk();
  const store = disk.open();
  store.commit(turn(store, [{ queueKey: 7, text: "a" }], { durability: "process-crash" }));
  disk.crash();

  assert.deepEqual(texts(disk.open(), 7), ["a"]);
});
