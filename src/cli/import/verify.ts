/** Whether the target holds what was copied: looked at afterwards, at the target. @module */
import { digestOf } from "./message.ts";
import { passedOf } from "./offset_map.ts";
import type { QueueState } from "./state.ts";
import type { Target } from "./target.ts";

/** `counts` asks how far the queues reach; `contents` reads every message back. */
export type Verification = "counts" | "contents";

/** What was found: `undefined`, or what is wrong. */
export async function verifyQueue(
  state: QueueState,
  how: Verification,
  target: Pick<Target, "pull" | "ranges">,
): Promise<string | undefined> {
  const { topic, targetQueueId, targetNext } = state;
  const range = (await target.ranges(topic)).find(({ queueId }) => queueId === targetQueueId);
  if (range === undefined) return `the target has no queue ${targetQueueId}`;
  if (range.maxOffset < targetNext) {
    return `the target's queue ends at ${range.maxOffset}, ${targetNext} was acknowledged`;
  }
  const [first] = state.stretches;
  if (first === undefined) return undefined;
  if (range.minOffset > first[1]) {
    return `the target's retention deleted up to ${range.minOffset}; copied began at ${first[1]}`;
  }
  return how === "contents" ? await verifyContents(state, target) : undefined;
}

async function verifyContents(
  state: QueueState,
  target: Pick<Target, "pull">,
): Promise<string | undefined> {
  const { topic, targetQueueId: queueId } = state;
  let [digest, count] = [0, 0];
  for (const [, first, length] of state.stretches) {
    const end = first + length;
    for (let at = first; at < end;) {
      const { messages, next } = await target.pull({ topic, queueId }, at);
      for (const message of messages) {
        if (message.offset < at || message.offset >= end) continue;
        digest = digestOf(message, digest);
        count++;
      }
      if (next <= at) break;
      at = next;
    }
  }
  const { copied } = passedOf(state);
  if (count !== copied) return `${count} of ${copied} messages were read back`;
  if (digest !== state.digest) return "messages were read back that are not what was sent";
  return undefined;
}
