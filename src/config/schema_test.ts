import assert from "node:assert/strict";
import { test } from "node:test";
import { fileKeyOf, flagOf, rowOf, settingNames, variableOf } from "./schema.ts";
import { readValue } from "./values.ts";

test("a setting is spelled for each place from its one name", () => {
  assert.deepEqual([flagOf("httpPort"), variableOf("httpPort"), fileKeyOf("httpPort")], [
    "--http-port",
    "CURLEW_HTTP_PORT",
    "http_port",
  ]);
});

test("every default is a value its own row allows", () => {
  for (const name of settingNames) {
    const { default: value } = rowOf(name);
    const settled = typeof value === "function" ? value({ cores: 8 }) : value;
    if (settled === null || typeof settled === "object") continue;
    assert.deepEqual(readValue(name, settled), settled, name);
  }
});

test("every number says its bounds, and every row is a sentence", () => {
  for (const name of settingNames) {
    const { kind, min, max, sentence } = rowOf(name);
    if (kind === "count" || kind === "durationMs" || kind === "bytes") {
      assert.ok(min !== undefined && max !== undefined && min < max, name);
    }
    assert.match(sentence, /^[A-Z].{10,}[^.]$/, name);
  }
});
