/**
 * What an import remembers between its runs: how far each queue is, and which offset became which.
 *
 * It may lag behind what the target holds, never run ahead: it is written after the target's
 * acknowledgement, from time to time. What it lags by is found again at the target.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../base/limits.ts";
import type { Files } from "../../ports/files.ts";
import type { Host } from "../../ports/host.ts";
import { UsageError } from "../failure.ts";

const count = z.int().min(0);

const queueSchema = z.strictObject({
  topic: z.string(),
  broker: z.string(),
  queueId: count,
  targetQueueId: count,
  /** Where copying began at the source. */
  firstOffset: count,
  /** The source's next offset to be copied. */
  next: count,
  /** The target's end when copying began. */
  targetBase: count,
  /** Behind the newest copied message at the target. */
  targetNext: count,
  stretches: z.array(z.tuple([count, count, count])),
  /** Messages that could not be copied. */
  skipped: count,
  /** Over the copied messages, in order. */
  digest: count,
});

const stateSchema = z.strictObject({
  format: z.literal(1),
  source: z.string(),
  target: z.string(),
  queues: z.array(queueSchema),
});

/** How far one queue is. */
export type QueueState = z.infer<typeof queueSchema>;

/** How far an import is. */
export type ImportState = z.infer<typeof stateSchema>;

/** Where a queue is found in the state. */
export type QueueName = Pick<QueueState, "topic" | "broker" | "queueId">;

/** One text for a queue. */
export function queueName({ topic, broker, queueId }: QueueName): string {
  return `${topic} ${broker} ${queueId}`;
}

/** An import that has not begun. */
export function emptyState(source: string, target: string): ImportState {
  return { format: 1, source, target, queues: [] };
}

/**
 * Reads a state's text.
 *
 * @throws {UsageError} It is no state of this program, or of another source or target.
 */
export function parseState(
  text: string,
  path: string,
  source: string,
  target: string,
): ImportState {
  let state: ImportState;
  try {
    state = stateSchema.parse(JSON.parse(text));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : String(thrown);
    throw new UsageError(`${path} is not the state of an import: ${reason}`, otherFolder);
  }
  for (
    const [what, found, wanted] of [
      ["from", state.source, source],
      ["to", state.target, target],
    ]
  ) {
    if (found === wanted) continue;
    throw new UsageError(`${path} is of an import ${what} ${found}, not ${wanted}.`, otherFolder);
  }
  return state;
}

const otherFolder = "Name another folder with --work";

/** The file. One process at a time: `lockDirectory` sees to it. */
export class StateFile {
  readonly #path: string;
  readonly #files: Pick<Files, "writeSmall" | "sizeBytes">;
  #written = "";

  constructor(path: string, files: Pick<Files, "writeSmall" | "sizeBytes">) {
    this.#path = path;
    this.#files = files;
  }

  /**
   * The state of an earlier run, or an empty one.
   *
   * @throws {UsageError} It cannot be gone on with.
   */
  async read(host: Pick<Host, "openFile">, source: string, target: string): Promise<ImportState> {
    const size = await this.#files.sizeBytes(this.#path);
    if (size === null) return emptyState(source, target);
    if (size > limits.importStateBytesMax) {
      throw new UsageError(`${this.#path} has ${size} bytes: that is no state of an import.`);
    }
    const { chunks } = await host.openFile(this.#path);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
    return parseState(text + decoder.decode(), this.#path, source, target);
  }

  /** Replaces the file as a whole; a crash leaves the old or the new one. */
  async write(state: ImportState): Promise<void> {
    const text = JSON.stringify(state);
    if (text === this.#written) return;
    await this.#files.writeSmall(this.#path, text);
    this.#written = text;
  }
}
