import assert from "node:assert/strict";
import { test } from "node:test";
import { deadFiles, missingFiles, taskFiles } from "./dead_files.ts";
import { readProjectFile, readSources, Source } from "./sources.ts";

const programs = taskFiles(JSON.parse(readProjectFile("deno.json")).tasks);

test("every file is reached from a program, a thread, a test or a bench", () => {
  assert.deepEqual(deadFiles(readSources(), programs), []);
});

test("every file that a task names is there", () => {
  const paths = readSources().map(({ path }) => path);

  assert.deepEqual(programs.filter((path) => !paths.includes(path)), []);
});

test("every imported file is there", () => {
  assert.deepEqual(missingFiles(readSources()), []);
});

test("deadFiles() finds what nothing reaches, and circles apart from everything", () => {
  const sources = [
    new Source("mod.ts", 'export { a } from "./src/a.ts";'),
    new Source("src/a.ts", 'const entry = new URL("./role.ts", import.meta.url);'),
    new Source("src/role.ts", 'const later = import("./later.ts");'),
    new Source("src/later.ts", ""),
    new Source("src/alone.ts", 'import { x } from "./friend.ts";'),
    new Source("src/friend.ts", 'import { x } from "./alone.ts";'),
  ];

  assert.deepEqual(deadFiles(sources), ["src/alone.ts", "src/friend.ts"]);
});

test("deadFiles() takes what a task runs for a program", () => {
  const sources = [new Source("bench/compare.ts", 'import { x } from "./x.ts";')];
  const named = taskFiles({ compare: "deno run -A bench/compare.ts --all", check: "deno check" });

  assert.deepEqual([named, deadFiles(sources, named)], [["bench/compare.ts"], []]);
  assert.deepEqual(deadFiles(sources), ["bench/compare.ts"]);
});

test("missingFiles() finds an import of nothing", () => {
  assert.deepEqual(missingFiles([new Source("src/a.ts", 'import { b } from "./b.ts";')]), [
    "src/a.ts:1: src/b.ts is not there",
  ]);
});
