import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeFaults } from "./sizes.ts";
import { readSources, Source } from "./sources.ts";

function plant(text: string): string[] {
  return sizeFaults([new Source("src/base/a.ts", text)]);
}

test("no file, function or line is larger than the house allows", () => {
  assert.deepEqual(sizeFaults(readSources()), []);
});

test("sizeFaults() counts the lines of a file", () => {
  assert.deepEqual(plant("\n".repeat(500)), []);
  assert.deepEqual(plant("\n".repeat(501)), ["src/base/a.ts: 501 lines"]);
});

test("sizeFaults() counts the lines of functions, methods and arrows", () => {
  const body = (lines: number) => `{${"\n".repeat(lines - 1)}}`;

  assert.deepEqual(plant(`function f() ${body(60)}`), []);
  for (const head of ["function f()", "const f = () =>", "const o = { f()", "class C { f()"]) {
    const tail = head.includes("o =") || head.includes("class") ? "}" : "";
    assert.deepEqual(plant(`${head} ${body(61)} ${tail}`), [
      "src/base/a.ts:1: a function of 61 lines",
    ]);
  }
});

test("sizeFaults() counts the columns of a line as a reader does", () => {
  assert.deepEqual(plant(`// ${"é".repeat(96)}😀`), []);
  assert.deepEqual(plant(`\n// ${"x".repeat(98)}`), ["src/base/a.ts:2: 101 columns"]);
});
