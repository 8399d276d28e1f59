/**
 * Consumer groups: who shares a topic's messages, and what happens when one of them fails.
 *
 * @module
 */

/** Waits that grow: `firstMs`, then `factor` times the one before, at most `maxMs`. */
export type RetryBackoff = {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** How much of a wait is drawn by lot, 0 to 1, so that many failures do not come back at once. */
  readonly jitter: number;
};

/** What users choose of a group. */
export type GroupSettings = {
  /** Where a group begins that has no offset yet. */
  readonly startFrom: "earliest" | "latest";
  /** Deliveries before a message goes to the dead-letter topic, the first one included. */
  readonly attemptsMax: number;
  /** Wait before the second, third, … delivery; the last one repeats. */
  readonly retryDelaysMs: readonly number[];
  /** Instead of the list: each wait a multiple of the one before. `null`: the list. */
  readonly retryBackoff: RetryBackoff | null;
  /**
   * At most one message of a sharding key is out at a time, keys run side by side, and a message
   * that keeps failing parks its key instead of going to the dead letters. Messages without a key
   * are one key.
   */
  readonly ordered: boolean;
  /** False stops all delivery to the group. */
  readonly consumeEnabled: boolean;
};

/** A group as the registry knows it. */
export type Group = {
  readonly name: string;
  /** Names the group within the broker, from 1 up, never used again. */
  readonly groupKey: number;
  readonly version: number;
  readonly settings: GroupSettings;
  readonly createdMs: number;
};

/** RocketMQ's own ladder: level 3 upwards, sixteen steps. */
export const defaultRetryDelaysMs: readonly number[] = [
  10_000,
  30_000,
  60_000,
  120_000,
  180_000,
  240_000,
  300_000,
  360_000,
  420_000,
  480_000,
  540_000,
  600_000,
  1_200_000,
  1_800_000,
  3_600_000,
  7_200_000,
];

/** What a group is made of unless told otherwise: first delivery and sixteen retries. */
export const defaultGroupSettings: GroupSettings = {
  startFrom: "earliest",
  attemptsMax: 17,
  retryDelaysMs: defaultRetryDelaysMs,
  retryBackoff: null,
  ordered: false,
  consumeEnabled: true,
};
