/**
 * One run, from a seed:
 *
 * set up ▶ storm: everything may fail, safety is checked ▶ calm: everything promised comes true,
 *            first beside what still fails by itself, then with it ▶ stop cleanly ▶ start again:
 *            nothing changed
 *
 * @module
 */
import { Prng } from "../../src/base/prng.ts";
import { setUp } from "./admins.ts";
import { AskedProducers, connectProducers } from "./asked_producers.ts";
import { auditDisks, readAll } from "./audit.ts";
import { castOf, type Client, lettersGroups, type Stage } from "./cast.ts";
import { checkersOf } from "./checkers/mod.ts";
import type { Consumed } from "./checkers/consumed.ts";
import { attempt, type ClientParts } from "./clients.ts";
import type { Audit, AuditedQueue, MessageFacts } from "./events.ts";
import type { Coverage } from "./features.ts";
import { groupsOf } from "./groups.ts";
import { Journal } from "./journal.ts";
import { listParkedKeys } from "./key_operators.ts";
import { countLetters } from "./letter_desk.ts";
import { withMistake } from "./mistakes.ts";
import type { SimOptions } from "./options.ts";
import { Names } from "./producers.ts";
import { Calls } from "./pullers.ts";
import { Scheduler } from "./scheduler.ts";
import { findTransactions, Halves } from "./transactors.ts";
import { World } from "./world.ts";

/** What a run came to. */
export type RunResult = {
  readonly seed: number;
  /** Of the journal: equal for equal runs. */
  readonly hash: string;
  readonly faults: readonly string[];
  readonly lines: readonly string[];
  readonly coverage: Coverage;
  readonly events: number;
  readonly simulatedMs: number;
};

/** How long the calm phase may take until everything promised is true. */
const calmMsMax = 600_000;
const calmStepMs = 2_000;

/** Runs one seed. What went wrong is in the result, never thrown. */
export function runSimulation(options: SimOptions): Promise<RunResult> {
  return withMistake(options.codeMistake, () => new Run(options).all());
}

class Run {
  readonly #scheduler = new Scheduler();
  readonly #prng: Prng;
  readonly #consumed: Consumed;
  readonly #journal: Journal;
  readonly #world: World;
  readonly #parts: ClientParts;
  readonly #stage: Stage;
  #isOver = false;
  #isFailing = true;

  constructor(options: SimOptions) {
    this.#prng = new Prng(options.seed + 1);
    const scheduler = this.#scheduler;
    const groups = groupsOf(options);
    const facts = new Map<string, MessageFacts>();
    const { checkers, consumed } = checkersOf(options, groups, facts);
    this.#consumed = consumed;
    const journal = new Journal(scheduler, checkers);
    this.#journal = journal;
    const world = new World({ options, scheduler, journal, prng: this.#prng.fork() });
    this.#world = world;
    const beginnings = new Map(
      groups.filter(({ settings }) => settings.startFrom === "latest")
        .map(({ name }) => [name, new Map<string, "asked" | "placed">()]),
    );
    const parts = {
      options,
      scheduler,
      journal,
      world,
      facts,
      beginnings,
      handedOut: [],
      topics: new Set<string>(),
      isOver: () => this.#isOver,
      isFailing: () => this.#isFailing,
    };
    this.#parts = parts;
    const [names, calls, halves] = [new Names(), new Calls(), new Halves()];
    this.#stage = { parts, groups, names, calls, halves };
    this.#connect(halves);
  }

  async all(): Promise<RunResult> {
    try {
      await this.#phases();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#journal.complain(`the run ended with ${error.stack}`);
    }
    const { faults, lines, coverage } = this.#journal;
    const { ran: events, nowMs: simulatedMs } = this.#scheduler;
    const { seed } = this.#parts.options;
    return { seed, hash: this.#journal.hash(), faults, lines, coverage, events, simulatedMs };
  }

  async #phases(): Promise<void> {
    const { stormMs } = this.#parts.options;
    await this.#finish(this.#world.start(), 10_000);
    await this.#finish(setUp(this.#parts, this.#stage.groups), 60_000);
    this.#world.setCalm(false);
    const { stormy, lasting } = castOf(this.#stage);
    const ending = stormy.map((client) => this.#begin(client));
    const going = lasting.map((client) => this.#begin(client));
    await this.#scheduler.run(this.#scheduler.nowMs + stormMs, () => false);
    this.#world.setCalm(true);
    this.#journal.note({ kind: "calm" });
    await this.#finish(Promise.all(ending), 60_000);
    await this.#othersGoOn();
    this.#isFailing = false;
    await this.#becomeTrue();
    this.#isOver = true;
    await this.#finish(Promise.all(going), 60_000);
    await this.#finish(findTransactions(this.#parts, this.#stage.halves), 30_000);
    await this.#finish(this.#count(), 30_000);
    await this.#finish(countLetters(this.#parts, lettersGroups(this.#stage)), 30_000);
    const orphans = this.#world.orphans();
    if (orphans.length > 0) this.#journal.complain(`queues ${orphans} belong to no topic any more`);
    const found = auditDisks(this.#parts);
    this.#noteDeaths(found);
    this.#journal.finish(found);
    await this.#restart();
  }

  #connect(halves: Halves): void {
    const parts = this.#parts;
    const { webhooks, connections } = parts.options;
    const prng = this.#prng.fork();
    const webhook = webhooks ? new AskedProducers(parts, halves, prng.fork()) : null;
    this.#world.connect(webhook, (broker) => {
      if (connections) connectProducers(parts, halves, prng.fork(), broker);
    });
  }

  #begin(client: Client): Promise<void> {
    const running = client(this.#prng.fork());
    running.catch((thrown) => this.#scheduler.fail(thrown));
    return running;
  }

  async #restart(): Promise<void> {
    const { ttlShare, topicTtlMs } = this.#parts.options;
    const before = await this.#finish(readAll(this.#parts), 10_000);
    await this.#finish(this.#world.stop(), 10_000);
    await this.#finish(this.#world.start(), 10_000);
    const after = await this.#finish(readAll(this.#parts), 10_000);
    // What expires meanwhile cannot be read any more.
    if (ttlShare > 0 || topicTtlMs !== null) return;
    for (const [name, queue] of before) {
      if (isSame(queue, after.get(name))) continue;
      this.#journal.complain(`a clean stop and start changed ${name}`);
    }
  }

  /** While some keys fail, and nobody helps them, all the others come to their end. */
  async #othersGoOn(): Promise<void> {
    const { ordered, failingKeys } = this.#parts.options;
    if (!ordered || !failingKeys) return;
    const group = this.#stage.groups[0]!; // the ordered one
    let missing: readonly string[] = [];
    const isTrue = await this.#until(async () => {
      const parked = new Set<string>();
      for (const topic of this.#parts.topics) {
        for (const { queueId, key } of await listParkedKeys(this.#parts, group.name, topic)) {
          parked.add(`${group.name} ${topic}/${queueId} ${key}`);
        }
      }
      missing = this.#consumed.missing(auditDisks(this.#parts), parked);
      return missing.length === 0;
    });
    if (isTrue) return;
    this.#journal.complain(`beside the parked keys ${missing.slice(0, 3)} did not come to an end`);
  }

  /** Until nothing waits for its time, and nothing is missing: the checkers say if it fails. */
  async #becomeTrue(): Promise<void> {
    await this.#until(async () => {
      if (await this.#isWaiting()) return false;
      return this.#consumed.missing(auditDisks(this.#parts)).length === 0;
    });
  }

  /** Whether something is put aside until it is due, or decided, or is still to be dropped. */
  async #isWaiting(): Promise<boolean> {
    if (this.#world.orphans().length > 0) return true;
    const result = await attempt(this.#parts, "what waits", async (broker) => {
      const { ready, shards } = await broker.health();
      if (!ready || shards.some(({ stats }) => stats.delayed > 0)) return true;
      for (const state of ["prepared", "parked"] as const) {
        const query = { state, after: null, transactionsMax: 1 };
        if ((await broker.transactions.list(query)).count > 0) return true;
      }
      return false;
    });
    return "answer" in result ? result.answer : true;
  }

  /** Looks again and again. Answers whether it came true in time. */
  async #until(isTrue: () => Promise<boolean>): Promise<boolean> {
    const endMs = this.#scheduler.nowMs + calmMsMax;
    while (this.#scheduler.nowMs < endMs) {
      await this.#scheduler.run(this.#scheduler.nowMs + calmStepMs, () => false);
      if (await this.#finish(isTrue(), 30_000)) return true;
    }
    return false;
  }

  /** What the groups say they passed over. */
  async #count(): Promise<void> {
    for (const { name: group } of this.#stage.groups) {
      const result = await attempt(this.#parts, `count of ${group}`, (broker) => {
        return broker.places(group, null);
      });
      if (!("answer" in result)) continue;
      for (const [topic, places] of Map.groupBy(result.answer, (place) => place.topic)) {
        const sum = (what: "unmatched" | "expired" | "lag") =>
          places.reduce((total, place) => total + place[what], 0);
        const counts = { unmatched: sum("unmatched"), expired: sum("expired"), lag: sum("lag") };
        this.#journal.note({ kind: "counted", group, topic, ...counts });
      }
    }
  }

  #noteDeaths(found: Audit): void {
    for (const { topic, messages } of found.values()) {
      if (!topic.startsWith("%DLQ%")) continue;
      const group = topic.slice("%DLQ%".length);
      for (const { id } of messages) this.#journal.note({ kind: "died", group, id });
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
