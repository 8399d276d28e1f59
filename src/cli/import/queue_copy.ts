/**
 * Copies one queue, in order, each message once.
 *
 *     pull source ──▶ known at the target? ──no──▶ send ──all acknowledged──▶ advance, pull on
 *                        ▲        └──yes──▶ advance      └──lost──▶ look at the target again
 *                        └──────────────────────────────────────────────────────────┘
 *
 * A batch is sent in one write of one connection and acknowledged before the next, so that what the
 * target holds of a lost batch is its beginning. Where the outcome is not known (a lost connection,
 * or a run that was killed), what stands at the target behind the last acknowledged message is read
 * and compared: what is there already is not sent again.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Host } from "../../ports/host.ts";
import { RefusedError } from "../failure.ts";
import { persist } from "../patience.ts";
import { digestOf, isCopyOf, type Message, obstacleOf } from "./message.ts";
import { addPair } from "./offset_map.ts";
import type { Pace } from "./pace.ts";
import { refusalOf } from "./remoting_client.ts";
import type { Source } from "./source.ts";
import type { QueueState } from "./state.ts";
import type { Target } from "./target.ts";

/** How long the target has to look the same before it is believed to be at rest. */
const settleMs = 500;
const settleTriesMax = 20;

/** A message that could not be copied. */
export type Skipped = { readonly offset: number; readonly why: string };

/** What a copy needs, and whom it tells. */
export type CopyParts = {
  readonly host: Pick<Host, "clock" | "sleep" | "randomBytes">;
  readonly source: Pick<Source, "pull">;
  readonly target: Pick<Target, "pull" | "send" | "ranges" | "address">;
  readonly pace: Pick<Pace, "take">;
  /** How long one step may fail before the queue is given up. */
  readonly giveUpMs: number;
  readonly stop: AbortSignal;
  /** So many messages more were acknowledged by the target. */
  readonly onCopied: (count: number) => void;
  /** One more was there already: it was sent before, and its answer was lost. */
  readonly onFound: () => void;
  readonly onSkipped: (state: QueueState, skipped: Skipped) => void;
  /** What keeps the copy waiting; `undefined` once it goes on. */
  readonly onTrouble: (trouble: string | undefined) => void;
};

/** One queue on its way. `state` is advanced in place, after each acknowledgement. */
export class QueueCopy {
  readonly #state: QueueState;
  readonly #parts: CopyParts;
  /** Messages of the piece at hand that the target does not take, in order. */
  #obstacles: Skipped[] = [];
  /** Whether the target may hold messages of ours behind the last acknowledged one. */
  #isInDoubt = true;
  /** Where those end; `undefined`: the target has not been asked. */
  #doubtEnd: number | undefined;
  /** A connection was lost: what was on it may still be stored while we look. */
  #isUnsettled = false;

  constructor(state: QueueState, parts: CopyParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /**
   * Copies up to the source's offset `end`, or until `stop`.
   *
   * @throws {RefusedError | UnreachableError | WireError} It cannot go on. The state is right.
   */
  async run(end: number): Promise<void> {
    const state = this.#state;
    if (end < state.next) throw sourceShrank(state, end);
    let ahead: Promise<readonly Message[]> | undefined;
    while (state.next < end && !this.#parts.stop.aborted) {
      const piece = await (ahead ?? this.#pull(state.next, end));
      ahead = undefined;
      const last = piece.at(-1);
      if (last === undefined) {
        this.#moveTo(end);
        return;
      }
      if (last.offset + 1 < end) {
        ahead = this.#pull(last.offset + 1, end);
        // Its failure is told when it is its turn, or never, if this piece fails first.
        ahead.catch(() => {});
      }
      await this.#deliver(piece);
    }
  }

  /** The next messages from `from` on; none: there are no more before `end`. */
  async #pull(from: number, end: number): Promise<readonly Message[]> {
    let at = from;
    while (at < end) {
      const found = await this.#patiently(async () => {
        const { messages, next } = await this.#parts.source.pull(this.#state, at);
        const wanted = messages.filter(({ offset }) => offset >= at && offset < end);
        if (wanted.length === 0 && next <= at) throw sourceSilent(this.#state, at, end);
        return { wanted, next };
      });
      if (found.wanted.length > 0) return found.wanted;
      at = found.next;
    }
    return [];
  }

  async #deliver(piece: readonly Message[]): Promise<void> {
    const { stop, pace } = this.#parts;
    const copyable = this.#withoutObstacles(piece);
    if (copyable.length > 0) await pace.take(copyable.length, stop);
    if (stop.aborted) return;
    await this.#patiently(async () => {
      let rest = copyable.filter(({ offset }) => offset >= this.#state.next);
      if (this.#isInDoubt) rest = await this.#unknown(rest);
      if (rest.length > 0) await this.#send(rest);
    });
    const last = piece.at(-1);
    if (last !== undefined) this.#moveTo(last.offset + 1);
  }

  /** The part of a piece that the target takes; the rest is told as it is passed. */
  #withoutObstacles(piece: readonly Message[]): Message[] {
    this.#obstacles = [];
    return piece.filter((message) => {
      const why = obstacleOf(message);
      if (why !== undefined) this.#obstacles.push({ offset: message.offset, why });
      return why === undefined;
    });
  }

  /** @throws {RefusedError | UnreachableError} Not all are stored; the state knows which are. */
  async #send(messages: readonly Message[]): Promise<void> {
    const { target, onCopied } = this.#parts;
    const { topic, targetQueueId: queueId } = this.#state;
    this.#isInDoubt = true;
    this.#doubtEnd = undefined;
    this.#isUnsettled = true;
    const sent = await target.send({ topic, queueId }, messages);
    this.#isUnsettled = false;
    const firstRefused = sent.findIndex(({ kind }) => kind === "refused");
    const count = firstRefused === -1 ? sent.length : firstRefused;
    for (let at = 0; at < count; at++) {
      const [message, outcome] = [messages[at], sent[at]];
      assert(message !== undefined && outcome?.kind === "stored", "each message has its outcome");
      this.#advance(message, outcome.offset);
    }
    onCopied(count);
    const refused = sent[count];
    if (refused?.kind !== "refused") {
      this.#isInDoubt = false;
      return;
    }
    const where = `the message at ${messages[count]?.offset} of ${topic}`;
    if (sent.slice(count).some(({ kind }) => kind === "stored")) {
      const message = `The target refused ${where} and stored later ones: their order is lost`;
      throw new RefusedError("order_lost", message, false);
    }
    throw refusalOf(refused.answer, where, target.address);
  }

  /** Takes what the target holds already off the front of `messages`. */
  async #unknown(messages: readonly Message[]): Promise<Message[]> {
    const { target, onFound } = this.#parts;
    const { topic, targetQueueId: queueId } = this.#state;
    const end = this.#doubtEnd ??= await this.#endOfDoubt();
    let known = 0;
    let at = this.#state.targetNext;
    while (at < end && known < messages.length) {
      const { messages: copies, next } = await target.pull({ topic, queueId }, at);
      for (const copy of copies) {
        const message = messages[known];
        if (message === undefined || copy.offset < at || copy.offset >= end) continue;
        if (!isCopyOf(message, copy)) continue;
        this.#advance(message, copy.offset);
        onFound();
        known++;
      }
      if (next <= at) break;
      at = next;
    }
    // With messages left over, all that was in doubt has been looked at.
    if (known < messages.length || this.#state.targetNext >= end) this.#isInDoubt = false;
    return messages.slice(known);
  }

  /** The target's end; after a lost connection, once it stands still. */
  async #endOfDoubt(): Promise<number> {
    const { host, stop } = this.#parts;
    let end = await this.#targetEnd();
    if (end < this.#state.targetNext) throw targetLost(this.#state, end);
    for (let tries = 0; this.#isUnsettled && tries < settleTriesMax; tries++) {
      await host.sleep(settleMs, stop);
      const later = await this.#targetEnd();
      this.#isUnsettled = later !== end;
      end = later;
    }
    return end;
  }

  async #targetEnd(): Promise<number> {
    const { topic, targetQueueId } = this.#state;
    const ranges = await this.#parts.target.ranges(topic);
    const range = ranges.find(({ queueId }) => queueId === targetQueueId);
    if (range !== undefined) return range.maxOffset;
    const message = `The target has no queue ${targetQueueId} of topic ${topic} any more`;
    throw new RefusedError("queue_not_found", message, false);
  }

  #advance(message: Message, targetOffset: number): void {
    const state = this.#state;
    // A topic that knows ids again answers with the first message of that id.
    if (targetOffset < state.targetNext) throw recognised(state, message);
    addPair(state.stretches, message.offset, targetOffset);
    state.digest = digestOf(message, state.digest);
    state.targetNext = targetOffset + 1;
    this.#moveTo(message.offset + 1);
  }

  /** Nothing before `next` is left to be copied. */
  #moveTo(next: number): void {
    const state = this.#state;
    if (next <= state.next) return;
    while (this.#obstacles[0] !== undefined && this.#obstacles[0].offset < next) {
      const [skipped] = this.#obstacles.splice(0, 1);
      if (skipped === undefined) break;
      state.skipped++;
      this.#parts.onSkipped(state, skipped);
    }
    state.next = next;
  }

  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const { host, giveUpMs, stop, onTrouble } = this.#parts;
    const onRetry = (failure: Error) => onTrouble(failure.message);
    const done = await persist(host, { giveUpMs, stop, onRetry }, attempt);
    onTrouble(undefined);
    return done;
  }
}

const startOver = "Start over with another --work folder";

function sourceShrank({ topic, broker, queueId, next }: QueueState, end: number) {
  return new RefusedError(
    "source_changed",
    `Queue ${queueId} of topic ${topic} on ${broker} ends at ${end} at the source, where an ` +
      `earlier run read up to ${next}: its topic was made anew. ${startOver}`,
    false,
  );
}

function sourceSilent({ topic, broker, queueId }: QueueState, at: number, end: number) {
  const where = `queue ${queueId} of topic ${topic} on ${broker}`;
  return new RefusedError(
    "source_silent",
    `The source says that ${where} ends at ${end}, and hands out nothing at ${at}`,
    true,
  );
}

function targetLost({ topic, targetQueueId, targetNext }: QueueState, end: number) {
  return new RefusedError(
    "target_changed",
    `Queue ${targetQueueId} of topic ${topic} ends at ${end} at the target, where an earlier run ` +
      `copied up to ${targetNext}: its topic was made anew. ${startOver}`,
    false,
  );
}

function recognised({ topic }: QueueState, { offset }: Message) {
  return new RefusedError(
    "dedupe_on",
    `The target took the message at ${offset} of ${topic} for one it had: its topic has the ` +
      "setting dedupe=all. Set it to explicit until the topic is copied",
    false,
  );
}
