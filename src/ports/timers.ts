/** Later, as something handed in. @module */

/** Calls off what was set. Calling it late, or twice, does nothing. */
export type Cancel = () => void;

/** What only the runtime can do later. What is not called off keeps the process alive. */
export interface Timers {
  /** Calls `fn` once, `delayMs` from now or a little later; delays beyond 24 days are honoured. */
  setTimer(delayMs: number, fn: () => void): Cancel;
  /** Calls `fn` after the events that have already arrived, before any timer of a later turn. */
  immediate(fn: () => void): Cancel;
}
