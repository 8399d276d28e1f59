import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { KnownAddresses } from "./known_addresses.ts";

const url = "http://127.0.0.1:8080/v1/topics/a";

test("KnownAddresses finds what was kept, by method and address", () => {
  const known = new KnownAddresses<string>();
  known.keep("GET", url, "show");
  known.keep("DELETE", url, "delete");

  assert.equal(known.find("GET", url), "show");
  assert.equal(known.find("DELETE", url), "delete");
  assert.equal(known.find("PUT", url), undefined);
  assert.equal(known.find("GET", `${url}/count`), undefined);
});

test("KnownAddresses forgets the oldest of a method beyond the bound", () => {
  const known = new KnownAddresses<string>();
  known.keep("GET", url, "show");
  known.keep("DELETE", url, "delete");
  for (let at = 0; at < limits.httpPathsKnownMax; at++) known.keep("GET", `${url}/${at}`, "other");

  assert.equal(known.find("GET", url), undefined);
  assert.equal(known.find("GET", `${url}/0`), "other");
  assert.equal(known.find("DELETE", url), "delete");
});

test("KnownAddresses keeps neither long addresses nor queries", () => {
  const known = new KnownAddresses<string>();
  for (const asked of [`${url}/${"x".repeat(300)}`, `${url}?offset=1`]) {
    known.keep("GET", asked, "show");
    assert.equal(known.find("GET", asked), undefined);
  }
});
