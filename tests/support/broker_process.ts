/**
 * The broker as a process of its own, run by the runtime that runs the test: started, killed at any
 * moment, started again on the same directory and the same ports.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
/** What is kept of a process's errors: the end of a failing run tells more. */
const logCharsMax = 200_000;

/** How a broker is started. */
export type BrokerStart = {
  readonly data: string;
  /** 0, or absent: any free one. */
  readonly httpPort?: number;
  readonly remotingPort?: number;
  /** The words in front of `serve`, when another runtime than that of the test is wanted. */
  readonly command?: readonly string[];
  /** What is set in its environment beside what is set in ours. */
  readonly env?: Environment;
  /** Further words for `curlew serve`. */
  readonly settings?: readonly string[];
  /** Words in front of the command: a tracer, a limit. */
  readonly wrap?: readonly string[];
  /** Told at once, long before it is ready: who kills a broker in its start needs it. */
  readonly onSpawn?: (child: ChildProcess) => void;
};

type Environment = Readonly<Record<string, string>>;

/** How a process ended. */
export type Ended = { readonly code: number | null; readonly signal: string | null };

/** A broker that is ready. */
export type BrokerProcess = {
  readonly pid: number;
  /** `http://host:port`. */
  readonly http: string;
  readonly httpPort: number;
  readonly remotingPort: number;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;
  readonly ended: Promise<Ended>;
  /** The last of what it said on standard error. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it does not end. */
  stop(): Promise<Ended>;
};

/** A start that did not come to a ready line. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
  /** `null`: it took too long. */
  readonly ended: Ended | null;

  constructor(message: string, ended: Ended | null) {
    super(message);
    this.ended = ended;
  }
}

/** The words that run a script of this repository with the runtime that runs this. */
export function runWords(script: string): readonly string[] {
  const isBun = "bun" in process.versions;
  return isBun ? [process.execPath, "run", script] : [process.execPath, "run", "-A", script];
}

/** A broker as the project's tasks run it: with the same flags of the runtime, and environment. */
function asTasksDo(): Pick<BrokerStart, "command" | "env"> {
  return "bun" in process.versions
    ? { command: runWords("src/cli/main.ts") }
    : onDeno(process.execPath);
}

/** The same, on this Deno. */
export function onDeno(execPath: string): { command: readonly string[]; env: Environment } {
  const { tasks } = JSON.parse(readFileSync(`${root}deno.json`, "utf8"));
  const words = String(tasks.curlew).split(" ");
  const at = words.indexOf("deno");
  assert.ok(at >= 0, "the task runs Deno");
  const env = Object.fromEntries(words.slice(0, at).map((word) => word.split(/=(.*)/).slice(0, 2)));
  return { command: [execPath, ...words.slice(at + 1)], env };
}

/** Children that run. While there are any, being asked to end means taking them along. */
const running = new Set<ChildProcess>();
const exitTerminated = () => process.exit(143);

function watch(child: ChildProcess): void {
  if (running.size === 0) process.on("SIGTERM", exitTerminated);
  running.add(child);
}

function unwatch(child: ChildProcess): void {
  if (running.delete(child) && running.size === 0) process.off("SIGTERM", exitTerminated);
}

/** A child whose errors are kept, and which does not outlive this process, killed ones excepted. */
export function spawnHere(
  words: readonly string[],
  stdin: "pipe" | "ignore",
  added: Environment = {},
): { child: ChildProcess; ended: Promise<Ended>; log: () => string } {
  const [command = "", ...rest] = words;
  const env = { ...process.env, ...added };
  const child = spawn(command, rest, { cwd: root, env, stdio: [stdin, "pipe", "pipe"] });
  let log = "";
  child.stderr?.on("data", (chunk: Uint8Array | string) => {
    log = (log + chunk.toString()).slice(-logCharsMax);
  });
  const endWithUs = () => signalTo(child, "SIGKILL");
  process.once("exit", endWithUs);
  watch(child);
  const ended = new Promise<Ended>((resolve) => {
    const end = (result: Ended) => {
      process.off("exit", endWithUs);
      unwatch(child);
      resolve(result);
    };
    child.once("exit", (code, signal) => end({ code, signal }));
    child.once("error", (error) => {
      log += error.message;
      end({ code: null, signal: null });
    });
  });
  return { child, ended, log: () => log };
}

/**
 * Starts a broker and waits for its ready line.
 *
 * @throws {NotReadyError} It ended before, or took too long and was killed.
 */
export async function startBroker(start: BrokerStart): Promise<BrokerProcess> {
  const { data, httpPort = 0, remotingPort = 0, settings = [], wrap = [] } = start;
  const ports = ["--http-port", String(httpPort), "--remoting-port", String(remotingPort)];
  const beganMs = performance.now();
  const serve = ["serve", "--data", data, ...ports, ...settings];
  const { command = [], env } = start.command === undefined ? asTasksDo() : start;
  const { child, ended, log } = spawnHere([...wrap, ...command, ...serve], "ignore", env);
  start.onSpawn?.(child);
  const ready = await Promise.race([readyLine(child), ended, timeout(startTimeoutMs)]);
  if (typeof ready !== "object" || !("http" in ready)) {
    signalTo(child, "SIGKILL");
    const how = ready === "late" ? `within ${startTimeoutMs} ms` : "before it ended";
    throw new NotReadyError(`Not ready ${how}:\n${log()}`, ready === "late" ? null : ready);
  }
  return {
    // Under a tracer the broker is the tracer's child; what it says of itself would be better.
    pid: child.pid ?? 0,
    http: `http://${ready.http}`,
    httpPort: portOf(ready.http),
    remotingPort: portOf(ready.remoting),
    readyMs: performance.now() - beganMs,
    ended,
    log,
    kill: (signal) => signalTo(child, signal),
    stop: () => stopChild(child, ended),
  };
}

/**
 * Signals a child that has not ended yet. Not by `child.kill`: after it Deno tells that signal as
 * the end of the child, even of one that took it and ended with a status of its own.
 */
export function signalTo(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(child.pid, signal);
}

/** Asks a child to end, and makes it end when it does not. */
export async function stopChild(child: ChildProcess, ended: Promise<Ended>): Promise<Ended> {
  signalTo(child, "SIGTERM");
  const late = setTimeout(() => signalTo(child, "SIGKILL"), stopTimeoutMs);
  const result = await ended;
  clearTimeout(late);
  return result;
}

type Ready = { readonly http: string; readonly remoting: string };

/** Reads on after the ready line, so that the pipe never fills. */
function readyLine(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error("Cannot read the broker's output: no pipe"));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith('{"event":"ready"')) return;
      resolve(JSON.parse(line) as Ready);
    });
  });
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function timeout(delayMs: number): Promise<"late"> {
  return new Promise((resolve) => {
    setTimeout(() => resolve("late"), delayMs).unref();
  });
}
