/**
 * Requests of ours that one client has still to answer.
 *
 *     begin ──▶ waiting ──its answer──▶ answered
 *                  ├──its time is over─▶ timeout
 *                  └──the client left──▶ timeout
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { Timers } from "../../ports/timers.ts";
import type { RemotingCommand } from "./command.ts";

/** What a client answered. `body` is a copy. */
export type ClientAnswer = {
  readonly code: number;
  readonly remark: string | undefined;
  readonly body: Uint8Array;
};

type Waiting = {
  readonly answer: (found: ClientAnswer) => void;
  readonly fail: (error: BrokerError) => void;
  readonly cancelTimer: () => void;
};

/** Matches a client's answers to what it was asked, by our own numbers. */
export class ClientAsks {
  readonly #timers: Timers;
  /** Made for the first question: most clients are asked nothing. */
  #waiting: Map<number, Waiting> | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Requests without an answer. */
  get count(): number {
    return this.#waiting?.size ?? 0;
  }

  /**
   * The answer to request `opaque`, which is sent by the caller after this.
   *
   * @throws {BrokerError} `timeout`: none came within `waitMs`. `too_busy`: it owes too many.
   */
  begin(opaque: number, waitMs: number): Promise<ClientAnswer> {
    const waiting = this.#waiting ??= new Map();
    if (waiting.size >= limits.asksPerClientMax) {
      const count = waiting.size;
      return Promise.reject(
        new BrokerError("too_busy", `Cannot ask the client: it owes ${count} answers already`),
      );
    }
    return new Promise((answer, fail) => {
      const cancelTimer = this.#timers.setTimer(waitMs, () => {
        waiting.delete(opaque);
        fail(new BrokerError("timeout", `The client did not answer within ${waitMs} ms`));
      });
      waiting.set(opaque, { answer, fail, cancelTimer });
    });
  }

  /** Takes a client's answer. One nobody waits for came too late, and is no mistake. */
  answered(command: RemotingCommand, body: Uint8Array): void {
    const waiting = this.#waiting?.get(command.opaque);
    if (waiting === undefined) return;
    this.#waiting?.delete(command.opaque);
    waiting.cancelTimer();
    waiting.answer({ code: command.code, remark: command.remark, body: body.slice() });
  }

  /** The client is gone: nobody waits any longer. */
  close(): void {
    for (const { fail, cancelTimer } of this.#waiting?.values() ?? []) {
      cancelTimer();
      fail(new BrokerError("timeout", "The client left before it answered"));
    }
    this.#waiting?.clear();
  }
}
