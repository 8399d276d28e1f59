/**
 * The journal of a topic: everything that was asked of the broker, answered by it and handed out by
 * it, in the order in which it happened outside. What the broker is held to is synced before it
 * counts.
 *
 *     {"deed": "sent", body, …}        before the request leaves
 *     {"deed": "stored" | "armed", …}  after its answer came: visible, or put aside
 *     {"deed": "asked", body, wish}    before a cancellation or a verdict leaves
 *     {"deed": "told", body, verdict}  after its answer came
 *     {"deed": "delivered", body, …}   a consumer was handed it
 *     {"deed": "settling" | "settled"} before an acknowledgement leaves, and when it is confirmed
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";

/** What a body is sent as. */
export type SentDeed = {
  readonly deed: "sent";
  readonly body: string;
  /** Absent: visible at once. */
  readonly dueMs?: number;
  /** A half message: invisible until a commit. */
  readonly isHalf?: true;
  /** Absent: it has no order. */
  readonly shardingKey?: string;
};

/** Acknowledged, and visible there. */
export type StoredDeed = {
  readonly deed: "stored";
  readonly body: string;
  readonly queueId: number;
  readonly offset: number;
};

/** Acknowledged, and put aside. `handle` is its message id or its transaction id. */
export type ArmedDeed = {
  readonly deed: "armed";
  readonly body: string;
  readonly handle: string;
};

/** What may be asked of a message that was put aside. */
export type Wish = "cancel" | "move" | "replace" | "commit" | "rollback";

/** A request that changes a message's fate. `dueMs` is where a move wants it. */
export type AskedDeed = {
  readonly deed: "asked";
  readonly body: string;
  readonly wish: Wish;
  readonly dueMs?: number;
};

/** What the broker answers to a wish. `kept`: a replacement told that this was not in its way. */
export type ToldVerdict =
  | "cancelled"
  | "rescheduled"
  | "already-delivered"
  | "unknown"
  | "replaced"
  | "kept"
  | "committed"
  | "rolled-back";

/** The answer to a wish. */
export type ToldDeed = {
  readonly deed: "told";
  readonly body: string;
  readonly wish: Wish;
  readonly verdict: ToldVerdict;
  readonly dueMs?: number;
};

/** A message as a consumer got it. Both times are of the one machine's clock. */
export type DeliveredDeed = {
  readonly deed: "delivered";
  readonly body: string;
  readonly queueId: number;
  readonly offset: number;
  /** When it became visible, by the broker. */
  readonly storedMs: number;
  /** When it was here. */
  readonly atMs: number;
};

/** An acknowledgement of consumption is about to leave, or was confirmed. */
export type SettleDeed = { readonly deed: "settling" | "settled"; readonly body: string };

/** One line. */
export type Deed =
  | SentDeed
  | StoredDeed
  | ArmedDeed
  | AskedDeed
  | ToldDeed
  | DeliveredDeed
  | SettleDeed;

/** What the broker is held to from the moment it is written down. */
const bindingDeeds: ReadonlySet<Deed["deed"]> = new Set(["stored", "armed", "told", "settled"]);

/** One topic's journal. */
export class Journal {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a");
  }

  /** Writes deeds down, in their order. */
  note(deeds: readonly Deed[]): void {
    if (deeds.length === 0) return;
    writeSync(this.#fd, deeds.map((deed) => `${JSON.stringify(deed)}\n`).join(""));
    if (deeds.some(({ deed }) => bindingDeeds.has(deed))) fdatasyncSync(this.#fd);
  }

  /** Everything so far, as it is in the file: what counts is what is in it. */
  read(): Deed[] {
    const lines = readFileSync(this.#path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Deed);
  }

  /** Ends it. */
  close(): void {
    closeSync(this.#fd);
  }
}
