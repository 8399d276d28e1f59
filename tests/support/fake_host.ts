/**
 * A process that a test can look into: outputs are collected, time is real only where asked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Host, Output } from "../../src/ports/host.ts";

/** What was written. */
export class CollectedOutput implements Output {
  readonly isTerminal: boolean;
  readonly columns = 80;
  readonly #chunks: Buffer[] = [];

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  write(content: string | Uint8Array): Promise<void> {
    this.#chunks.push(Buffer.from(content as string));
    return Promise.resolve();
  }

  /** All of it. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** All of it, as text. */
  get text(): string {
    return this.bytes.toString("utf8");
  }
}

/** A process made of what a test gives. `controller` stands for the first signal. */
export type FakeHost = Host & {
  readonly out: CollectedOutput;
  readonly err: CollectedOutput;
  readonly controller: AbortController;
};

/** What a test may choose. */
export type FakeHostOptions = {
  readonly input?: AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, Uint8Array>>;
};

/** Makes a process that was called with `args`. Waits are cut to a few milliseconds. */
export function fakeHost(args: readonly string[], options: FakeHostOptions = {}): FakeHost {
  const controller = new AbortController();
  const { input, files = {} } = options;
  return {
    args,
    env: options.env ?? {},
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    out: new CollectedOutput(),
    err: new CollectedOutput(),
    controller,
    machine: { runtime: "Test", platform: "t", cpuModel: "t", cores: 1, memoryBytes: 1024 },
    inputIsTerminal: false,
    input: () => input ?? chunksOf([]),
    openFile: (path) => {
      const bytes = files[path];
      if (!bytes) return Promise.reject(new Error("no such file"));
      return Promise.resolve({ bytesTotal: bytes.length, chunks: chunksOf([bytes]) });
    },
    sleep: (delayMs, stop) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(delayMs, 5));
        stop?.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        }, { once: true });
        if (stop?.aborted) resolve();
      }),
    every: (intervalMs, listener) => {
      const timer = setInterval(listener, intervalMs);
      return () => clearInterval(timer);
    },
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
    takeStopSignals: () => controller.signal,
  };
}

/** Pieces, one after the other. */
export async function* chunksOf(pieces: readonly (Uint8Array | string)[]) {
  for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece as string));
}
