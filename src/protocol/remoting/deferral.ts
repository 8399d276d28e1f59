/**
 * When a message wants to be visible, read from its properties: protocol 6.4.
 *
 *     DELAY                  a level, which beats the others and takes them away
 *     TIMER_DELAY_SEC        seconds from now
 *     TIMER_DELAY_MS         milliseconds from now
 *     TIMER_DELIVER_MS       a time of day; one that is past means now
 *
 * The delivered message keeps them, as RocketMQ's does, and says in `REAL_TOPIC` and `REAL_QID`
 * where it was sent to. A message that has been a timer once is none again: it keeps
 * `TIMER_OUT_MS`, and passing it on does not put it off a second time.
 *
 * @module
 */
import type { Timing } from "../../model/message.ts";
import {
  propertyNames,
  readProperty,
  withoutProperties,
  withProperty,
} from "../../model/properties.ts";
import { delayOfLevelMs } from "./delay_levels.ts";
import { readInteger } from "./field_tables.ts";

/**
 * What becomes of a message. `isTimer`: it was sent for a time, not for a level, and can be
 * recalled until then.
 */
export type Deferral =
  | { readonly kind: "now" }
  | {
    readonly kind: "later";
    readonly timing: Timing;
    readonly properties: string;
    readonly isTimer: boolean;
  }
  | { readonly kind: "illegal"; readonly reason: string };

/** Where the message was sent; a queue below 0 leaves the choice to the broker. */
export type DeferralTarget = { readonly topic: string; readonly queueId: number };

const now: Deferral = { kind: "now" };
const timerNames: readonly string[] = [
  propertyNames.timerDelaySeconds,
  propertyNames.timerDelayMs,
  propertyNames.timerDeliverMs,
];

/** Reads when a message is to be visible. Nearly all say nothing, which two searches tell. */
export function deferralOf(properties: string, target: DeferralTarget, nowMs: number): Deferral {
  if (!properties.includes("DELAY") && !properties.includes("TIMER_DELIVER_MS")) return now;
  const level = readProperty(properties, propertyNames.delayLevel);
  if (level !== undefined) {
    const number = readInteger(level);
    if (Number.isNaN(number)) return illegal(propertyNames.delayLevel, level);
    if (number > 0) return levelDeferral(properties, target, number);
  }
  return timerDeferral(properties, target, nowMs);
}

function levelDeferral(properties: string, target: DeferralTarget, level: number): Deferral {
  const timing = { deliverAtMs: null, delayMs: delayOfLevelMs(level), timerKey: null };
  const rest = withoutProperties(properties, timerNames);
  return { kind: "later", timing, properties: withTarget(rest, target), isTimer: false };
}

function timerDeferral(properties: string, target: DeferralTarget, nowMs: number): Deferral {
  const name = timerNames.find((each) => readProperty(properties, each) !== undefined);
  const text = name === undefined ? undefined : readProperty(properties, name);
  if (name === undefined || text === undefined) return now;
  if (readProperty(properties, propertyNames.timerOutMs) !== undefined) return now;
  const number = readInteger(text);
  if (!Number.isSafeInteger(number)) return illegal(name, text);
  const isDelay = name !== propertyNames.timerDeliverMs;
  const delayMs = name === propertyNames.timerDelaySeconds ? number * 1000 : number;
  const dueMs = isDelay ? nowMs + delayMs : number;
  if (!Number.isSafeInteger(dueMs)) return illegal(name, text);
  if (dueMs <= nowMs) return now;
  const timing = isDelay
    ? { deliverAtMs: null, delayMs, timerKey: null }
    : { deliverAtMs: dueMs, delayMs: null, timerKey: null };
  const marked = withProperty(properties, propertyNames.timerOutMs, String(dueMs));
  return { kind: "later", timing, properties: withTarget(marked, target), isTimer: true };
}

function withTarget(properties: string, { topic, queueId }: DeferralTarget): string {
  const marked = withProperty(properties, propertyNames.realTopic, topic);
  return queueId < 0 ? marked : withProperty(marked, propertyNames.realQueueId, String(queueId));
}

function illegal(name: string, text: string): Deferral {
  const found = JSON.stringify(text.slice(0, 40));
  return {
    kind: "illegal",
    reason: `Cannot deliver a message later: ${name} is no time: ${found}`,
  };
}
