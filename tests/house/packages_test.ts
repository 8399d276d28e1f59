import assert from "node:assert/strict";
import { test } from "node:test";
import { version } from "../../src/cli/version.ts";
import { packageFaults, type PackageLists, usageFaults } from "./packages.ts";
import { readProjectFile, readSources, Source } from "./sources.ts";

const lists: PackageLists = {
  deno: JSON.parse(readProjectFile("deno.json")),
  npm: JSON.parse(readProjectFile("package.json")),
};

/** Listed because a package of ours asks its users for them. */
const peers = ["zod"];

/** Small lists that agree, for planting. */
const agreeing: PackageLists = {
  deno: { version: "1.0.0", imports: { "@a/b": "npm:@a/b@1.2.3", c: "./src/c.ts" } },
  npm: { version: "1.0.0", dependencies: { "@a/b": "1.2.3" }, devDependencies: {} },
};

test("deno.json and package.json list the same packages in exact versions", () => {
  assert.deepEqual(packageFaults(lists), []);
});

test("the program says the version its package lists say", () => {
  assert.equal(version, lists.deno.version);
});

test("every listed package is imported, and every imported one is listed", () => {
  const listed = Object.keys(lists.deno.imports).filter((name) => !peers.includes(name));
  assert.deepEqual(usageFaults(readSources([".ts", ".mjs"]), listed), []);
});

test("packageFaults() sees lists that disagree", () => {
  const { deno, npm } = agreeing;
  assert.deepEqual(packageFaults(agreeing), []);
  assert.deepEqual(packageFaults({ deno, npm: { ...npm, version: "1.0.1" } }), [
    "deno.json is version 1.0.0, package.json 1.0.1",
  ]);
  assert.deepEqual(packageFaults({ deno, npm: { ...npm, dependencies: { "@a/b": "1.2.4" } } }), [
    "@a/b: deno.json has 1.2.3, package.json 1.2.4",
  ]);
  assert.equal(packageFaults({ deno: { ...deno, imports: {} }, npm }).length, 1);
});

test("packageFaults() sees a version that is not exact", () => {
  const deno = { version: "1.0.0", imports: { a: "npm:a@^1.0.0" } };
  const npm = { version: "1.0.0", dependencies: { a: "^1.0.0" }, devDependencies: {} };

  assert.deepEqual(packageFaults({ deno, npm }), ["a: ^1.0.0 is not an exact version"]);
});

test("usageFaults() sees a package nobody lists and one nobody imports", () => {
  const source = new Source("src/a.ts", 'import { x } from "@a/b/c"; import { y } from "d";');

  assert.deepEqual(usageFaults([source], ["@a/b", "e"]), [
    "src/a.ts:1: imports d, which is not listed",
    "e is listed and not imported",
  ]);
});
