import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { Prng } from "../base/prng.ts";
import {
  decodeProperties,
  encodeProperties,
  propertyNames,
  readProperty,
  withoutProperties,
  withProperty,
} from "./properties.ts";

test("encodeProperties() ends every entry, decodeProperties() needs no last end (4.4)", () => {
  const text = encodeProperties([["TAGS", "a"], ["UNIQ_KEY", "X1"]]);

  assert.equal(text, "TAGS\x01a\x02UNIQ_KEY\x01X1\x02");
  assert.deepEqual([...decodeProperties(text.slice(0, -1))], [["TAGS", "a"], ["UNIQ_KEY", "X1"]]);
});

test("decodeProperties() skips what is no entry, and takes the last of equal keys (4.4)", () => {
  const text = "lone\x02\x01no key\x02empty\x01\x02k\x01first\x02k\x01a\x01b\x02k\x01\x02";

  assert.deepEqual([...decodeProperties(text)], [["k", "a\x01b"]]);
  assert.deepEqual([...decodeProperties("")], []);
});

test("encodeProperties() refuses what could not be read back", () => {
  for (const entry of [["a\x01", "b"], ["a", "b\x02"], ["", "b"], ["a", ""]] as const) {
    assert.throws(() => encodeProperties([entry]), { code: "invalid_argument" });
  }
});

test("encodeProperties() allows 32767 bytes and not one more", () => {
  const value = "v".repeat(limits.propertiesBytesMax - 3);

  assert.equal(encodeProperties([["k", value]]).length, limits.propertiesBytesMax);
  assert.throws(() => encodeProperties([["kk", value]]), { code: "message_too_large" });
  assert.throws(() => encodeProperties([["k", "ü".repeat(16_383)]]), { code: "message_too_large" });
});

test("readProperty() is not misled by a name inside another name or value", () => {
  const text = "MY_TAGS\x01x\x02note\x01TAGS\x02TAGS\x01real\x02";

  assert.equal(readProperty(text, propertyNames.tags), "real");
  assert.equal(readProperty(text, "TAG"), undefined);
  assert.equal(readProperty("A\x01TAGS\x01x\x02", "TAGS"), undefined);
});

test("readProperty() agrees with decodeProperties() on any text", () => {
  const prng = new Prng(44);
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: prng.int(12) }, () => prng.pick([..."ab\x01\x02\x01\x02"]))
      .join("");
    for (const name of ["a", "b", "ab"]) {
      assert.equal(readProperty(text, name), decodeProperties(text).get(name), escape(text));
    }
  }
});

test("withProperty() replaces, and ends an entry that was left open", () => {
  assert.equal(withProperty("a\x011\x02b\x012", "a", "3"), "b\x012\x02a\x013\x02");
  assert.equal(withProperty("", "a", "3"), "a\x013\x02");
});

test("withoutProperties() leaves the others as they were", () => {
  const text = "a\x011\x02b\x012\x02a\x013\x02c\x014";

  assert.equal(withoutProperties(text, ["a", "x"]), "b\x012\x02c\x014");
  assert.equal(withoutProperties(text, ["x", "1"]), text);
});

test("withProperty() and withoutProperties() do what a map does", () => {
  const prng = new Prng(45);
  const names = ["a", "ab", "b", "KEYS"];
  let text = "";
  const map = new Map<string, string>();
  for (let round = 0; round < 2_000; round++) {
    const name = prng.pick(names);
    if (prng.chance(0.6)) {
      const value = prng.pick(["a", "b\u00fc", "KEYS", "ab"]);
      text = withProperty(text, name, value);
      map.set(name, value);
    } else {
      text = withoutProperties(text, [name]);
      map.delete(name);
    }
    assert.deepEqual(new Map([...decodeProperties(text)].sort()), new Map([...map].sort()));
  }
});
