/**
 * What a command sees of the process it runs in: arguments, environment, the three standard
 * streams, files to read, time and signals. Tests hand in one made of arrays and a manual clock.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";

/** One of the two outgoing standard streams. */
export interface Output {
  /** Whether a person looks at it: only then is anything drawn over. */
  readonly isTerminal: boolean;
  /** Characters a line has; a guess where nobody looks. */
  readonly columns: number;
  /**
   * Writes, and waits until the stream takes more, so that a slow reader slows the writer.
   *
   * @throws {OutputClosedError} The reader went away, as `head` does.
   */
  write(content: string | Uint8Array): Promise<void>;
}

/** A file to be read from front to back. */
export type SourceFile = {
  readonly bytesTotal: number;
  readonly chunks: AsyncIterable<Uint8Array>;
};

/** Facts of the machine that belong beside a measured figure. */
export type MachineFacts = {
  readonly runtime: string;
  readonly platform: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
};

/** The process, as a command sees it. */
export interface Host {
  /** What follows the program's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly out: Output;
  readonly err: Output;
  readonly machine: MachineFacts;
  /** Whether something is piped into standard input. */
  readonly inputIsTerminal: boolean;
  /** Standard input, once. */
  input(): AsyncIterable<Uint8Array>;
  /** @throws {Error} The file cannot be read. */
  openFile(path: string): Promise<SourceFile>;
  /** Waits; ends early, without an error, when `stop` is aborted. */
  sleep(delayMs: number, stop?: AbortSignal): Promise<void>;
  /** Calls `listener` every `intervalMs` until the returned function is called. */
  every(intervalMs: number, listener: () => void): () => void;
  /** Random bytes that tell this process from every other. */
  randomBytes(count: number): Uint8Array;
  /**
   * Takes over SIGINT and SIGTERM: the first aborts the returned signal, a second ends the process
   * at once. Before the first call, signals end the process as usual.
   */
  takeStopSignals(): AbortSignal;
}
