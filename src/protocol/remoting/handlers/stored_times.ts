/** When messages were stored, as several statistics want to know. @module */
import type { Broker } from "../../../broker/broker.ts";
import { recordStoredMs } from "../../../model/record.ts";
import { everything } from "../../../model/subscription.ts";

/** Stored time of the message at `offset`; `undefined` if the queue has none there. */
export async function storedMsAt(
  broker: Broker,
  topic: string,
  queueId: number,
  offset: number,
): Promise<number | undefined> {
  if (offset < 0) return undefined;
  const result = await broker.pull({
    topic,
    queueId,
    offset,
    messagesMax: 1,
    // The least a pull can ask for: the first record comes whatever its size.
    bytesMax: 1,
    filter: everything,
    waitMs: 0,
  });
  return result.count > 0 ? recordStoredMs(result.records, 0) : undefined;
}
