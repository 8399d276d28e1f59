/**
 * Timers: sent, cancelled, moved, and replaced by key. Some are due long after the run.
 *
 * @module
 */
import { asked, keepOn, type Stage } from "./actor.ts";
import type { Deed } from "./journal.ts";

/** What is due within the run is due so soon. */
export const timerDelayMsMax = 3_000;
/** What outlives the run. */
const farDelayMs = 3_600_000;
const batchMax = 12;
const keysCount = 6;
/** Timers that may still be cancelled or moved; older ones are left in peace. */
const pendingMax = 200;

type Pending = { readonly body: string; readonly handle: string };

/** One producer of timers. */
export async function armTimers(stage: Stage, name: string): Promise<void> {
  const pending: Pending[] = [];
  const keys = Array.from({ length: keysCount }, (_, at) => new TimerKey(`${name}-key-${at}`));
  let serial = 0;
  await keepOn(stage, async () => {
    const { prng } = stage;
    if (prng.chance(0.5)) {
      const batch = Array.from(
        { length: prng.between(1, batchMax) },
        () => ({ body: `${name}-${serial++}`, ...timeFor(stage) }),
      );
      pending.push(...await arm(stage, batch));
      pending.splice(0, pending.length - pendingMax);
      return;
    }
    if (prng.chance(0.4)) {
      const key = keys[prng.int(keysCount)];
      return await key?.arm(stage, `${name}-k-${serial++}`);
    }
    const [chosen] = pending.splice(prng.int(pending.length || 1), 1);
    if (chosen === undefined) return;
    if (prng.chance(0.6)) return await cancel(stage, chosen);
    await move(stage, chosen);
    pending.push(chosen);
  });
}

/** When a new timer is due: as a time or as a delay, seldom long after the run. */
function timeFor({ prng }: Stage) {
  const delayMs = prng.chance(0.1) ? farDelayMs : prng.int(timerDelayMsMax);
  return prng.chance(0.5) ? { delayMs } : { deliverAtMs: Date.now() + delayMs };
}

type Time = { readonly delayMs?: number; readonly deliverAtMs?: number };

/** The first time it can be due: the broker counts a delay from later than now. */
function dueMsOf({ delayMs = 0, deliverAtMs }: Time): number {
  return deliverAtMs ?? Date.now() + delayMs;
}

async function arm(
  stage: Stage,
  batch: readonly (Time & { body: string })[],
): Promise<Pending[]> {
  const { journal, topic } = stage;
  journal.note(batch.map((time) => ({ deed: "sent", body: time.body, dueMs: dueMsOf(time) })));
  const { receipts } = await asked(stage, `POST /v1/topics/${topic}/messages`, { messages: batch });
  const pending = batch.map(({ body }, at): Pending => ({ body, handle: receipts[at].messageId }));
  journal.note(pending.map(({ body, handle }) => ({ deed: "armed", body, handle })));
  return pending;
}

async function cancel(stage: Stage, { body, handle }: Pending): Promise<void> {
  const { journal, topic } = stage;
  journal.note([{ deed: "asked", body, wish: "cancel" }]);
  const { verdict } = await asked(stage, `DELETE /v1/timers/${handle}?topic=${topic}`);
  journal.note([{ deed: "told", body, wish: "cancel", verdict }]);
}

async function move(stage: Stage, { body, handle }: Pending): Promise<void> {
  const { journal, topic } = stage;
  const time = timeFor(stage);
  journal.note([{ deed: "asked", body, wish: "move", dueMs: dueMsOf(time) }]);
  const path = `/v1/timers/${handle}?topic=${topic}`;
  const { verdict, deliverAtMs } = await asked(stage, `PATCH ${path}`, time);
  const dueMs = typeof deliverAtMs === "number" ? { dueMs: deliverAtMs } : {};
  journal.note([{ deed: "told", body, wish: "move", verdict, ...dueMs }]);
}

/** A key under which at most one timer is pending: each new one takes the place of the last. */
class TimerKey {
  readonly #key: string;
  /** What may be pending under the key; more than one when answers were lost. */
  #candidates: { readonly body: string; handle: string | null }[] = [];

  constructor(key: string) {
    this.#key = key;
  }

  async arm(stage: Stage, body: string): Promise<void> {
    const { journal, topic } = stage;
    const time = timeFor(stage);
    const earlier = this.#candidates;
    journal.note([
      { deed: "sent", body, dueMs: dueMsOf(time) },
      ...earlier.map((each): Deed => ({ deed: "asked", body: each.body, wish: "replace" })),
    ]);
    const mine = { body, handle: null as string | null };
    this.#candidates = [...earlier, mine];
    const message = { body, ...time, timerKey: this.#key };
    const { receipts: [receipt] } = await asked(stage, `POST /v1/topics/${topic}/messages`, {
      messages: [message],
    });
    mine.handle = receipt.messageId;
    const replaced: string | undefined = receipt.replacedMessageId;
    journal.note([
      { deed: "armed", body, handle: receipt.messageId },
      // Of one whose receipt was lost nobody knows the id: that it was replaced stays open.
      ...earlier.filter(({ handle }) => handle !== null).map((each): Deed => ({
        deed: "told",
        body: each.body,
        wish: "replace",
        verdict: each.handle === replaced ? "replaced" : "kept",
      })),
    ]);
    this.#candidates = [mine];
  }
}
