/** What the HTTP front counts. @module */
import type { MetricRow } from "../../base/metrics.ts";

/** Requests by route pattern: paths themselves would be unbounded. */
export const requestsTotal = {
  name: "curlew_http_requests_total",
  type: "counter",
  help: "HTTP requests answered",
  labels: ["method", "route", "status"],
} as const satisfies MetricRow;

/** From a request's head to its answer's head; a long poll's wait is part of it. */
export const requestSeconds = {
  name: "curlew_http_request_seconds",
  type: "histogram",
  help: "Time from a request to its answer",
  labels: ["method", "route"],
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
} as const satisfies MetricRow;

/** Server-sent event streams open now. */
export const streamsOpen = {
  name: "curlew_http_event_streams",
  type: "gauge",
  help: "Server-sent event streams open now",
  labels: [],
} as const satisfies MetricRow;

/** Whether the broker can serve. */
export const ready = {
  name: "curlew_ready",
  type: "gauge",
  help: "1 when the broker can serve, 0 when it cannot",
  labels: [],
} as const satisfies MetricRow;

/** Shard state as a row of flags, one of which is 1. */
export const shardState = {
  name: "curlew_shard_state",
  type: "gauge",
  help: "1 for the state the shard is in",
  labels: ["shard", "state"],
} as const satisfies MetricRow;

/** A number of `ShardStats` and how it is told. */
type ShardRow = MetricRow & {
  readonly labels: readonly ["shard"];
  readonly type: "counter" | "gauge";
};

const shard = ["shard"] as const;
/** Name in `ShardStats` → its metric. */
export const shardRows = {
  messages: { name: "curlew_shard_messages", type: "gauge", help: "Messages kept", labels: shard },
  logBytes: {
    name: "curlew_shard_log_bytes",
    type: "gauge",
    help: "Size of the log",
    labels: shard,
  },
  walBytes: {
    name: "curlew_shard_wal_bytes",
    type: "gauge",
    help: "Size of the WAL",
    labels: shard,
  },
  delayed: {
    name: "curlew_shard_delayed_messages",
    type: "gauge",
    help: "Messages waiting for their time",
    labels: shard,
  },
  parked: {
    name: "curlew_shard_parked_polls",
    type: "gauge",
    help: "Polls waiting",
    labels: shard,
  },
  openDeliveries: {
    name: "curlew_shard_open_deliveries",
    type: "gauge",
    help: "Messages delivered and not settled",
    labels: shard,
  },
  turns: { name: "curlew_shard_turns_total", type: "counter", help: "Turns", labels: shard },
  commits: { name: "curlew_shard_commits_total", type: "counter", help: "Commits", labels: shard },
  appended: {
    name: "curlew_shard_appended_messages_total",
    type: "counter",
    help: "Messages stored since the start",
    labels: shard,
  },
  delivered: {
    name: "curlew_shard_delivered_messages_total",
    type: "counter",
    help: "Messages read since the start",
    labels: shard,
  },
  unmatched: {
    name: "curlew_shard_unmatched_messages_total",
    type: "counter",
    help: "Messages that nobody of a group wanted",
    labels: shard,
  },
  expired: {
    name: "curlew_shard_expired_messages_total",
    type: "counter",
    help: "Messages passed over because their time to live was over",
    labels: shard,
  },
  dropping: {
    name: "curlew_shard_dropping_queues",
    type: "gauge",
    help: "Queues of deleted topics that are still being dropped",
    labels: shard,
  },
  dropped: {
    name: "curlew_shard_dropped_messages_total",
    type: "counter",
    help: "Waiting messages of deleted topics that were dropped",
    labels: shard,
  },
  damagedReads: {
    name: "curlew_shard_damaged_reads_total",
    type: "counter",
    help: "Reads refused because of a checksum",
    labels: shard,
  },
} as const satisfies Readonly<Record<string, ShardRow>>;

/** Room on the disk; without a value where the system does not tell. */
export const diskFreeBytes = {
  name: "curlew_shard_disk_free_bytes",
  type: "gauge",
  help: "Free on the data disk when the shard last looked",
  labels: shard,
} as const satisfies MetricRow;

/** Time spent in commits; the store counts milliseconds. */
export const commitSeconds = {
  name: "curlew_shard_commit_seconds_total",
  type: "counter",
  help: "Time spent in commits",
  labels: shard,
} as const satisfies MetricRow;
