/**
 * What happened in a run: the log that is hashed, and what checkers read as it is written.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Audit, SimEvent } from "./events.ts";
import { cover, type Coverage } from "./features.ts";
import type { Scheduler } from "./scheduler.ts";

/** When an event was noted. `wallMs`: what the host's clock said. */
export type Moment = { readonly nowMs: number; readonly wallMs: number };

/** The latest the host's clock has said by this event: before a jump, not after it. */
export function latestWallMs(event: SimEvent, { wallMs }: Moment): number {
  return event.kind === "clock-jump" ? Math.max(wallMs, wallMs - event.ms) : wallMs;
}

/** Looks at a run and says where a promise was broken. */
export interface Checker {
  see(event: SimEvent, complain: (fault: string) => void, at: Moment): void;
  /** At the end, when all is calm. */
  finish?(audit: Audit, complain: (fault: string) => void): void;
}

/** Writes the log, and shows each event to the checkers. */
export class Journal {
  /** What checkers found, with the moment. */
  readonly faults: string[] = [];
  readonly coverage: Coverage = new Map();
  readonly #scheduler: Scheduler;
  readonly #checkers: readonly Checker[];
  readonly #lines: string[] = [];
  readonly #complain = (fault: string) => this.complain(fault);

  constructor(scheduler: Scheduler, checkers: readonly Checker[]) {
    this.#scheduler = scheduler;
    this.#checkers = checkers;
  }

  note(event: SimEvent): void {
    const { nowMs, clock } = this.#scheduler;
    this.#lines.push(`${nowMs} ${JSON.stringify(event)}`);
    cover(this.coverage, event);
    const at = { nowMs, wallMs: clock.wallMs() };
    for (const checker of this.#checkers) checker.see(event, this.#complain, at);
  }

  finish(audit: Audit): void {
    for (const checker of this.#checkers) checker.finish?.(audit, this.#complain);
  }

  complain(fault: string): void {
    this.faults.push(`at ${this.#scheduler.nowMs} ms: ${fault}`);
  }

  /** Events so far. */
  get count(): number {
    return this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Equal for equal runs, on every runtime. */
  hash(): string {
    return createHash("sha256").update(this.#lines.join("\n")).digest("hex").slice(0, 32);
  }
}
