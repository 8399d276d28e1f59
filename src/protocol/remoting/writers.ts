/**
 * Memory to write answers into, lent for one tick.
 *
 * Most of a large crowd of connections have nothing to say at any moment. A buffer of its own would
 * stay as large as its connection's most crowded moment left it.
 *
 * @module
 */
import { ByteWriter } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";

/** What a new writer begins with: a few answers without a body. */
const writerBytes = 512;

/** The writers of a front, for all its sessions. */
export class Writers {
  /** Bounded by `limits.idleWritersMax`. */
  readonly #idle: ByteWriter[] = [];

  /** How many wait to be lent again. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /** An empty writer. The one given back last comes first: it is in the processor's caches. */
  take(): ByteWriter {
    return this.#idle.pop() ?? new ByteWriter(writerBytes);
  }

  /** Takes a writer back, whatever is in it. Its borrower must not use it any more. */
  giveBack(writer: ByteWriter): void {
    if (this.#idle.length >= limits.idleWritersMax) return;
    if (writer.capacity > limits.idleWriterBytesMax) return;
    writer.clear();
    this.#idle.push(writer);
  }
}
