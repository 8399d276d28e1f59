/** All checkers, one file for each promise. @module */
import type { MessageFacts } from "../events.ts";
import type { SimGroup } from "../groups.ts";
import { topicName } from "../groups.ts";
import type { Checker } from "../journal.ts";
import type { SimOptions } from "../options.ts";
import { screenReaders } from "../screens.ts";
import { Acknowledged } from "./acknowledged.ts";
import { Consumed } from "./consumed.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Delayed } from "./delayed.ts";
import { Explanations } from "./explanations.ts";
import { Expiry } from "./expiry.ts";
import { GroupOffsets } from "./group_offsets.ts";
import { KeptPlaces } from "./kept_places.ts";
import { KeptTopic } from "./kept_topic.ts";
import { KeyOrder } from "./key_order.ts";
import { Latest } from "./latest.ts";
import { Leases } from "./leases.ts";
import { Offsets } from "./offsets.ts";
import { OldReceipts } from "./old_receipts.ts";
import { QueueOrder } from "./queue_order.ts";
import { Redrives } from "./redrives.ts";
import { Repeats } from "./repeats.ts";
import { Requests } from "./requests.ts";
import { Timers } from "./timers.ts";
import { Transactions } from "./transactions.ts";
import { Waits } from "./waits.ts";
import { Wishes } from "./wishes.ts";

/** The checkers of a run. `consumed` also says when the calm has lasted long enough. */
export function checkersOf(
  options: SimOptions,
  groups: readonly SimGroup[],
  facts: ReadonlyMap<string, MessageFacts>,
): { readonly checkers: readonly Checker[]; readonly consumed: Consumed } {
  const { attemptsMax, lateMsMax, shards, topics, topicTtlMs } = options;
  const lastTopic = topicName(topics - 1);
  const ttlMsOf = ({ topic, ttlMs }: MessageFacts) =>
    ttlMs ?? (topic === lastTopic ? topicTtlMs : null);
  const mayExpire = (one: MessageFacts) => ttlMsOf(one) !== null;
  const ttlMsById = (id: string) => {
    const one = facts.get(id);
    return one === undefined ? null : ttlMsOf(one);
  };
  const consumed = new Consumed([...groups, ...screenReaders(options.screens)], facts, mayExpire);
  const checkers = [
    new Acknowledged(),
    new Offsets(),
    new GroupOffsets(),
    new QueueOrder(),
    new Leases(),
    new OldReceipts(ttlMsById),
    new DeadLetters(attemptsMax),
    new Delayed(),
    new Timers(100 + 6 * lateMsMax, options.retention),
    new Transactions(options.retention),
    new KeyOrder(facts, attemptsMax, mayExpire),
    new Wishes(facts, groups, mayExpire),
    new Expiry(ttlMsById),
    new Redrives(facts),
    new Explanations(facts, groups, attemptsMax, ttlMsOf),
    new Repeats(),
    new Requests(),
    new KeptPlaces(),
    new KeptTopic(),
    new Latest(),
    new Waits(2 * lateMsMax * (shards + 6) + 50),
    consumed,
  ];
  return { checkers, consumed };
}
