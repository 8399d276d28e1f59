/**
 * Builds the Go programs, and says how one of them is run.
 *
 * @module
 */
import { join } from "node:path";
import { runChild } from "./children.ts";

const buildTimeoutMs = 5 * 60_000;

/**
 * Builds the one binary that holds every program. What Go has built before is not built again.
 *
 * @throws {Error} The build failed; the message carries what it said.
 */
export async function buildGo(root: string): Promise<void> {
  const words = ["build", "-o", join("target", "interop"), "."];
  const build = { command: "go", words, cwd: goHome(root), timeoutMs: buildTimeoutMs };
  const end = await runChild(build);
  if (end.status !== 0) throw new Error(`Cannot build the Go programs:\n${end.output}`);
}

/** The binary; its first words name the program. */
export function goCommand(root: string, program: string): { command: string; words: string[] } {
  return { command: join(goHome(root), "target", "interop"), words: ["--program", program] };
}

function goHome(root: string): string {
  return join(root, "tests", "interop", "go");
}
