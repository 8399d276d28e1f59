/**
 * Child processes with a deadline and a bounded memory of what they said.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { signalTo } from "../support/broker_process.ts";

/** Output beyond this is cut from the front: the end of a failing run tells more. */
const outputCharsMax = 200_000;

/** What is run: a command, where, with what added to the environment, for how long at most. */
export type ChildSpec = {
  readonly command: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  /** A command without an end of its own is asked to end, by SIGTERM, once it has said enough. */
  readonly endAfter?: Enough | undefined;
};

/** So many lines of a kind. */
export type Enough = { readonly lines: RegExp; readonly count: number };

/** How it ended. `status` is `null` when it was killed at its deadline or could not start. */
export type ChildEnd = { readonly status: number | null; readonly output: string };

/** Runs a command to its end. Never rejects: what went wrong is in the answer. */
export function runChild(spec: ChildSpec): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(spec.command, [...spec.words], {
      cwd: spec.cwd,
      env: process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk: Uint8Array | string) => {
      output = (output + chunk.toString()).slice(-outputCharsMax);
    };
    child.stdout.on("data", (chunk: Uint8Array | string) => {
      keep(chunk);
      if (spec.endAfter && hasSaid(output, spec.endAfter)) signalTo(child, "SIGTERM");
    });
    child.stderr.on("data", keep);
    const deadline = setTimeout(() => {
      keep(`\n(killed: not finished within ${spec.timeoutMs / 1000} s)\n`);
      child.kill("SIGKILL");
    }, spec.timeoutMs);
    child.on("error", (error: Error) => {
      clearTimeout(deadline);
      resolve({ status: null, output: `${output}${error.message}\n` });
    });
    child.on("close", (status: number | null) => {
      clearTimeout(deadline);
      resolve({ status, output });
    });
  });
}

function hasSaid(output: string, { lines, count }: Enough): boolean {
  return output.split("\n").slice(0, -1).filter((line) => lines.test(line)).length >= count;
}

/** Whether a program is installed: it can be asked for its version. */
export async function isInstalled(command: string, versionWord: string): Promise<boolean> {
  const end = await runChild({ command, words: [versionWord], cwd: ".", timeoutMs: 30_000 });
  return end.status === 0;
}
