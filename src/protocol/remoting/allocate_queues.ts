/**
 * How the members of a group share a topic's queues when the broker works it out for them: as
 * RocketMQ's clients do themselves, so that both kinds of members in one group agree.
 *
 * @module
 */
import { BrokerError } from "../../model/errors.ts";

type Allocate = (queueIds: readonly number[], index: number, members: number) => number[];

const strategies: ReadonlyMap<string, Allocate> = new Map([
  ["AVG", inRuns],
  ["AVG_BY_CIRCLE", inTurns],
]);

/**
 * The queues of `member`; none if it is not among `members`.
 *
 * @throws {BrokerError} `not_supported`: no such strategy.
 */
export function allocateQueues(
  strategy: string,
  queueCount: number,
  members: readonly string[],
  member: string,
): number[] {
  const allocate = strategies.get(strategy);
  if (allocate === undefined) {
    throw new BrokerError(
      "not_supported",
      `Cannot share queues by ${JSON.stringify(strategy.slice(0, 60))}: ` +
        `there are ${[...strategies.keys()].join(" and ")}`,
    );
  }
  const sorted = [...new Set(members)].sort();
  const index = sorted.indexOf(member);
  if (index === -1) return [];
  const queueIds = Array.from({ length: queueCount }, (_, queueId) => queueId);
  return allocate(queueIds, index, sorted.length);
}

/** Neighbouring queues to each; the first members get one more when it does not come out even. */
function inRuns(queueIds: readonly number[], index: number, members: number): number[] {
  const least = Math.floor(queueIds.length / members);
  const over = queueIds.length % members;
  const start = index * least + Math.min(index, over);
  return queueIds.slice(start, start + least + (index < over ? 1 : 0));
}

/** The queues dealt out like cards. */
function inTurns(queueIds: readonly number[], index: number, members: number): number[] {
  return queueIds.filter((queueId) => queueId % members === index);
}
