/** Messages as the door takes and gives them. @module */
import type { Survived } from "./durability.ts";

/** Where a message came from. `ip` is IPv4 dotted or IPv6. */
export type Host = { readonly ip: string; readonly port: number };

/**
 * When a message becomes visible, if not at once. At most one of the two times; a key without a
 * time takes the place of the pending timer of that key, now.
 */
export type Timing = {
  readonly deliverAtMs: number | null;
  readonly delayMs: number | null;
  /** The producer's own name for the timer: at most one pending timer of a topic carries it. */
  readonly timerKey: string | null;
};

/**
 * A message as a producer hands it in. `properties` is RocketMQ's text form (`model/properties.ts`)
 * and carries tag, keys, sharding key and message id too: it is stored as it came.
 */
export type NewMessage = {
  readonly body: Uint8Array;
  readonly properties: string;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornMs: number;
  readonly bornHost: Host;
  readonly reconsumeTimes: number;
  readonly timing?: Timing;
};

/** What a producer is told once its message is committed. */
export type SendReceipt = {
  /** The unique key: the one the client set, or the one the broker made. */
  readonly messageId: string;
  readonly queueId: number;
  /** `null`: it has none yet, being due at `deliverAtMs`. */
  readonly offset: number | null;
  /** Shard and position in one number, below 2^53 (`model/message_id.ts`); `null` with `offset`. */
  readonly physicalOffset: number | null;
  readonly storedMs: number;
  readonly survived: Survived;
  /** When it becomes visible, if that is later. */
  readonly deliverAtMs?: number;
  /** The pending timer whose place it took. */
  readonly replacedMessageId?: string;
  /** The message was stored before, and this says where: it was not stored again. */
  readonly repeated: boolean;
};
