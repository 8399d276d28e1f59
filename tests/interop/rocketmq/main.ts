/**
 * Proves `curlew import` with Apache RocketMQ: `deno task interop:import`, or this file under Bun.
 *
 *     main.ts [version of RocketMQ] [tls]
 *
 * Without words it tries what `deno task interop` tries too. Without Java or Maven it is skipped
 * aloud. The last line counts.
 *
 * @module
 */
import process from "node:process";
import { importSources, nameOf, proveImport } from "./import_proof.ts";
import { missingForServer } from "./server.ts";

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [, , version, word] = process.argv;
const sources = version === undefined ? importSources : [{ version, tls: word === "tls" }];
const missing = await missingForServer();
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const source of sources) {
  const beganMs = performance.now();
  try {
    if (missing !== undefined) {
      say(`SKIPPED ${nameOf(source)}: ${missing}`);
      counts.skipped++;
      continue;
    }
    await proveImport(source, (text) => say(text.replace(/^/gm, "  | ")));
    say(`passed  ${nameOf(source)} (${((performance.now() - beganMs) / 1000).toFixed(1)} s)`);
    counts.passed++;
  } catch (error) {
    say(`FAILED ${nameOf(source)}: ${error instanceof Error ? error.stack : String(error)}`);
    counts.failed++;
  }
}
say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
