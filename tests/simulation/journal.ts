/**
 * What happened in a run, as its clients saw it: the log that is hashed, and what checkers read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { LeaseVerdict, PullOutcome } from "../../src/link/shard_messages.ts";
import type { Durability } from "../../src/model/durability.ts";
import type { ErrorCode } from "../../src/model/error_codes.ts";
import type { Scheduler } from "./scheduler.ts";

/** A message as a reader saw it. `id` is what its producer called it. */
export type Seen = {
  readonly id: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly physicalOffset: number;
  readonly storedMs: number;
  readonly reconsumeTimes: number;
};

/** One delivery to a member of a group. */
export type SeenDelivery = Seen & {
  readonly attempt: number;
  readonly receipt: string;
  /** By the broker's wall clock. */
  readonly invisibleUntilMs: number;
  readonly grantedMs: number;
};

/** Where a queue's message is, or was. */
export type Spot = { readonly topic: string; readonly queueId: number; readonly offset: number };

/** What became of a request. `unknown`: it may have happened, or not. */
export type Outcome = "done" | "refused" | "unknown";

/** One thing that happened, as plain data: its JSON is its line in the journal. */
export type SimEvent =
  | {
    readonly kind: "send-asked";
    readonly send: number;
    readonly producer: string;
    readonly topic: string;
    readonly durability: Durability;
    readonly ids: readonly string[];
    readonly tag: string | null;
  }
  | {
    readonly kind: "send-ended";
    readonly send: number;
    readonly outcome: Outcome;
    readonly code: ErrorCode | null;
    readonly spots: readonly Spot[];
  }
  | {
    readonly kind: "pulled";
    readonly by: string;
    readonly topic: string;
    readonly queueId: number;
    readonly asked: number;
    readonly outcome: PullOutcome;
    readonly next: number;
    readonly min: number;
    readonly max: number;
    readonly filtered: boolean;
    readonly messages: readonly Seen[];
  }
  | {
    readonly kind: "delivered";
    readonly group: string;
    readonly client: string;
    readonly messages: readonly SeenDelivery[];
  }
  | {
    readonly kind: "settle-asked";
    readonly how: "ack" | "nack" | "extend";
    readonly group: string;
    readonly receipt: string;
  }
  | {
    readonly kind: "settle-ended";
    readonly how: "ack" | "nack" | "extend";
    readonly group: string;
    readonly receipt: string;
    readonly verdict: LeaseVerdict | "invalid" | "unknown";
    /** When the message may be handed out again, for `extend`. */
    readonly untilMs: number;
  }
  | {
    readonly kind: "places-asked" | "reset-asked" | "reset-ended";
    readonly call: number;
    readonly group: string;
    readonly topic: string;
  }
  | {
    readonly kind: "places";
    readonly call: number;
    readonly group: string;
    readonly topic: string;
    readonly committed: readonly (number | null)[];
  }
  | {
    readonly kind: "send-back";
    readonly group: string;
    readonly id: string;
    readonly outcome: Outcome;
    /** Not visible before, by the wall clock. */
    readonly earliestMs: number;
  }
  | {
    readonly kind: "waited";
    readonly what: "pull" | "receive";
    readonly waitMs: number;
    readonly tookMs: number;
  }
  | { readonly kind: "topic-gone" | "group-gone"; readonly name: string }
  | { readonly kind: "crash"; readonly power: boolean; readonly lost: readonly Spot[] }
  | { readonly kind: "started" }
  | { readonly kind: "fault"; readonly shard: number; readonly fate: string }
  | { readonly kind: "clock-jump"; readonly ms: number }
  | { readonly kind: "calm" }
  | { readonly kind: "failed"; readonly what: string; readonly code: ErrorCode };

/** Everything that is stored at the end, queue by queue. */
export type Audit = ReadonlyMap<string, AuditedQueue>;
/** One queue at the end: all that lies between its bounds. */
export type AuditedQueue = {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  readonly messages: readonly Seen[];
};

/** Looks at a run and says where a promise was broken. */
export interface Checker {
  see(event: SimEvent, complain: (fault: string) => void): void;
  /** At the end, when all is calm. */
  finish?(audit: Audit, complain: (fault: string) => void): void;
}

/** A place as one word. */
export function spotKey({ topic, queueId, offset }: Spot): string {
  return `${topic}/${queueId}/${offset}`;
}

/** Writes the log, and shows each event to the checkers. */
export class Journal {
  /** What checkers found, with the moment. */
  readonly faults: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #checkers: readonly Checker[];
  readonly #lines: string[] = [];

  constructor(scheduler: Scheduler, checkers: readonly Checker[]) {
    this.#scheduler = scheduler;
    this.#checkers = checkers;
  }

  note(event: SimEvent): void {
    this.#lines.push(`${this.#scheduler.nowMs} ${JSON.stringify(event)}`);
    for (const checker of this.#checkers) checker.see(event, (fault) => this.complain(fault));
  }

  finish(audit: Audit): void {
    for (const checker of this.#checkers) {
      checker.finish?.(audit, (fault) => this.complain(fault));
    }
  }

  complain(fault: string): void {
    this.faults.push(`at ${this.#scheduler.nowMs} ms: ${fault}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Equal for equal runs, on every runtime. */
  hash(): string {
    const hash = createHash("sha256");
    for (const line of this.#lines) hash.update(`${line}\n`);
    return hash.digest("hex").slice(0, 32);
  }
}
