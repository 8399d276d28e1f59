/**
 * Why a message was, or was not, delivered: what a broker knows of it, and the causes drawn from
 * that.
 *
 * @module
 */

/** Every cause there is. */
export const causeKinds = [
  "unknown-topic",
  "unknown-group",
  "unknown-message",
  "not-due",
  "transaction-open",
  "transaction-parked",
  "rolled-back",
  "topic-unreadable",
  "group-off",
  "retention",
  "damaged",
  "dead-letter",
  "key-skipped",
  "skipped-by-reset",
  "before-start",
  "expired",
  "filtered",
  "held-for-member",
  "key-parked",
  "behind-parked-key",
  "behind-key",
  "leased",
  "retry-waiting",
  "queue-behind",
  "queue-full",
  "no-member",
  "ready",
  "acknowledged",
] as const;

/** One of `causeKinds`. */
export type CauseKind = (typeof causeKinds)[number];

/** One cause. `command` changes it, or shows more; `null`: nothing has to be changed. */
export type Cause = {
  readonly cause: CauseKind;
  readonly sentence: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
  readonly command: string | null;
};

/** An open delivery, as far as it matters to others. `leased`: `untilMs` is the lease's end. */
export type OpenFacts = {
  readonly attempts: number;
  readonly untilMs: number;
  readonly leased: boolean;
  readonly parked: boolean;
  /** Who was given the lease; `null`: nobody, or that was before the broker's last start. */
  readonly holder: string | null;
};

/** Something done to the group's place in the queue. */
export type MoveFacts = {
  readonly kind: "began" | "reset" | "undo" | "clone" | "key-skipped" | "key-buried";
  readonly by: string;
  readonly atMs: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Where the shard's log ended when it happened; `null`: an older broker noted it. */
  readonly position: number | null;
  /** An undo that put the group back to where it had not finished the message. */
  readonly putBack: boolean;
};

/** An earlier open message of the same key. */
export type BeforeFacts = {
  readonly offset: number;
  readonly messageId: string;
  readonly open: OpenFacts;
};

/** What a shard knows of one place in a queue, and of a group there. */
export type PlaceFacts = {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** `null`: nothing is stored there any more, or not yet. */
  readonly stored: {
    readonly messageId: string;
    readonly key: string;
    readonly storedMs: number;
    readonly expiresMs: number | null;
    /** In the shard's log. */
    readonly position: number;
  } | null;
  /** The group's place; `null`: it has none in this queue. */
  readonly next: number | null;
  readonly open: OpenFacts | null;
  readonly before: BeforeFacts | null;
  /** Newest first. */
  readonly moves: readonly MoveFacts[];
  /** Remembered since the shard started; `null`: it was not, or it is forgotten. */
  readonly passed: "expired" | "unmatched" | null;
  /** How many messages of the queue no member wanted, since the shard started. */
  readonly unmatched: number;
  /** Who of the group asked last for this queue since the shard started. */
  readonly lastAsked: { readonly atMs: number; readonly by: string } | null;
  /** Messages of the queue kept back for their key or for another member, and how many may be. */
  readonly held: number;
  readonly heldMax: number;
  /** Whether each of the asked filters lets the message through. */
  readonly matches: readonly boolean[];
  /** A copy a pulling consumer sent back, which waits for its time. */
  readonly retry: { readonly dueMs: number; readonly times: number } | null;
};

/** A message that is not in its queue. */
export type WaitingFacts =
  | { readonly kind: "timer"; readonly dueMs: number; readonly timerKey: string | null }
  | {
    readonly kind: "half";
    readonly state: "prepared" | "parked" | "committed" | "rolled-back";
    readonly producerGroup: string;
    readonly checks: number;
    readonly createdMs: number;
    readonly nextCheckMs: number;
    readonly settledMs: number;
    /** How the transaction is named to the broker. */
    readonly transactionId: string | null;
  };

/** A dead letter of the group with the message's id. */
export type DeadFacts = {
  readonly reason: string | null;
  readonly attempts: number;
  readonly diedMs: number;
  readonly by: string | null;
  /** False: it was redriven or purged since. */
  readonly left: boolean;
  /** In the log of the message's shard; `null`: it is in another one's. */
  readonly position: number | null;
};

/** What bounds a topic. `bytes`: of one shard's queues together; `null`: no bound. */
export type RetentionFacts = {
  readonly ms: number;
  readonly bytes: number | null;
  /** When the topic was made: nothing in it is older. */
  readonly topicCreatedMs: number;
};

/** Everything known about a message and a group. */
export type ExplainFacts = {
  readonly nowMs: number;
  readonly messageId: string | null;
  readonly topic: {
    readonly name: string;
    readonly exists: boolean;
    readonly readable: boolean;
    /** As it is set now; `null`: there is no such topic. */
    readonly retention: RetentionFacts | null;
  };
  readonly group: {
    readonly name: string;
    readonly exists: boolean;
    readonly consumeEnabled: boolean;
    readonly attemptsMax: number;
  };
  /** Where the message is; `null`: in no queue that was looked at. */
  readonly place: (PlaceFacts & { readonly queueId: number; readonly offset: number }) | null;
  readonly waiting: WaitingFacts | null;
  readonly dead: DeadFacts | null;
  /** What members of the group want, as text, in the order of `place.matches`. */
  readonly filters: readonly string[];
  /** Members that are connected or asked lately. */
  readonly members: number;
};

/** Which message: by its id, in one topic or any, or by its place. */
export type ExplainTarget =
  | { readonly by: "id"; readonly messageId: string; readonly topic: string | null }
  | {
    readonly by: "place";
    readonly topic: string;
    readonly queueId: number;
    readonly offset: number;
  };

/** Why the message was, or was not, delivered; the deciding cause first. */
export type Explanation = {
  readonly messageId: string | null;
  readonly topic: string;
  /** `null`: in no queue. */
  readonly queueId: number | null;
  readonly offset: number | null;
  readonly group: string;
  readonly causes: readonly Cause[];
};
