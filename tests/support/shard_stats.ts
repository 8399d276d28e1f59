/** What an idle shard says of itself, for tests of those who tell it on. @module */
import type { ShardStats } from "../../src/link/shard_messages.ts";

/** An idle shard's figures, but for what is said. */
export function shardStats(part: Partial<ShardStats>): ShardStats {
  return { ...idle, ...part };
}

const idle: ShardStats = {
  state: "ok",
  reason: "",
  messages: 0,
  logBytes: 0,
  walBytes: 0,
  delayed: 0,
  parked: 0,
  openDeliveries: 0,
  turns: 0,
  commits: 0,
  appended: 0,
  delivered: 0,
  commitMsTotal: 0,
  damagedReads: 0,
  unmatched: 0,
  expired: 0,
  dropping: 0,
  dropped: 0,
  firstStoredMs: null,
  disk: null,
};
