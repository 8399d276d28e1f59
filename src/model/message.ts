/** Messages as the door takes and gives them. @module */
import type { Survived } from "./durability.ts";

/** Where a message came from. `ip` is IPv4 dotted or IPv6. */
export type Host = { readonly ip: string; readonly port: number };

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
};

/** What a producer is told once its message is committed. */
export type SendReceipt = {
  /** The unique key: the one the client set, or the one the broker made. */
  readonly messageId: string;
  readonly queueId: number;
  readonly offset: number;
  /** Shard and position in one number, below 2^53 (`model/message_id.ts`). */
  readonly physicalOffset: number;
  readonly storedMs: number;
  readonly survived: Survived;
};
