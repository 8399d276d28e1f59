import assert from "node:assert/strict";
import { test } from "node:test";
import { command, exitCodes } from "./command.ts";
import { UsageError } from "./failure.ts";
import { parse } from "./parse.ts";

const sample = command({
  name: "sample",
  summary: "A sample",
  args: [{ name: "NAME", help: "a name", required: true }],
  options: {
    topic: { kind: "text", short: "t", required: true, help: "the topic" },
    waitMs: { kind: "duration", fallback: "1s", help: "a wait" },
    size: { kind: "bytes", max: 1024, help: "a size" },
    key: { kind: "list", help: "a key" },
    kind: { kind: "text", choices: ["fast", "safe"], help: "a kind" },
    json: { kind: "flag", help: "JSON" },
  },
  examples: [],
  run: () => Promise.resolve(exitCodes.ok),
});

function faultsOf(...words: string[]): string {
  try {
    parse(sample, words);
    return "none";
  } catch (thrown) {
    assert.ok(thrown instanceof UsageError);
    return thrown.message;
  }
}

test("parse() reads values by kind, wherever they stand", () => {
  const words = ["-t", "orders", "--size=1KiB", "me", "--key", "a", "--key", "b", "--json"];

  assert.deepEqual(parse(sample, words), {
    options: {
      topic: "orders",
      waitMs: 1000,
      size: 1024,
      key: ["a", "b"],
      kind: undefined,
      json: true,
    },
    args: ["me"],
    help: false,
  });
});

test("parse() tells every fault at once", () => {
  assert.equal(
    faultsOf("--tpic", "x", "--size", "2KiB", "--kind", "fas"),
    [
      "There is no option --tpic. Did you mean --topic?",
      "--topic VALUE is needed: the topic.",
      '--size needs a size such as 4096, 64KiB or 10GiB of at most 1024; found "2KiB".',
      '--kind is one of fast, safe; found "fas". Did you mean fast?',
    ].join("\n"),
  );
});

test("parse() takes what follows -- as arguments, and a dash alone too", () => {
  assert.deepEqual(parse(sample, ["-t", "x", "--", "--json"]).args, ["--json"]);
  assert.deepEqual(parse(sample, ["-t", "x", "-"]).args, ["-"]);
});

test("parse() refuses an option without its value, twice, and arguments nobody asked for", () => {
  assert.match(faultsOf("name", "--topic"), /--topic needs a value/);
  assert.match(faultsOf("name", "-t", "a", "-t", "b"), /--topic is given 2 times/);
  assert.match(faultsOf("name", "more", "-t", "a"), /"more" is not expected here/);
  assert.match(faultsOf("-t", "a"), /NAME is needed/);
  assert.match(faultsOf("name", "-t", "a", "--json=yes"), /--json takes no value/);
});

test("parse() checks nothing once help is asked for", () => {
  assert.equal(parse(sample, ["--nonsense", "--help"]).help, true);
  assert.equal(parse(sample, ["-h"]).help, true);
});
