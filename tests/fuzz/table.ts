/** Every fuzzer, by name. @module */
import assert from "node:assert/strict";
import type { Fuzzer } from "./fuzzer.ts";
import { sessionFuzzers } from "./session_fuzzers.ts";
import { textFuzzers } from "./text_fuzzers.ts";
import { wireFuzzers } from "./wire_fuzzers.ts";

/** The fuzzers of the product. */
export const fuzzers: Readonly<Record<string, Fuzzer>> = {
  ...wireFuzzers,
  ...sessionFuzzers,
  ...textFuzzers,
};

/** One that must break: it tests the fuzzing. Its fault shows once in some hundred cases. */
export const brokenFuzzer: Fuzzer = {
  claim: "no byte is 7 (which is not so)",
  begin: () => (prng) => {
    assert.ok(!prng.bytes(2).includes(7), "a byte is 7");
  },
};
