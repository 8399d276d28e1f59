import assert from "node:assert/strict";
import { test } from "node:test";
import { recordWith } from "../tests/contract/shard_store_contract.ts";
import { forEachKeyHash, keyHash } from "./record_keys.ts";

function hashes(bytes: Uint8Array, start = 0, size = bytes.length): number[] {
  const found: number[] = [];
  forEachKeyHash(bytes, start, size, (hash) => found.push(hash));
  return found;
}

function hashOf(key: string): number {
  return keyHash(new TextEncoder().encode(key));
}

test("forEachKeyHash() finds the unique key and each word of the keys, in any order", () => {
  const record = recordWith({ TAGS: "a", KEYS: " red  green ", WAIT: "true", UNIQ_KEY: "id" });

  assert.deepEqual(hashes(record), ["red", "green", "id"].map(hashOf));
});

test("forEachKeyHash() stays inside its record, with or without the last separator", () => {
  const record = recordWith({ UNIQ_KEY: "id" });
  const bare = record.slice(0, -1);
  new DataView(bare.buffer).setInt32(0, bare.length);
  const two = new Uint8Array([...bare, ...record]);

  assert.deepEqual(hashes(two, 0, bare.length), [hashOf("id")]);
  assert.deepEqual(hashes(two, bare.length, record.length), [hashOf("id")]);
});

test("forEachKeyHash() finds nothing in bytes that are no record, however they are cut", () => {
  const record = recordWith({ UNIQ_KEY: "id", KEYS: "red" });

  for (let size = 0; size < record.length; size++) assert.deepEqual(hashes(record, 0, size), []);
  assert.deepEqual(hashes(new Uint8Array(200).fill(0xff)), []);
});
