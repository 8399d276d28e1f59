/**
 * Which shard a new queue goes to, and which queue a key leads to. The shard is asked for once,
 * when the queue is made: the answer is stored with it and never computed again, so that shards can
 * be added.
 *
 * @module
 */
import { placementHash } from "../base/hash.ts";

/** The shard of a topic's queue, by the queue's number. */
export type ShardOfQueue = (queueId: number) => number;

/** One shard after the other, from a start the name decides: small topics spread as well. */
export function inTurn(topic: string, shards: number): ShardOfQueue {
  const start = placementHash(topic) % shards;
  return (queueId) => (start + queueId) % shards;
}

/** Queue i in shard i: retry and dead-letter topics, which every shard writes without asking. */
export function onePerShard(_topic: string, shards: number): ShardOfQueue {
  return (queueId) => queueId % shards;
}

/** Equal keys, equal queues, as long as the topic has as many. */
export function queueOfKey(key: string, queues: number): number {
  return placementHash(key) % queues;
}
