/**
 * The outside ledger: what was sent and what the broker acknowledged, in a file of its own that is
 * synced before a line counts. Neither the broker nor this process takes it back by dying.
 *
 *     {"sent": body}            before the request leaves
 *     {"acked": body, queueId, offset}   after the answer came
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";

/** An acknowledgement: this body lies there. */
export type Ack = { readonly body: string; readonly queueId: number; readonly offset: number };

/** What the ledger knows. */
export type LedgerEntries = { readonly sent: ReadonlySet<string>; readonly acks: readonly Ack[] };

/** One producer's ledger. */
export class Ledger {
  readonly #path: string;
  readonly #fd: number;
  /** Entries since the last sync. */
  #unsynced = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a");
  }

  /** Notes bodies that are about to be sent. */
  noteSent(bodies: readonly string[]): void {
    this.#append(bodies.map((sent) => ({ sent })));
  }

  /** Notes acknowledgements, and syncs: from here on the broker is held to them. */
  noteAcked(acks: readonly Ack[]): void {
    this.#append(acks.map(({ body, queueId, offset }) => ({ acked: body, queueId, offset })));
    fdatasyncSync(this.#fd);
    this.#unsynced = 0;
  }

  /** Closes the file and reads it back: what counts is what is in it. */
  finish(): LedgerEntries {
    if (this.#unsynced > 0) fdatasyncSync(this.#fd);
    closeSync(this.#fd);
    const sent = new Set<string>();
    const acks: Ack[] = [];
    for (const line of readFileSync(this.#path, "utf8").split("\n")) {
      if (line === "") continue;
      const entry = JSON.parse(line);
      if (entry.sent !== undefined) sent.add(entry.sent);
      else acks.push({ body: entry.acked, queueId: entry.queueId, offset: entry.offset });
    }
    return { sent, acks };
  }

  #append(entries: readonly unknown[]): void {
    writeSync(this.#fd, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    this.#unsynced += entries.length;
  }
}
