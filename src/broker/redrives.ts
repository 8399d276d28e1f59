/**
 * Redrives under way: dead letters go back to their topics a few at a time, at the rate that was
 * asked for. A step is one request to one shard, which moves its letters in one turn: a redrive
 * that is cut off has moved each letter wholly or not at all, and one begun anew goes on there.
 *
 *     running ──nothing left──▶ done
 *        ├──stopRedrive, or the process stops──▶ stopped
 *        └──failed too often in a row──▶ failed
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { RedriveItem } from "../link/dead_letter_messages.ts";
import { errorCodes } from "../model/error_codes.ts";
import { asBrokerError, BrokerError } from "../model/errors.ts";
import { deathFacts } from "../model/dead_letter.ts";
import { splitRecords } from "../model/record.ts";
import type { QueueRef } from "../model/topic.ts";
import type { Cancel, Timers } from "../ports/timers.ts";
import type { Redrive } from "./dead_letter_desk.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** What redrives need. */
export type RedriveParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly timers: Timers;
  readonly clock: Clock;
};

/** Letters of one queue: those at `offsets`, or all below `endOffset`. */
export type Stack = {
  readonly ref: QueueRef;
  readonly offsets: readonly number[] | null;
  readonly endOffset: number | null;
};

type Job = {
  view: Redrive;
  readonly stacks: Stack[];
  /** Where the first stack goes on: an offset, or an index into its offsets. */
  next: number;
  failures: number;
  cancel: Cancel | null;
};

/** Letters of one step: a small turn, so that nobody waits for it. */
const stepLettersMax = 100;
/** Steps are not closer together than this. */
const stepMsMin = 50;
const failedPauseMs = 1_000;
const failuresMax = 30;

/** Runs redrives. Their state is in memory; what they did is in the shards. */
export class Redrives {
  readonly #parts: RedriveParts;
  /** Newest last; bounded by `limits.redrivesKept`. */
  #jobs: Job[] = [];
  #begun = 0;

  constructor(parts: RedriveParts) {
    this.#parts = parts;
  }

  /** @throws {BrokerError} `limit_exceeded` */
  checkRoom(): void {
    const running = this.#jobs.filter(({ view }) => view.state === "running").length;
    if (running < limits.redrivesMax) return;
    throw new BrokerError(
      "limit_exceeded",
      `Cannot begin a redrive: ${running} run already, at most ${limits.redrivesMax} may`,
    );
  }

  begin(group: string, stacks: readonly Stack[], perSecond: number): Redrive {
    const startedMs = this.#parts.clock.wallMs();
    const counts = { redriven: 0, gone: 0, left: 0, problem: null };
    const id = `${startedMs.toString(36)}-${++this.#begun}`;
    const view: Redrive = { id, group, state: "running", startedMs, perSecond, ...counts };
    const job: Job = { view, stacks: [...stacks], next: 0, failures: 0, cancel: null };
    const ended = this.#jobs.findIndex((one) => one.view.state !== "running");
    if (this.#jobs.length >= limits.redrivesKept && ended !== -1) this.#jobs.splice(ended, 1);
    this.#jobs.push(job);
    this.#later(job, 0);
    return view;
  }

  list(group: string): Redrive[] {
    return this.#jobs.map(({ view }) => view).filter((view) => view.group === group).reverse();
  }

  /** @throws {BrokerError} `message_not_found`: there is no such redrive. */
  stop(group: string, id: string): Redrive {
    const job = this.#jobs.find(({ view }) => view.group === group && view.id === id);
    if (job === undefined) {
      const claim = `Group "${group}" has no redrive "${id}" since the broker started`;
      throw new BrokerError("message_not_found", claim);
    }
    this.#end(job, "stopped");
    return job.view;
  }

  /** Ends all of them. */
  close(): void {
    for (const job of this.#jobs) this.#end(job, "stopped");
  }

  #end(job: Job, state: Redrive["state"]): void {
    job.cancel?.();
    job.cancel = null;
    if (job.view.state === "running") job.view = { ...job.view, state };
  }

  #later(job: Job, delayMs: number): void {
    job.cancel = this.#parts.timers.setTimer(delayMs, () => {
      job.cancel = null;
      void this.#run(job);
    });
  }

  /** One step, and a timer for the next. Never rejects: what went wrong is told in the view. */
  async #run(job: Job): Promise<void> {
    const { perSecond } = job.view;
    const countMax = Math.max(1, Math.min(stepLettersMax, Math.floor(perSecond * 0.1)));
    try {
      const tried = await this.#step(job, countMax);
      job.failures = 0;
      if (job.view.state !== "running") return;
      if (job.stacks.length === 0) this.#end(job, "done");
      else this.#later(job, Math.max(stepMsMin, tried / perSecond * 1000));
    } catch (thrown) {
      const error = asBrokerError(thrown);
      job.view = { ...job.view, problem: error.message };
      if (job.view.state !== "running") return;
      const mayPass = errorCodes[error.code].retriable && error.code !== "shutting_down";
      const isOver = !mayPass || ++job.failures >= failuresMax;
      if (isOver) this.#end(job, "failed");
      else this.#later(job, failedPauseMs);
    }
  }

  /** Sends up to `countMax` letters of the first stack back. Answers how many were tried. */
  async #step(job: Job, countMax: number): Promise<number> {
    const stack = job.stacks[0];
    if (stack === undefined) return 0;
    const { router } = this.#parts;
    const { queueKey, shard } = stack.ref;
    const found = await this.#letters(job, stack, countMax);
    const items: RedriveItem[] = [];
    let left = 0;
    let { problem } = job.view;
    for (const { offset, record } of found.letters) {
      const target = this.#targetOf(record, shard);
      if (typeof target !== "string") items.push({ offset, ...target });
      else {
        left++;
        problem = target;
      }
    }
    const { verdicts } = items.length === 0
      ? { verdicts: [] }
      : await router.ask(shard, "redrive", { queueKey, items });
    const redriven = job.view.redriven + verdicts.filter((verdict) => verdict === "done").length;
    const gone = job.view.gone + found.missing +
      verdicts.filter((verdict) => verdict === "gone").length;
    job.view = { ...job.view, redriven, gone, left: job.view.left + left, problem };
    // Only now: a step that failed is tried again whole, and moves nothing twice.
    job.next = found.next ?? 0;
    if (found.next === null) job.stacks.shift();
    return found.letters.length;
  }

  async #letters(job: Job, { ref, offsets, endOffset }: Stack, countMax: number) {
    const { router } = this.#parts;
    const ask = (fromOffset: number, end: number | null, count: number) =>
      router.ask(ref.shard, "letters", {
        queueKey: ref.queueKey,
        fromOffset,
        endOffset: end,
        countMax: count,
        bytesMax: limits.redriveStepBytesMax,
      });
    const letters: { readonly offset: number; readonly record: Uint8Array }[] = [];
    if (offsets === null) {
      const { head, blob } = await ask(job.next, endOffset, countMax);
      const records = splitRecords(blob);
      head.offsets.forEach((offset, at) => letters.push({ offset, record: records[at]! }));
      return { letters, missing: 0, next: head.nextOffset };
    }
    const wanted = offsets.slice(job.next, job.next + countMax);
    let bytes = 0;
    let looked = 0;
    for (const offset of wanted) {
      if (bytes >= limits.redriveStepBytesMax) break;
      looked++;
      const { blob } = await ask(offset, offset + 1, 1);
      for (const record of splitRecords(blob)) letters.push({ offset, record });
      bytes += blob.length;
    }
    const next = job.next + looked;
    const missing = looked - letters.length;
    return { letters, missing, next: next < offsets.length ? next : null };
  }

  /**
   * The queue a letter came from, or one of its topic in the same shard; else why there is none.
   */
  #targetOf(record: Uint8Array, shard: number) {
    const { originTopic, originQueueId, messageId } = deathFacts(record);
    const topic = this.#parts.view.topic(originTopic);
    if (topic === undefined) {
      return `Message ${messageId} stays: its topic "${originTopic}" does not exist any more`;
    }
    const refs = topic.queueRefs;
    const isHere = (queueId: number) => refs[queueId]?.shard === shard;
    const queueId = originQueueId !== null && isHere(originQueueId)
      ? originQueueId
      : refs.findIndex((ref) => ref.shard === shard);
    const ref = refs[queueId];
    if (ref !== undefined) return { topic: topic.name, queueId, queueKey: ref.queueKey };
    return `Message ${messageId} stays: topic "${originTopic}" has no queue in shard ${shard}`;
  }
}
