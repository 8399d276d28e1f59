/**
 * What a run exercised: every kind of step and every fault, counted, so that nothing silently stops
 * being drawn.
 *
 * @module
 */
import type { SimEvent } from "./events.ts";

/** A step's name → how often it happened. */
export type Coverage = Map<string, number>;

/** Steps that a few hundred seeds always take; a batch without one of them has lost its aim. */
export const expectedFeatures: readonly string[] = [
  "ack done",
  "ack expired",
  "clock jump",
  "crash of the power",
  "crash of the process",
  "clone",
  "dead letter",
  "delivery again",
  "delivery of a committed transaction",
  "delivery of a timer",
  "delivery from an ordered group",
  "delivery by SQL",
  "delivery to a screen",
  "delivery by tag",
  "expiry passed over",
  "explained as acknowledged",
  "explained as before-start",
  "explained as behind-key",
  "explained as behind-parked-key",
  "explained as dead-letter",
  "explained as expired",
  "explained as filtered",
  "explained as key-parked",
  "explained as leased",
  "explained as no-member",
  "explained as not-due",
  "explained as queue-behind",
  "explained as ready",
  "explained as retry-waiting",
  "explained as rolled-back",
  "explained as skipped-by-reset",
  "explained as transaction-open",
  "explained as unknown-group",
  "explained as unknown-message",
  "extend done",
  "fault crash-after",
  "fault crash-before",
  "fault full",
  "fault io-after",
  "fault io-before",
  "group deleted",
  "key buried",
  "key parked",
  "key retried",
  "key skipped",
  "latest group began",
  "nack done",
  "letter sent back",
  "letters purged",
  "redrive done",
  "redrive stopped",
  "repeat recognised",
  "reply too late",
  "request answered",
  "request timeout",
  "reset",
  "send back",
  "send refused",
  "send unknown",
  "shard lost",
  "timer cancelled",
  "timer moved",
  "timer replaced",
  "timer too late to change",
  "topic deleted",
  "topic kept: again",
  "topic kept: anew",
  "topic kept: cancel",
  "topic kept: count",
  "topic kept: find",
  "topic kept: replace",
  "transaction asked about by connection",
  "transaction asked about by poll",
  "transaction asked about by webhook",
  "transaction committed",
  "transaction parked",
  "transaction rearmed",
  "transaction rolled back",
  "transaction second verdict",
  "undo",
];

/** Counts what an event says was exercised. */
export function cover(coverage: Coverage, event: SimEvent): void {
  for (const name of namesOf(event)) coverage.set(name, (coverage.get(name) ?? 0) + 1);
}

/** Adds one run's counts to those of a batch. */
export function addCoverage(all: Coverage, one: Coverage): void {
  for (const [name, count] of one) all.set(name, (all.get(name) ?? 0) + count);
}

/** What a batch should have exercised and did not. */
export function uncovered(coverage: Coverage): string[] {
  return expectedFeatures.filter((name) => !coverage.has(name));
}

function namesOf(event: SimEvent): string[] {
  switch (event.kind) {
    case "crash":
      return [`crash of the ${event.power ? "power" : "process"}`];
    case "shard-lost":
      return ["shard lost"];
    case "fault":
      return [`fault ${event.fate}`];
    case "clock-jump":
      return ["clock jump"];
    case "topic-gone":
      return ["topic deleted"];
    case "topic-kept":
      return [`topic kept: ${event.step}`];
    case "group-gone":
      return ["group deleted"];
    case "send-back":
      return ["send back"];
    case "send-ended":
      return event.outcome === "done" ? [] : [`send ${event.outcome}`];
    case "repeat-ended":
      return event.repeated ? ["repeat recognised"] : [];
    case "settle-ended":
      return [`${event.how} ${event.verdict}`];
    case "delivered":
      return deliveryNames(event);
    case "reset-ended":
      return [event.how];
    case "timer-ended":
      return timerNames(event);
    case "transaction-settled":
      return event.first
        ? [`transaction ${event.state === "committed" ? "committed" : "rolled back"}`]
        : ["transaction second verdict"];
    case "transaction-checked":
      return [`transaction asked about by ${event.by}`];
    case "transactions-parked":
      return event.ids.length > 0 ? ["transaction parked"] : [];
    case "transactions-rearmed":
      return event.rearmed > 0 ? ["transaction rearmed"] : [];
    case "keys-parked":
      return event.keys.length > 0 ? ["key parked"] : [];
    case "key-settled":
      return event.outcome === "done" ? [`key ${pastOf[event.action]}`] : [];
    case "placed":
      return ["latest group began"];
    case "counted":
      return event.expired > 0 ? ["expiry passed over"] : [];
    case "died":
      return ["dead letter"];
    default:
      return deskNames(event);
  }
}

/** What stands beside the road of a message. */
function deskNames(event: SimEvent): string[] {
  switch (event.kind) {
    case "request-ended":
      return [`request ${event.code ?? "answered"}`];
    case "reply-ended":
      return event.code === "message_not_found" ? ["reply too late"] : [];
    case "explained":
      return [`explained as ${event.cause}`];
    case "redrive-seen":
      return event.state === "running" ? [] : [
        `redrive ${event.state}`,
        ...Array.from({ length: event.redriven }, () => "letter sent back"),
      ];
    case "purge-ended":
      return event.purged > 0 ? ["letters purged"] : [];
    default:
      return [];
  }
}

const pastOf = { retry: "retried", skip: "skipped", bury: "buried" } as const;

function deliveryNames(
  { messages, ordered, broadcast, filter }: SimEvent & { kind: "delivered" },
): string[] {
  const names: string[] = [];
  for (const { id, attempt } of messages) {
    if (attempt > 1) names.push("delivery again");
    if (id.startsWith("t")) names.push("delivery of a timer");
    if (id.startsWith("x")) names.push("delivery of a committed transaction");
    if (broadcast) names.push("delivery to a screen");
    if (ordered) names.push("delivery from an ordered group");
    if (filter === "sql") names.push("delivery by SQL");
    if (filter === "tags") names.push("delivery by tag");
  }
  return names;
}

function timerNames({ action, verdict, replaced }: SimEvent & { kind: "timer-ended" }): string[] {
  const names: string[] = [];
  if (replaced !== null) names.push("timer replaced");
  if (verdict === "cancelled") names.push("timer cancelled");
  if (verdict === "rescheduled") names.push("timer moved");
  if (verdict === "already-delivered" && action !== "schedule") {
    names.push("timer too late to change");
  }
  return names;
}
