/** What is said between front and shard of messages that are sent again. @module */
/** Which messages may have been stored before: these are not stored again. */
export type RepeatRule = {
  /** By message: its id, or "" when it cannot have been sent before. */
  readonly ids: readonly string[];
  /** How far back a message of the same topic and id counts. */
  readonly windowMs: number;
  /**
   * The topic's queues have this key or a later one: what an older topic of its name held does not
   * count. No time would say so, as clocks are set back.
   */
  readonly firstQueueKey: number;
};
/** A message of the request that was stored before, and where that was. */
export type Repeat = {
  readonly index: number;
  readonly queueId: number;
  readonly offset: number;
  readonly position: number;
  readonly storedMs: number;
};
/**
 * Which messages of a topic were stored within the window? Nothing is stored. All that was asked of
 * the shard before is committed or refused when this is answered.
 */
export type KnownAsk = RepeatRule & { readonly topic: string };
