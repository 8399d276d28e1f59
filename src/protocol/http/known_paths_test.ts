import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { KnownPaths } from "./known_paths.ts";

function router(): KnownPaths<string> {
  const paths = new KnownPaths<string>();
  paths.add("GET", "/topics/:topic", "show");
  paths.add("DELETE", "/topics/:topic", "delete");
  paths.add("GET", "/topics/:topic/count", "count");
  return paths;
}

const handlers = (paths: KnownPaths<string>, method: string, path: string) =>
  paths.match(method, path)[0].map(([handler]) => handler);

test("KnownPaths leads each method and path where the tree does, the second time too", () => {
  const paths = router();
  const asked = [
    ["GET", "/topics/a", ["show"]],
    ["DELETE", "/topics/a", ["delete"]],
    ["GET", "/topics/a/count", ["count"]],
    ["PUT", "/topics/a", []],
    ["GET", "/nowhere", []],
  ] as const;
  for (let round = 0; round < 2; round++) {
    for (const [method, path, expected] of asked) {
      assert.deepEqual(handlers(paths, method, path), expected, `${method} ${path}`);
    }
  }
});

test("KnownPaths answers the same result for a path it knows, and looks up one it forgot", () => {
  const paths = router();
  const first = paths.match("GET", "/topics/a");
  assert.equal(paths.match("GET", "/topics/a"), first);

  for (let at = 0; at < limits.httpPathsKnownMax; at++) paths.match("GET", `/topics/t${at}`);
  const again = paths.match("GET", "/topics/a");
  assert.notEqual(again, first);
  assert.deepEqual(again, first);
});

test("KnownPaths keeps neither long paths nor those that lead nowhere", () => {
  const paths = router();
  const long = `/topics/${"x".repeat(300)}`;
  assert.notEqual(paths.match("GET", long), paths.match("GET", long));
  assert.notEqual(paths.match("GET", "/nowhere"), paths.match("GET", "/nowhere"));
});
