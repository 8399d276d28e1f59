/** One end of a channel between two threads, as the links need it. @module */

/** A web `MessagePort`, narrowed. What is posted in the transfer list belongs to the other side. */
export interface ThreadPort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Called once for every message, in the order they were posted. */
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}
