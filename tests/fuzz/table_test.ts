/** A small helping of every fuzzer; `deno task fuzz` serves larger ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./fuzzer.ts";
import { brokenFuzzer, fuzzers } from "./table.ts";

const runs = 2_000;
const seed = 20_261_122;

for (const [name, fuzzer] of Object.entries(fuzzers)) {
  test(`${name} holds: ${fuzzer.claim}`, async () => {
    const outcome = await fuzz(fuzzer, { seed, runs: fuzzer.gateRuns ?? runs });
    if (outcome.kind === "held") return;
    const { thrown } = outcome;
    const says = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    assert.fail(`deno task fuzz ${name} --seed ${outcome.seed} --runs 1\n${says}`);
  });
}

test("fuzz finds what is broken, and its seed finds it again at once", async () => {
  const found = await fuzz(brokenFuzzer, { seed, runs });
  assert.ok(found.kind === "broken");
  const again = await fuzz(brokenFuzzer, { seed: found.seed, runs: 1 });
  assert.ok(again.kind === "broken");
});
