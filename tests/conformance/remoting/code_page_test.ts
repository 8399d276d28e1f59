import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  codesOf,
  faultsOf,
  holdersOf,
  pagePath,
  readTestFiles,
  tablesOf,
  type TestFile,
  withTables,
} from "./code_page.ts";

/** A test file with one test of this name, which asks for these codes. */
function file(testName: string, asks: string): TestFile {
  return { name: "some", text: `test("${testName}", () => {\n  client.call(${asks});\n});\n` };
}

test("every request is fulfilled, tested and in the table, or absent with a reason", () => {
  assert.deepEqual(faultsOf(readTestFiles()), []);
});

test("docs/rocketmq.md is what deno task docs:rocketmq writes", () => {
  const page = readFileSync(pagePath, "utf8");
  assert.equal(withTables(page, tablesOf(readTestFiles())), page, "run deno task docs:rocketmq");
});

test("codesOf() reads lists and ranges, and nothing else of a name", () => {
  assert.deepEqual(codesOf("10 code 17 makes a topic of 4 queues"), [17]);
  assert.deepEqual(codesOf("7.4 codes 14 and 15: answers 22 and 17"), [14, 15]);
  assert.deepEqual(codesOf("5 codes 304, 311 to 313 and 901 list"), [304, 311, 312, 313, 901]);
  assert.deepEqual(codesOf("2.3 an unknown code answers 3"), []);
});

test("faultsOf() misses a test, and one that does not ask what it names", () => {
  const others = readTestFiles().filter(({ name }) => name !== "pop");
  assert.ok(faultsOf(others).includes("200052 PEEK_MESSAGE is held by no test"));
  const idle = file("8 code 200052: a peek", "17");
  assert.ok(
    faultsOf([...others, idle]).includes("some_test.ts names code 200052 and never asks it"),
  );
  const asking = file("8 code 200052: a peek", "200_052");
  assert.deepEqual(faultsOf([...others, asking]).filter((line) => line.includes("200052")), []);
  const strange = file("8 code 4711: a dream", "4711");
  assert.ok(faultsOf([strange]).includes("some names code 4711, which nothing has"));
});

test("holdersOf() counts the tests of a file for each code", () => {
  const { text } = file("10 code 17 makes a topic", "17");
  const holders = holdersOf([{ name: "some", text: text + text }]);
  assert.deepEqual([...holders.get(17) ?? []], [["some", 2]]);
});

test("withTables() changes what stands between the marks, and refuses a page without them", () => {
  const page = readFileSync(pagePath, "utf8");
  const changed = withTables(page, "| new |\n");
  assert.match(changed, /begin -->\n\| new \|\n<!--/);
  assert.equal(
    withTables(changed, tablesOf(readTestFiles())),
    withTables(page, tablesOf(readTestFiles())),
  );
  assert.throws(() => withTables("# A page", ""), /has no lines/);
});
