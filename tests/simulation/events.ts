/** What can happen in a run, as its clients see it: a line of the journal each. @module */
import type { LeaseVerdict, PullOutcome } from "../../src/link/shard_messages.ts";
import type { TimerVerdict } from "../../src/link/timer_messages.ts";
import type { Durability } from "../../src/model/durability.ts";
import type { ErrorCode } from "../../src/model/error_codes.ts";
import type { LetterChoice, Redrive } from "../../src/broker/dead_letter_desk.ts";
import type { CauseKind } from "../../src/model/explanation.ts";
import type { Filter } from "../../src/model/subscription.ts";
import type { HalfState } from "../../src/ports/shard_store.ts";

/** A message as a reader saw it. `id` is what its producer called it. */
export type Seen = {
  readonly id: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly physicalOffset: number;
  readonly storedMs: number;
  readonly reconsumeTimes: number;
  /** Of a dead letter, in an audit: where it died. */
  readonly origin?: Spot;
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

/** A place as one word. */
export function spotKey({ topic, queueId, offset }: Spot): string {
  return `${topic}/${queueId}/${offset}`;
}

/** What became of a request. `unknown`: it may have happened, or not. */
export type Outcome = "done" | "refused" | "unknown";

/** What its producer put into a message. */
export type MessageFacts = {
  readonly id: string;
  readonly topic: string;
  readonly tag: string | null;
  /** The sharding key. */
  readonly key: string | null;
  readonly amount: number;
  readonly ttlMs: number | null;
  readonly how: "send" | "timer" | "transaction";
};

/** What an operator did to a group's places. */
export type PlaceAction = "reset" | "undo" | "clone";
/** What an operator did to a parked key. */
export type KeyAction = "retry" | "skip" | "bury";

/** One thing that happened. */
export type SimEvent =
  | SendEvent
  | ReadEvent
  | PlaceEvent
  | TimerEvent
  | TransactionEvent
  | KeyEvent
  | LetterEvent
  | RequestEvent
  | ExplainEvent
  | HostEvent;

type SendEvent =
  | ({ readonly kind: "message" } & MessageFacts)
  | {
    readonly kind: "send-asked";
    readonly send: number;
    readonly producer: string;
    readonly topic: string;
    readonly durability: Durability;
    readonly ids: readonly string[];
  }
  | {
    readonly kind: "send-ended";
    readonly send: number;
    readonly outcome: Outcome;
    readonly code: ErrorCode | null;
    readonly spots: readonly Spot[];
  }
  | {
    /** The send was asked for again, under the ids its messages had. */
    readonly kind: "repeat-ended";
    readonly send: number;
    readonly repeated: boolean;
    readonly spots: readonly Spot[];
  };

type ReadEvent =
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
    /** Messages may be left out because their time is over. */
    readonly mayExpire: boolean;
    readonly messages: readonly Seen[];
  }
  | {
    readonly kind: "delivered";
    readonly group: string;
    readonly client: string;
    readonly ordered: boolean;
    /** `group` is one client of a broadcast group, with places of its own. */
    readonly broadcast: boolean;
    readonly filter: Filter["kind"];
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
    /** When the message may be handed out again: for `extend`, and not before, for `nack`. */
    readonly untilMs: number;
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
    readonly what: "pull" | "receive" | "request";
    readonly waitMs: number;
    readonly tookMs: number;
  };

type PlaceEvent =
  | {
    readonly kind: "places-asked";
    readonly call: number;
    readonly group: string;
    readonly topic: string;
  }
  | {
    readonly kind: "reset-asked" | "reset-ended";
    readonly how: PlaceAction;
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
  /** A group that begins with what is new asks for the topic for the first time. */
  | { readonly kind: "beginning"; readonly group: string; readonly topic: string }
  /** A group that begins with what is new has a place in every queue of the topic by now. */
  | { readonly kind: "placed"; readonly group: string; readonly topic: string }
  /** Places that only one client moves, as they are after a step and as they should be. */
  | {
    readonly kind: "kept";
    readonly group: string;
    readonly after: PlaceAction;
    readonly expected: readonly (number | null)[];
    readonly found: readonly (number | null)[];
  }
  /** What a group passed over since the shards started. */
  | {
    readonly kind: "counted";
    readonly group: string;
    readonly topic: string;
    readonly unmatched: number;
    readonly expired: number;
    /** Messages it has not looked at, or not finished. */
    readonly lag: number;
  };

type TimerEvent =
  | {
    readonly kind: "timer-asked";
    readonly action: "schedule" | "cancel" | "move";
    readonly id: string;
    readonly timerKey: string | null;
    /** By the clock of the asker, set back as far as it may be meanwhile. */
    readonly earliestMs: number;
  }
  | {
    readonly kind: "timer-ended";
    readonly action: "schedule" | "cancel" | "move";
    readonly id: string;
    readonly timerKey: string | null;
    readonly outcome: Outcome;
    readonly verdict: TimerVerdict | "scheduled" | null;
    /** As the broker told it; `null`: visible at once, or never. */
    readonly dueMs: number | null;
    /** Not visible before, by the wall clocks around the request. */
    readonly earliestMs: number;
    /** The message whose place it took. */
    readonly replaced: string | null;
  };

type TransactionEvent =
  | {
    readonly kind: "transaction-prepared";
    readonly id: string;
    readonly outcome: Outcome;
    readonly earliestMs: number;
  }
  | {
    readonly kind: "transaction-asked";
    readonly id: string;
    readonly verdict: "commit" | "rollback";
  }
  | {
    readonly kind: "transaction-settled";
    readonly id: string;
    readonly state: "committed" | "rolled-back";
    readonly first: boolean;
  }
  /** A producer was asked; `check` is which question the broker calls it. */
  | {
    readonly kind: "transaction-checked";
    readonly by: "poll" | "webhook" | "connection";
    readonly id: string;
    readonly check: number;
  }
  | { readonly kind: "transactions-parked"; readonly ids: readonly string[] }
  | { readonly kind: "transactions-rearming"; readonly all: boolean }
  | { readonly kind: "transactions-rearmed"; readonly rearmed: number }
  | {
    readonly kind: "transaction-found";
    readonly id: string;
    readonly state: HalfState | null;
    readonly checks: number;
  };

type KeyEvent =
  | {
    readonly kind: "keys-parked";
    readonly group: string;
    readonly topic: string;
    readonly keys: readonly {
      readonly queueId: number;
      readonly offset: number;
      readonly key: string;
      readonly attempts: number;
    }[];
  }
  | {
    readonly kind: "key-settle-asked";
    readonly group: string;
    readonly spot: Spot;
    readonly action: KeyAction;
  }
  | {
    readonly kind: "key-settled";
    readonly group: string;
    readonly spot: Spot;
    readonly action: KeyAction;
    readonly outcome: Outcome;
  };

type RequestEvent =
  | { readonly kind: "request-asked"; readonly id: string; readonly timeoutMs: number }
  /** Exactly one of `answer` and `code` is there. */
  | {
    readonly kind: "request-ended";
    readonly id: string;
    readonly answer: string | null;
    readonly code: ErrorCode | null;
    readonly tookMs: number;
  }
  /** A clerk was handed it. */
  | {
    readonly kind: "request-seen";
    readonly id: string;
    readonly storedMs: number;
    readonly grantedMs: number;
  }
  | { readonly kind: "reply-asked"; readonly id: string; readonly text: string }
  /** `code` `null`: it was taken. */
  | {
    readonly kind: "reply-ended";
    readonly id: string;
    readonly text: string;
    readonly code: ErrorCode | null;
  };

/** Where the disks have a message, as it matters to one group. */
export type Whereabouts = {
  readonly state: "visible" | "timer" | "nowhere" | HalfState;
  /** How often it is visible. */
  readonly copies: number;
  /** Where it died for the group. */
  readonly deaths: readonly string[];
  /** Where what waits to come again to the group, because it was sent back, was first. */
  readonly retries: readonly string[];
};

type ExplainEvent =
  | { readonly kind: "explain-asked"; readonly call: number; readonly group: string }
  | {
    readonly kind: "explained";
    readonly call: number;
    readonly group: string;
    /** What its producer called it; empty: nobody did. */
    readonly id: string;
    readonly by: "id" | "place";
    /** The place that was explained; `null`: it is in no queue. */
    readonly spot: Spot | null;
    /** The first cause. */
    readonly cause: CauseKind;
    readonly holder: string;
    readonly before: Whereabouts;
    readonly after: Whereabouts;
    /** What the asker knows it has to be. */
    readonly expected: readonly CauseKind[] | null;
  };

type LetterEvent =
  /** Some of a group's dead letters begin to go back, as fast as this at most. */
  | {
    readonly kind: "redrive-asked";
    readonly group: string;
    readonly choice: LetterChoice["kind"];
    readonly perSecond: number;
  }
  /** How a redrive stands, so long after it was asked for. */
  | {
    readonly kind: "redrive-seen";
    readonly group: string;
    readonly redrive: string;
    readonly choice: LetterChoice["kind"];
    readonly perSecond: number;
    readonly state: Redrive["state"];
    readonly redriven: number;
    readonly left: number;
    readonly elapsedMs: number;
  }
  /** `ids` empty: the oldest, or all. */
  | {
    readonly kind: "purge-asked";
    readonly group: string;
    readonly ids: readonly string[];
  }
  | {
    readonly kind: "purge-ended";
    readonly group: string;
    readonly ids: readonly string[];
    readonly outcome: Outcome;
    readonly purged: number;
  }
  /** All letters of a group that are neither sent back nor dropped. */
  | { readonly kind: "letters-left"; readonly group: string; readonly ids: readonly string[] };

type HostEvent =
  /** What its keeper met at his topic, and what he knows it has to be; `null`: nothing. */
  | {
    readonly kind: "topic-kept";
    readonly step: "replace" | "cancel" | "find" | "count" | "again" | "anew";
    readonly expected: string | null;
    readonly found: string | null;
  }
  | { readonly kind: "topic-gone" | "group-gone"; readonly name: string }
  | { readonly kind: "crash"; readonly power: boolean; readonly lost: readonly Spot[] }
  | { readonly kind: "started" }
  /** One shard's thread ended; the process goes on. */
  | { readonly kind: "shard-lost" | "shard-back"; readonly shard: number }
  | { readonly kind: "fault"; readonly shard: number; readonly fate: string }
  | { readonly kind: "clock-jump"; readonly ms: number }
  | { readonly kind: "calm" }
  | { readonly kind: "died"; readonly group: string; readonly id: string }
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
