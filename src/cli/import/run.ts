/**
 * One run of an import, from the first question to the report.
 *
 *     survey ─▶ plan ─▶ groups, topics ─▶ queues, some at a time ─▶ places ─▶ verify ─▶ report
 *                │                          │ state every second
 *                └─ preview ends here       └─ a signal: finish what is in flight, report
 *
 * @module
 */
import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import { limits } from "../../base/limits.ts";
import { isDerivedTopic } from "../../model/names.ts";
import { permReadWrite } from "../../model/topic.ts";
import type { Files } from "../../ports/files.ts";
import type { Host } from "../../ports/host.ts";
import { UnreachableError } from "../failure.ts";
import { Pace } from "./pace.ts";
import { isFailure, type PlaceReport, setPlaces, type SourcePlace } from "./places.ts";
import type { GroupPlan, Plan, QueuePlan, TopicPlan } from "./plan.ts";
import { type CopyParts, QueueCopy } from "./queue_copy.ts";
import { type ImportReport, type QueueReport, queueReport, type SkippedReport } from "./report.ts";
import type { Source } from "./source.ts";
import { type ImportState, queueName, type QueueState, type StateFile } from "./state.ts";
import type { Target } from "./target.ts";
import { type Verification, verifyQueue } from "./verify.ts";

const saveEveryMs = 1000;
/** What a killed run had sent is stored by then, or never was read. */
const restMs = 500;

/** What a run is told. */
export type RunOptions = {
  readonly sourceName: string;
  readonly targetName: string;
  /** Queues at once. */
  readonly jobs: number;
  readonly perSecond: number | undefined;
  readonly giveUpMs: number;
  readonly verification: Verification;
};

/** What a run needs. */
export type RunParts = {
  readonly host: Host;
  readonly source: Source;
  readonly target: Target;
  readonly stateFile: StateFile;
  readonly stop: AbortSignal;
};

/** What a watcher may look at while it runs. */
export type Tally = { copied: number; found: number; trouble: string | undefined };

/** One queue's work. */
type Task = { readonly state: QueueState; readonly end: number; problem: string | undefined };

/** The report's file, beside the state's. */
export function reportPath(folder: string): string {
  return join(folder, "report.json");
}

/** The state's file. */
export function statePath(folder: string): string {
  return join(folder, "state.json");
}

/** Writes the report for later. */
export async function writeReport(
  folder: string,
  report: ImportReport,
  files: Pick<Files, "writeSmall">,
): Promise<void> {
  await files.writeSmall(reportPath(folder), `${JSON.stringify(report, null, 2)}\n`);
}

/** A run. `tally` is live. */
export class ImportRun {
  readonly tally: Tally = { copied: 0, found: 0, trouble: undefined };
  readonly #plan: Plan;
  readonly #state: ImportState;
  readonly #states: Map<string, QueueState>;
  readonly #pace: Pace;
  readonly #options: RunOptions;
  readonly #parts: RunParts;
  readonly #halt = new AbortController();
  readonly #problems: string[] = [];
  readonly #skipped: SkippedReport[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(plan: Plan, state: ImportState, options: RunOptions, parts: RunParts) {
    this.#plan = plan;
    this.#state = state;
    this.#states = new Map(state.queues.map((queue) => [queueName(queue), queue]));
    this.#pace = new Pace(parts.host, options.perSecond);
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Copies. Failures of single topics, queues and groups are in the report.
   *
   * @throws {Error} The state cannot be written.
   */
  async run(): Promise<ImportReport> {
    const { host, stop } = this.#parts;
    const [startedMs, beganMs] = [host.clock.wallMs(), host.clock.monotonicMs()];
    if (this.#state.queues.length > 0) await host.sleep(restMs, stop);
    const groups = await this.#keep(this.#plan.groups, (group) => this.#putGroup(group));
    const topics = await this.#keep(this.#plan.topics, (topic) => this.#putTopic(topic));
    const tasks = topics.flatMap((topic) => topic.queues.map((queue) => this.#task(topic, queue)));
    await this.#copyAll(tasks);
    const isStopped = stop.aborted || this.#halt.signal.aborted;
    const places = isStopped ? [] : await this.#setPlaces(groups);
    const queues = await this.#verifyAll(tasks, isStopped);
    if (!isStopped) await this.#keep(topics, (topic) => this.#settle(topic));
    const report = {
      source: this.#options.sourceName,
      target: this.#options.targetName,
      startedMs,
      tookMs: Math.round(host.clock.monotonicMs() - beganMs),
      copiedNow: this.tally.copied,
      foundNow: this.tally.found,
      queues,
      groups: groups.map(({ name }) => name),
      places,
      skipped: this.#skipped,
      leftOut: this.#plan.leftOut,
      problems: this.#problems,
    };
    return { ...report, outcome: outcomeOf(report, stop.aborted) };
  }

  /** Those of `items` for which `work` did not fail. */
  async #keep<T extends { readonly name: string }>(
    items: readonly T[],
    work: (item: T) => Promise<void>,
  ): Promise<T[]> {
    const kept: T[] = [];
    for (const item of items) {
      if (this.#parts.stop.aborted) break;
      try {
        await work(item);
        kept.push(item);
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        this.#problems.push(`${item.name}: ${thrown.message}`);
      }
    }
    return kept;
  }

  /** A group that is there keeps its settings. */
  async #putGroup({ isNew, facts }: GroupPlan): Promise<void> {
    if (isNew) await this.#parts.target.putGroup(facts);
  }

  /** While it is copied a topic can be written, whatever it will be. */
  async #putTopic(topic: TopicPlan): Promise<void> {
    const { target } = this.#parts;
    const { name, settings, queues, isNew } = topic;
    const there = await target.ranges(name);
    const isToBeMade = isNew || there.length < settings.readQueues || this.#isClosedLater(topic);
    if (isToBeMade && !isDerivedTopic(name)) {
      await target.putTopic({ ...settings, perm: permReadWrite });
    }
    const ends = await target.ranges(name);
    for (const queue of queues) {
      const key = queueName({ topic: name, ...queue });
      if (this.#states.has(key)) continue;
      // Dead-letter topics have as many queues as their broker likes.
      const targetQueueId = queue.targetQueueId % Math.max(1, ends.length);
      const base = ends.find(({ queueId }) => queueId === targetQueueId)?.maxOffset ?? 0;
      const state: QueueState = {
        topic: name,
        broker: queue.broker,
        queueId: queue.queueId,
        targetQueueId,
        firstOffset: queue.minOffset,
        next: queue.minOffset,
        targetBase: base,
        targetNext: base,
        stretches: [],
        skipped: 0,
        digest: 0,
      };
      this.#state.queues.push(state);
      this.#states.set(key, state);
    }
  }

  /** Whether the topic is one that this import made, and that is not to be written at last. */
  #isClosedLater({ name, settings, isNew, queues }: TopicPlan): boolean {
    if (isDerivedTopic(name) || settings.perm === permReadWrite) return false;
    const known = queues.map((queue) => this.#states.get(queueName({ topic: name, ...queue })));
    return isNew || known.every((state) => state?.targetBase === 0);
  }

  #task({ name }: TopicPlan, queue: QueuePlan): Task {
    const state = this.#states.get(queueName({ topic: name, ...queue }));
    assert(state !== undefined, "a topic that was put has a state for every queue");
    return { state, end: queue.maxOffset, problem: undefined };
  }

  /** Some queues at a time. Those of one target queue one after the other: each keeps its order. */
  async #copyAll(tasks: readonly Task[]): Promise<void> {
    const { host } = this.#parts;
    await this.#save();
    const endSaving = host.every(saveEveryMs, () => {
      // A failure is told by the last save, which is awaited.
      this.#saving = this.#saving.then(() => this.#save(), () => {});
    });
    const byQueue = Map.groupBy(
      tasks,
      ({ state }) => `${state.topic} ${state.targetQueueId}`,
    );
    const lines = [...byQueue.values()];
    const work = async () => {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        for (const task of line) await this.#copyOne(task);
      }
    };
    await Promise.all(Array.from({ length: this.#options.jobs }, () => work()));
    endSaving();
    await this.#saving.catch(() => {});
    await this.#save();
  }

  async #copyOne(task: Task): Promise<void> {
    const parts = this.#copyParts();
    if (parts.stop.aborted) return;
    try {
      await new QueueCopy(task.state, parts).run(task.end);
    } catch (thrown) {
      if (!isFailure(thrown)) throw thrown;
      if (!this.#parts.stop.aborted) task.problem = thrown.message;
      // A side that is away is away for every queue.
      if (thrown instanceof UnreachableError) this.#halt.abort();
    }
  }

  #copyParts(): CopyParts {
    const { host, source, target, stop } = this.#parts;
    return {
      host,
      source,
      target,
      pace: this.#pace,
      giveUpMs: this.#options.giveUpMs,
      stop: AbortSignal.any([stop, this.#halt.signal]),
      onCopied: (count) => this.tally.copied += count,
      onFound: () => this.tally.found++,
      onSkipped: ({ topic, broker, queueId }, skipped) => {
        if (this.#skipped.length === limits.importProblemsTold) return;
        this.#skipped.push({ topic, broker, queueId, ...skipped });
      },
      onTrouble: (trouble) => this.tally.trouble = trouble,
    };
  }

  async #save(): Promise<void> {
    await this.#parts.stateFile.write(this.#state);
  }

  /** Asked again now: groups went on while messages were copied. */
  async #setPlaces(groups: readonly GroupPlan[]): Promise<PlaceReport[]> {
    const { source, target } = this.#parts;
    const places: SourcePlace[] = [];
    for (const { name } of source.brokers) {
      for (const place of await source.places(name)) places.push({ ...place, broker: name });
    }
    const reports: PlaceReport[] = [];
    for (const group of groups) {
      reports.push(...await setPlaces(group, places, this.#states, target));
    }
    return reports;
  }

  async #verifyAll(tasks: readonly Task[], isStopped: boolean): Promise<QueueReport[]> {
    const { target } = this.#parts;
    const reports: QueueReport[] = [];
    for (const { state, end, problem } of tasks) {
      let found = problem;
      const isVerified = !isStopped && problem === undefined;
      try {
        if (isVerified) found = await verifyQueue(state, this.#options.verification, target);
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        found = `it could not be verified: ${thrown.message}`;
      }
      const verified = isVerified && found === undefined ? this.#options.verification : "no";
      reports.push(queueReport(state, end, verified, found));
    }
    return reports;
  }

  /** At last the topic gets the permissions it had. */
  async #settle(topic: TopicPlan): Promise<void> {
    if (this.#isClosedLater(topic)) await this.#parts.target.putTopic(topic.settings);
  }
}

function outcomeOf(
  { queues, places, problems, leftOut }: Omit<ImportReport, "outcome">,
  isInterrupted: boolean,
): ImportReport["outcome"] {
  if (isInterrupted) return "interrupted";
  const failed = problems.length > 0 || leftOut.some(({ problem }) => problem) ||
    places.some(({ outcome }) => outcome === "failed") ||
    queues.some(({ problem, left, skipped }) => problem !== undefined || left > 0 || skipped > 0);
  return failed ? "failed" : "done";
}
