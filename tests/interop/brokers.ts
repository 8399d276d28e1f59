/**
 * The broker under test: Curlew as a child process, or one that runs elsewhere.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/** Where programs find the broker. `http` is absent for a broker that has no such front. */
export type Broker = {
  readonly nameServer: string;
  readonly http?: string;
  stop(): Promise<void>;
};

/** The line Curlew prints when every port is open. */
type Ready = { event: string; http: string; remoting: string };

/** A broker somebody else started, and will stop. */
export function outsideBroker(nameServer: string): Broker {
  return { nameServer, stop: () => Promise.resolve() };
}

/** Starts Curlew on free ports in an empty directory. Its errors are shown as they come. */
export async function startCurlew(root: string, settings: readonly string[]): Promise<Broker> {
  const data = await mkdtemp(join(tmpdir(), "curlew-interop-"));
  const words = ["src/cli/main.ts", "serve", "--data", data];
  words.push("--http-port", "0", "--remoting-port", "0", ...settings);
  // The runtime that runs this driver runs the broker too.
  const isBun = "bun" in process.versions;
  const runWords = isBun ? ["run", ...words] : ["run", "-A", ...words];
  const child = spawn(process.execPath, runWords, {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const ready = await readyLine(child);
    return {
      nameServer: ready.remoting,
      http: `http://${ready.http}`,
      stop: async () => {
        await stop(child);
        await rm(data, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await stop(child);
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

/** Reads on after the ready line, so that the pipe never fills. */
function readyLine(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(`Cannot use Curlew: not ready within ${startTimeoutMs} ms`)),
      startTimeoutMs,
    );
    child.once("error", reject);
    child.once("exit", (status) => {
      clearTimeout(deadline);
      reject(new Error(`Cannot use Curlew: it ended before it was ready, with status ${status}`));
    });
    if (child.stdout === null) throw new Error("Cannot read Curlew's output: no pipe");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = asReady(line);
      if (ready === undefined) return;
      clearTimeout(deadline);
      resolve(ready);
    });
  });
}

function asReady(line: string): Ready | undefined {
  if (!line.startsWith("{")) return undefined;
  const found = JSON.parse(line) as Partial<Ready>;
  if (found.event !== "ready") return undefined;
  if (typeof found.http !== "string" || typeof found.remoting !== "string") {
    throw new Error(`Cannot use Curlew: its ready line names no addresses: ${line}`);
  }
  return { event: found.event, http: found.http, remoting: found.remoting };
}

/** Asks it to end, and makes it end when it does not. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const deadline = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(deadline);
}
