import assert from "node:assert/strict";
import { test } from "node:test";
import { importCycles, layerFaults } from "./layers.ts";
import { readSources, Source } from "./sources.ts";

test("every folder imports only from the layers below it", () => {
  assert.deepEqual(layerFaults(readSources()), []);
});

test("no file imports itself in a circle", () => {
  assert.deepEqual(importCycles(readSources()), []);
});

test("layerFaults() sees each kind of forbidden import", () => {
  const planted = [
    ["src/base/a.ts", 'import { x } from "../model/b.ts";'],
    ["src/core/a.ts", 'import type { X } from "../ports/b.ts";'],
    ["src/broker/a.ts", 'export { x } from "../../storage/b.ts";'],
    ["src/protocol/http/a.ts", 'import { x } from "../mqtt/b.ts";'],
    ["workers/shard/a.ts", 'const x = import("../coordinator/b.ts");'],
    ["src/broker/a.ts", 'import { x } from "../front/b.ts";'],
    ["src/link/a.ts", 'import { x } from "node:fs";'],
    ["src/elsewhere/a.ts", ""],
  ] as const;

  for (const [path, text] of planted) {
    assert.equal(layerFaults([new Source(path, text)]).length, 1, path);
  }
});

test("layerFaults() leaves allowed imports alone", () => {
  const planted = [
    ["src/base/a.ts", 'import { x } from "./b.ts";'],
    ["src/protocol/http/routes/a.ts", 'import { x } from "../b.ts";'],
    ["src/front/a.ts", 'import { x } from "../runtime/mod.ts";'],
    ["mod.ts", 'import { x } from "./src/front/start.ts";'],
    ["workers/shard/main.ts", 'import { x } from "../../storage/mod.ts";'],
    ["src/runtime/a.ts", 'import { x } from "node:fs";'],
    ["src/base/a_test.ts", 'import { x } from "../../tests/support/b.ts";'],
  ] as const;

  assert.deepEqual(layerFaults(planted.map(([path, text]) => new Source(path, text))), []);
});

test("importCycles() finds a circle through types and through a third file", () => {
  const sources = [
    new Source("src/base/a.ts", 'import type { B } from "./b.ts";'),
    new Source("src/base/b.ts", 'import { c } from "./c.ts";'),
    new Source("src/base/c.ts", 'export { a } from "./a.ts";'),
  ];

  assert.deepEqual(importCycles(sources), [
    "src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts",
  ]);
});
