/** The real process, as a command sees it. Plain `node:` modules serve both runtimes. @module */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import os from "node:os";
import process from "node:process";
import type { Clock } from "../../base/clock.ts";
import { OutputClosedError } from "../../base/output_closed.ts";
import type { Host, MachineFacts, Output, SourceFile } from "../../ports/host.ts";

/** Exit code of a process that a second signal ended: what shells show for an interrupt. */
const interruptedExitCode = 130;
const columnsWithoutTerminal = 100;

/** The process this runs in. Made once, by the program's entry. */
export function processHost(): Host {
  return {
    args: process.argv.slice(2),
    env: process.env,
    clock,
    out: outputOver(process.stdout),
    err: outputOver(process.stderr),
    machine: machineFacts(),
    inputIsTerminal: process.stdin.isTTY === true,
    input: () => process.stdin,
    openFile,
    sleep,
    every: (intervalMs, listener) => {
      const timer = setInterval(listener, intervalMs);
      return () => clearInterval(timer);
    },
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
    takeStopSignals: takeStopSignalsOnce,
  };
}

/** Ends the process with `exitCode` once both outputs are flushed. */
export function exitProcess(exitCode: number): void {
  process.exit(exitCode);
}

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

function outputOver(stream: NodeJS.WriteStream): Output {
  let closed = false;
  // Without a listener, a reader that went away would end the process with a stack trace.
  stream.on("error", () => closed = true);
  return {
    isTerminal: stream.isTTY === true,
    columns: stream.columns ?? columnsWithoutTerminal,
    write: (content) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new OutputClosedError("Cannot write: the reader went away"));
        const bytes = typeof content === "string" ? content : Buffer.from(content);
        stream.write(bytes, (error) => {
          if (error) reject(new OutputClosedError("Cannot write", { cause: error }));
          else resolve();
        });
      }),
  };
}

async function openFile(path: string): Promise<SourceFile> {
  const facts = await stat(path);
  return { bytesTotal: facts.size, chunks: createReadStream(path, { highWaterMark: 256 * 1024 }) };
}

function sleep(delayMs: number, stop?: AbortSignal): Promise<void> {
  if (stop?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    stop?.addEventListener("abort", end);
  });
}

let stopSignal: AbortSignal | undefined;

function takeStopSignalsOnce(): AbortSignal {
  if (stopSignal) return stopSignal;
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  stopSignal = controller.signal;
  return stopSignal;
}

/** The machine and the runtime under this process. */
export function machineFacts(): MachineFacts {
  const { deno, bun, node } = process.versions;
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
  const cpus = os.cpus();
  return {
    runtime,
    platform: `${os.platform()} ${os.arch()} ${os.release()}`,
    cpuModel: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memoryBytes: os.totalmem(),
  };
}
