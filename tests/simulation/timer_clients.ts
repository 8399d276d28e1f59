/**
 * Simulated clients of timers: each sends messages for later, and calls off, moves and replaces its
 * own, one step after the other, so that it knows what every answer has to be.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { SendReceipt, Timing } from "../../src/model/message.ts";
import type { TimerName, TimerVerdict } from "../../src/link/timer_messages.ts";
import { attempt, type ClientParts, dialled, drawMessage, newMessage } from "./clients.ts";
import type { Outcome } from "./events.ts";
import { topicName } from "./groups.ts";
import type { Names } from "./producers.ts";

/** What a client remembers of a timer it sent. */
type Sent = { readonly id: string; readonly timerKey: string | null };

/** How far timers lie ahead at most: what is pending after a storm comes true soon. */
const aheadMsMax = 12_000;
/** Clocks may be set back by so much between two looks. */
const setBackMs = 8_000;
/** Timers a client changes later. */
const rememberedMax = 8;

/** A topic whose messages survive everything, so that each verdict holds for ever. */
export const strongTopic = topicName(0);

/** Sends and changes timers until the storm is over. */
export async function runTimerClient(
  parts: ClientParts,
  name: string,
  prng: Prng,
  names: Names,
): Promise<void> {
  const { options, scheduler, world } = parts;
  const sent: Sent[] = [];
  for (let count = 0; count < options.sends && !world.isCalm; count++) {
    const timer = sent.length > 0 && prng.chance(0.5) ? prng.pick(sent) : null;
    if (timer === null || prng.chance(0.1)) {
      const timerKey = prng.chance(0.4) ? `${name} ${prng.int(3)}` : null;
      const id = timer?.id ?? `t${++names.messages}`;
      // Sent again under its id, a timer keeps its name, or it would meet another shard's.
      const again = timer === null ? { id, timerKey } : timer;
      await schedule(parts, prng, again);
      if (timer === null) sent.push(again);
      if (sent.length > rememberedMax) sent.shift();
    } else await change(parts, prng, timer);
    await scheduler.sleep(prng.int(Math.ceil(options.stormMs / options.sends)));
  }
}

function drawTiming(parts: ClientParts, prng: Prng, timerKey: string | null): Timing {
  const aheadMs = prng.chance(0.1) ? prng.pick([0, 1]) : prng.int(aheadMsMax);
  if (prng.chance(0.5)) return { deliverAtMs: null, delayMs: aheadMs, timerKey };
  // In the past means now.
  const deliverAtMs = parts.scheduler.clock.wallMs() + aheadMs - 500;
  return { deliverAtMs, delayMs: null, timerKey };
}

/** The broker's clock decides when it is asked: it may be set back until then. */
function earliestOf({ scheduler, options }: ClientParts, { deliverAtMs, delayMs }: Timing): number {
  const nowMs = scheduler.clock.wallMs() - (options.clockJumps ? setBackMs : 0);
  return deliverAtMs ?? nowMs + (delayMs ?? 0);
}

async function schedule(parts: ClientParts, prng: Prng, { id, timerKey }: Sent): Promise<void> {
  const { journal } = parts;
  const timing = drawTiming(parts, prng, timerKey);
  const known = parts.facts.get(id);
  const drawn = { ...drawMessage(parts, prng, strongTopic), ...known };
  const made = newMessage(parts, { ...drawn, id, how: "timer", ownId: true });
  const keyed = timerKey === null && drawn.key !== null ? { shardingKey: drawn.key } : {};
  const earliestMs = earliestOf(parts, timing);
  journal.note({ kind: "timer-asked", action: "schedule", id, timerKey, earliestMs });
  const result = await attempt(parts, `timer ${id}`, (broker) => {
    const messages = [{ ...made, timing }];
    return broker.send({
      topic: strongTopic,
      queueId: null,
      ...keyed,
      storeHost: dialled,
      messages,
    });
  });
  const receipt: SendReceipt | undefined = "answer" in result ? result.answer[0] : undefined;
  const outcome: Outcome = "answer" in result ? "done" : result.outcome;
  journal.note({
    kind: "timer-ended",
    action: "schedule",
    id,
    timerKey,
    outcome,
    verdict: receipt === undefined
      ? null
      : receipt.deliverAtMs === undefined
      ? "already-delivered"
      : "scheduled",
    dueMs: receipt?.deliverAtMs ?? null,
    earliestMs,
    replaced: receipt?.replacedMessageId ?? null,
  });
}

async function change(parts: ClientParts, prng: Prng, { id, timerKey }: Sent): Promise<void> {
  const { journal } = parts;
  const byKey = timerKey !== null && prng.chance(0.5);
  const name: TimerName = byKey
    ? { by: "key", timerKey: timerKey ?? "" }
    : { by: "id", messageId: id };
  const topic = byKey || prng.chance(0.7) ? strongTopic : null;
  const timing = drawTiming(parts, prng, null);
  const { deliverAtMs, delayMs } = timing;
  const earliestMs = earliestOf(parts, timing);
  const action = prng.chance(0.5) ? "cancel" : "move";
  // By key whoever carries it is meant: not this message for certain.
  const meant = byKey ? "" : id;
  const told = { action, id: meant, timerKey: byKey ? timerKey : null } as const;
  const notBefore = action === "move" ? earliestMs : Infinity;
  journal.note({ kind: "timer-asked", ...told, earliestMs: notBefore });
  const result = await attempt(parts, `${action} of timer ${id}`, (broker) => {
    if (action === "cancel") return broker.timers.cancel(topic, name);
    return broker.timers.move(topic, name, { deliverAtMs, delayMs });
  });
  const outcome: Outcome = "answer" in result ? "done" : result.outcome;
  const verdict: TimerVerdict | null = "answer" in result ? result.answer.verdict : null;
  const dueMs = "answer" in result ? result.answer.deliverAtMs : null;
  const rest = { outcome, verdict, dueMs, earliestMs, replaced: null };
  journal.note({ kind: "timer-ended", ...told, ...rest });
}
