/** What a write to a standard stream meets when its reader has left. @module */

/** The reader of a standard stream went away, as `head` does: there is nobody left to work for. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}
