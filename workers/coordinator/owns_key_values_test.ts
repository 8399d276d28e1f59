import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { firstCounters } from "../../src/model/registry.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import { OwnsKeyValues } from "./owns_key_values.ts";

/** Keeps one namespace's keys, and says it holds `count` of them. */
function storeOf(values: Map<string, string>, count = () => values.size): MetaStore {
  return {
    start: {
      registry: { topics: [], groups: [], counters: firstCounters },
      receiptSecret: new Uint8Array(32),
      bootEpoch: 1,
    },
    save: () => assert.fail("no topic is changed"),
    keyValue: (_namespace, key) => values.get(key) ?? null,
    putKeyValue: (_namespace, key, value) => {
      if (value === null) values.delete(key);
      else values.set(key, value);
    },
    keyValues: () => Object.fromEntries(values),
    keyValueCount: count,
    close: () => {},
  };
}

function codeOf(work: () => void): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "fine";
}

test("OwnsKeyValues.put() takes names and values up to their bounds", () => {
  const owner = new OwnsKeyValues(storeOf(new Map()));
  const long = "k".repeat(limits.keyLengthInNamespaceMax);
  const value = "v".repeat(limits.keyValueLengthMax);

  assert.equal(codeOf(() => owner.put(long, long, value)), "fine");
  assert.equal(codeOf(() => owner.put("n", "k", "")), "fine");
  const refused = [
    ["", "k", "v"],
    [`${long}k`, "k", "v"],
    ["n", "", "v"],
    ["n", `${long}k`, "v"],
    ["n", "k", `${value}v`],
  ] as const;
  for (const [namespace, key, text] of refused) {
    assert.equal(codeOf(() => owner.put(namespace, key, text)), "invalid_argument");
  }
});

test("OwnsKeyValues.put() with all keys taken still replaces and deletes", () => {
  const owner = new OwnsKeyValues(storeOf(new Map([["k", "1"]]), () => limits.keyValuesMax));

  assert.equal(codeOf(() => owner.put("n", "new", "1")), "limit_exceeded");
  owner.put("n", "k", "2");
  assert.deepEqual(owner.list("n"), { k: "2" });
  owner.put("n", "k", null);
  assert.equal(owner.get("n", "k"), null);
});
