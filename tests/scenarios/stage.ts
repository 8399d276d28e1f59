/** What the commands of a play work on. @module */
import type { OneThreadBroker } from "../support/one_thread_broker.ts";

/** A command's words: what stands alone, and what is `name=value`. */
export type Words = {
  readonly plain: readonly string[];
  readonly named: Readonly<Record<string, string>>;
};
/** What a command works on. */
export type Stage = {
  readonly broker: OneThreadBroker;
  /** `group/body` → the newest receipt. */
  readonly receipts: Map<string, string>;
  /** body → the record it was received in last. */
  readonly records: Map<string, Uint8Array>;
  /** body of a request → what came of it so far. */
  readonly outcomes: Map<string, string>;
  /** body → transaction id. */
  readonly transactions: Map<string, string>;
};
/** Does one thing, and says what came of it, line by line. */
export type Command = (stage: Stage, words: Words) => Promise<readonly string[]>;
