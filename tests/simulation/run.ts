/**
 * One run, from a seed:
 *
 *     set up ▶ storm: everything may fail, safety is checked ▶ calm: everything promised comes true
 *            ▶ stop cleanly ▶ start again: nothing changed
 *
 * @module
 */
import { Prng } from "../../src/base/prng.ts";
import { everything, type Filter } from "../../src/model/subscription.ts";
import { Acknowledged } from "./checkers/acknowledged.ts";
import { Consumed } from "./checkers/consumed.ts";
import { DeadLetters } from "./checkers/dead_letters.ts";
import { Delayed } from "./checkers/delayed.ts";
import { GroupOffsets } from "./checkers/group_offsets.ts";
import { Leases } from "./checkers/leases.ts";
import { Offsets } from "./checkers/offsets.ts";
import { OldReceipts } from "./checkers/old_receipts.ts";
import { QueueOrder } from "./checkers/queue_order.ts";
import { Waits } from "./checkers/waits.ts";
import {
  groupName,
  pullGroupName,
  runClockJumps,
  runGroupChurn,
  runResets,
  runTopicChurn,
  setUp,
} from "./admins.ts";
import { audit } from "./audit.ts";
import type { ClientParts } from "./clients.ts";
import { runConsumer } from "./consumers.ts";
import { type AuditedQueue, Journal } from "./journal.ts";
import { withMistake } from "./mistakes.ts";
import type { SimOptions } from "./options.ts";
import { Names, runProducer } from "./producers.ts";
import { Calls, runPuller } from "./pullers.ts";
import { Scheduler } from "./scheduler.ts";
import { World } from "./world.ts";

/** What a run came to. */
export type RunResult = {
  readonly seed: number;
  /** Of the journal: equal for equal runs. */
  readonly hash: string;
  readonly faults: readonly string[];
  readonly lines: readonly string[];
  readonly events: number;
  readonly simulatedMs: number;
};

/** How long the calm phase may take until everything promised is true. */
const calmMsMax = 600_000;
const calmStepMs = 2_000;
/** Messages sent back in the storm are due this long after it, with clocks set back meanwhile. */
const sentBackMsMax = 16_000;
const tagA: Filter = { kind: "tags", tags: ["A"], hashes: [65] };

/** Runs one seed. What went wrong is in the result, never thrown. */
export function runSimulation(options: SimOptions): Promise<RunResult> {
  return withMistake(options.codeMistake, () => new Run(options).all());
}

class Run {
  readonly #options: SimOptions;
  readonly #scheduler = new Scheduler();
  readonly #prng: Prng;
  readonly #consumed: Consumed;
  readonly #journal: Journal;
  readonly #world: World;
  readonly #parts: ClientParts;
  readonly #names = new Names();
  readonly #calls = new Calls();
  #isOver = false;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#prng = new Prng(options.seed + 1);
    const groups = Array.from({ length: options.groups }, (_, number) => groupName(number));
    const wants = (group: string, tag: string | null) =>
      filterOf(options, groups.indexOf(group)).kind === "all" || tag === "A";
    this.#consumed = new Consumed(groups, wants);
    const scheduler = this.#scheduler;
    const journal = new Journal(scheduler, [
      new Acknowledged(),
      new Offsets(),
      new GroupOffsets(),
      new QueueOrder(),
      new Leases(),
      new OldReceipts(),
      new DeadLetters(options.attemptsMax),
      new Delayed(),
      new Waits(2 * options.lateMsMax * (options.shards + 6) + 50),
      this.#consumed,
    ]);
    this.#journal = journal;
    const world = new World({ options, scheduler, journal, prng: this.#prng.fork() });
    this.#world = world;
    const isOver = () => this.#isOver;
    this.#parts = { options, scheduler, journal, world, topics: new Set(), isOver };
  }

  async all(): Promise<RunResult> {
    try {
      await this.#phases();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#journal.complain(`the run ended with ${error.stack}`);
    }
    const { faults, lines } = this.#journal;
    const { ran: events, nowMs: simulatedMs } = this.#scheduler;
    return {
      seed: this.#options.seed,
      hash: this.#journal.hash(),
      faults,
      lines,
      events,
      simulatedMs,
    };
  }

  async #phases(): Promise<void> {
    const { stormMs } = this.#options;
    await this.#finish(this.#world.start(), 10_000);
    await this.#finish(setUp(this.#parts), 60_000);
    this.#world.setCalm(false);
    const clients = this.#clients();
    await this.#scheduler.run(this.#scheduler.nowMs + stormMs, () => false);
    this.#world.setCalm(true);
    this.#journal.note({ kind: "calm" });
    await this.#becomeTrue();
    this.#isOver = true;
    await this.#finish(Promise.all(clients), 60_000);
    const before = await this.#finish(audit(this.#parts), 10_000);
    this.#journal.finish(before);
    await this.#finish(this.#world.stop(), 10_000);
    await this.#finish(this.#world.start(), 10_000);
    const after = await this.#finish(audit(this.#parts), 10_000);
    for (const [name, queue] of before) {
      if (isSame(queue, after.get(name))) continue;
      this.#journal.complain(`a clean stop and start changed ${name}`);
    }
  }

  #clients(): Promise<void>[] {
    const { options } = this.#parts;
    const clients: Promise<void>[] = [];
    const add = (client: (prng: Prng) => Promise<void>) => {
      const running = client(this.#prng.fork());
      running.catch((thrown) => this.#scheduler.fail(thrown));
      clients.push(running);
    };
    for (let number = 0; number < options.producers; number++) {
      add((prng) => runProducer(this.#parts, `producer-${number}`, prng, this.#names));
    }
    for (let number = 0; number < options.groups; number++) {
      const filter = filterOf(options, number);
      for (let member = 0; member < options.consumersPerGroup; member++) {
        const client = `client-${number}-${member}`;
        add((prng) => runConsumer(this.#parts, { group: groupName(number), client, filter }, prng));
      }
    }
    for (let number = 0; number < options.pullers; number++) {
      add((prng) => runPuller(this.#parts, pullGroupName(number), prng, this.#calls));
    }
    if (options.resets) add((prng) => runResets(this.#parts, prng, this.#calls));
    if (options.topicChurn) add((prng) => runTopicChurn(this.#parts, prng, this.#names));
    if (options.groupChurn) add((prng) => runGroupChurn(this.#parts, prng));
    if (options.clockJumps) add((prng) => runClockJumps(this.#parts, prng));
    return clients;
  }

  /** Looks again and again until nothing is missing; the checkers say what is when time is up. */
  async #becomeTrue(): Promise<void> {
    const calmFromMs = this.#scheduler.nowMs;
    const endMs = calmFromMs + calmMsMax;
    while (this.#scheduler.nowMs < endMs) {
      await this.#scheduler.run(this.#scheduler.nowMs + calmStepMs, () => false);
      const found = await this.#finish(audit(this.#parts), 30_000);
      const isDue = this.#scheduler.nowMs >= calmFromMs + sentBackMsMax;
      if (isDue && this.#consumed.missing(found).length === 0) return;
    }
  }

  /** Runs until `promise` is kept. */
  async #finish<T>(promise: Promise<T>, withinMs: number): Promise<T> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    promise.then(end, end);
    const done = await this.#scheduler.run(this.#scheduler.nowMs + withinMs, () => isDone);
    if (!done) throw new Error(`something did not come to an end within ${withinMs} ms`);
    return await promise;
  }
}

/** Retention may have gone on meanwhile; nothing else may have. */
function isSame(before: AuditedQueue, after: AuditedQueue | undefined): boolean {
  if (after === undefined || after.min < before.min) return false;
  const left = before.messages.filter(({ offset }) => offset >= after.min);
  return JSON.stringify({ ...after, messages: left }) === JSON.stringify(after) &&
    after.max === before.max;
}

/** Every second group wants one tag only, where there are tags. */
function filterOf(options: SimOptions, group: number): Filter {
  return options.tags && group % 2 === 1 ? tagA : everything;
}
