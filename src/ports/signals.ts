/** What an operator tells a running process. @module */

/** `stop`: finish what was begun and leave. `reload`: read the configuration again. */
export type Signal = "stop" | "reload";

/** The signals of the process. */
export interface Signals {
  /**
   * Calls `fn` for each signal until the returned function is called. A second `stop` is given on
   * as well: the listener decides when to leave at once.
   */
  onSignal(fn: (signal: Signal) => void): () => void;
}
