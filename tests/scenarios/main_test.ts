/**
 * Plays every `*.txt` beside this file: a command after `>`, and below it exactly what came of it.
 * With `CURLEW_REWRITE_PLAYS=1` what came of it is written into the plays instead: read the change
 * before you keep it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { causeKinds } from "../../src/model/explanation.ts";
import { OneThreadBroker } from "../support/one_thread_broker.ts";
import { play } from "./player.ts";
import type { Stage } from "./stage.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const plays = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();
const rewrites = process.env["CURLEW_REWRITE_PLAYS"] === "1";

for (const name of plays) {
  test(`the play ${name.replace(".txt", "")} goes as it is written`, async () => {
    const written = readFileSync(`${folder}/${name}`, "utf8");

    const played = await perform(written);

    if (rewrites) writeFileSync(`${folder}/${name}`, played);
    else assert.equal(played, written);
  });
}

test("the plays explain every cause there is", () => {
  const told = plays.map((name) => readFileSync(`${folder}/${name}`, "utf8")).join("\n");

  assert.deepEqual(causeKinds.filter((kind) => !told.includes(`\n${kind}: `)), []);
});

/** The text with the results that the commands really have. */
async function perform(text: string): Promise<string> {
  const shards = Number(/^# shards: (\d+)$/m.exec(text)?.[1] ?? 1);
  const broker = new OneThreadBroker({ shards });
  const stage: Stage = {
    broker,
    receipts: new Map(),
    transactions: new Map(),
    records: new Map(),
    outcomes: new Map(),
  };
  const lines: string[] = [];
  try {
    await broker.start();
    for (const line of text.trimEnd().split("\n")) {
      if (!line.startsWith(">")) {
        if (line === "" || line.startsWith("#")) lines.push(line);
        continue;
      }
      lines.push(line, ...await play(stage, line.slice(1)));
    }
  } finally {
    await broker.remove();
  }
  return lines.join("\n") + "\n";
}
