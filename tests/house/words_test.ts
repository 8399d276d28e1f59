import assert from "node:assert/strict";
import { test } from "node:test";
import { readSources, Source } from "./sources.ts";
import { wordFaults } from "./words.ts";

function plant(text: string, path = "src/broker/a.ts"): string[] {
  return wordFaults([new Source(path, text)]);
}

test("no source holds what the house bans", () => {
  assert.deepEqual(wordFaults(readSources()), []);
});

test("wordFaults() sees every banned construct", () => {
  const planted = [
    "const a = Date.now();",
    "const a = performance.now;",
    "const a = new Date();",
    "const a = Math.random();",
    "const a = crypto.randomUUID();",
    "setTimeout(f, 1);",
    "const a = setImmediate;",
    "setInterval(f, 1);",
    "Deno.exit();",
    "const a = Bun.version;",
    "console.log(1);",
    "let a: any;",
    "const a = b as unknown as string;",
    "const a = b!;",
    "const a = b.get(1)!;",
    'export * from "./b.ts";',
    "export default 1;",
    "export default function a() {}",
    "enum A { B }",
    "namespace A {}",
    "class A { constructor(readonly b: number) {} }",
    "@a class B {}",
    "class A extends B {}",
    "class A { private b = 1; }",
    'const a = "/home/' + 'someone/data";',
  ];
  for (const text of planted) assert.equal(plant(text).length, 1, text);
});

test("wordFaults() leaves alone what only looks alike", () => {
  const harmless = [
    "// Date.now() and Deno.exit() in a comment",
    'const a = "console.log(Math.random())";',
    "const a = new Date(1);",
    "const a = timers.setTimeout(f);",
    "const a = { console: 1 };",
    'const a = "Deno" in globalThis;',
    "const a = b[0]!;",
    'export * as b from "./b.ts";'.replace("* as b", "{ b }"),
    "class A extends BrokerError {}",
    "interface A extends B {}",
    "switch (a) { default: }",
    "const a = b as unknown;",
  ];
  for (const text of harmless) assert.deepEqual(plant(text), [], text);
});

test("wordFaults() knows where each word is at home", () => {
  assert.deepEqual(plant("Deno.exit(); setTimeout(f, 1); Date.now();", "src/runtime/a.ts"), []);
  assert.deepEqual(plant("console.log(1);", "src/cli/a.ts"), []);
  assert.deepEqual(plant("setTimeout(f, 1);", "tests/chaos/a.ts"), []);
  assert.equal(plant("Deno.exit();", "tests/chaos/a.ts").length, 1);
  assert.equal(plant("console.log(1);", "src/runtime/a.ts").length, 1);
});

test("wordFaults() accepts a lint exception only with its reason", () => {
  assert.deepEqual(plant("// deno-lint-ignore no-explicit-any -- a table\nlet a: any;"), []);
  assert.equal(plant("// deno-lint-ignore no-explicit-any\nlet a: any;").length, 1);
});

test("wordFaults() refuses names that say nothing", () => {
  for (const path of ["src/utils/a.ts", "src/base/helpers.ts", "src/common/a.ts"]) {
    assert.equal(plant("", path).length, 1, path);
  }
  assert.deepEqual(plant("", "src/base/commonly.ts"), []);
});
