import assert from "node:assert/strict";
import { test } from "node:test";
import { docFaults } from "./docs.ts";
import { readSources, Source } from "./sources.ts";

const head = "/** A module. @module */\n";

function plant(text: string): string[] {
  return docFaults([new Source("src/base/a.ts", text)]);
}

test("every module and every export says what it is", () => {
  assert.deepEqual(docFaults(readSources()), []);
});

test("docFaults() misses the head comment", () => {
  assert.deepEqual(plant("const a = 1;"), ["src/base/a.ts: has no head comment with @module"]);
  assert.deepEqual(plant("/** About a. */\nconst a = 1;\n/** @module */").length, 1);
});

test("docFaults() misses the comment of each kind of export", () => {
  const declarations = [
    "const a = 1;",
    "function a() {}",
    "class a {}",
    "type a = 1;",
    "interface a {}",
    "abstract class a {}",
  ];
  for (const declaration of declarations) {
    assert.deepEqual(plant(`${head}export ${declaration}`), [
      "src/base/a.ts:2: a has no comment",
    ]);
    assert.deepEqual(plant(`${head}/** Said. */\nexport ${declaration}`), []);
    assert.equal(plant(`${head}// Not for readers of docs.\nexport ${declaration}`).length, 1);
  }
});

test("docFaults() asks nothing of what is not exported, re-exports and tests", () => {
  assert.deepEqual(plant(`${head}const a = 1; export { b } from "./b.ts";`), []);
  assert.deepEqual(docFaults([new Source("src/base/a_test.ts", "export const a = 1;")]), []);
});
