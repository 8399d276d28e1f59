/**
 * Timers, transactions and ordered groups under one roof: a topic, a journal and a few actors each.
 *
 * @module
 */
import { join } from "node:path";
import { Prng } from "../../../src/base/prng.ts";
import { askWell, readQueue } from "../../support/broker_api.ts";
import { pause } from "../../support/until.ts";
import type { Stage } from "./actor.ts";
import { consume } from "./consumer.ts";
import { Journal } from "./journal.ts";
import { sendInOrder } from "./ordered.ts";
import { checkPromises, type Remains, type StoredAt } from "./promises.ts";
import { armTimers, timerDelayMsMax } from "./timers.ts";
import { answerChecks, beginTransactions } from "./transactions.ts";

/** What the broker is started with: producers are asked often within the run. */
export const mixedSettings = ["--transaction-check-interval-ms", "500"];

const queues = 4;
const group = "chaos-mixed";
const groupInOrder = "chaos-in-order";
/** More than any run needs: what fails so often would be parked or buried, and count as lost. */
const attemptsMax = 256;
const drainPauseMs = 500;

type Actor = (stage: Stage) => Promise<void>;

/** A feature: who acts on its topic until the load ends, and who consumes to the very end. */
type Feature = { readonly topic: string; readonly group: string; readonly actors: Actor[] };

const features: readonly Feature[] = [
  {
    topic: "mixed-timers",
    group,
    actors: [(stage) => armTimers(stage, "t0"), (stage) => armTimers(stage, "t1")],
  },
  {
    topic: "mixed-transactions",
    group,
    actors: [
      ...["x0", "x1", "x2", "x3"].map((name) => (stage: Stage) => beginTransactions(stage, name)),
      answerChecks,
    ],
  },
  {
    topic: "mixed-ordered",
    group: groupInOrder,
    actors: [(stage) => sendInOrder(stage, "o0"), (stage) => sendInOrder(stage, "o1")],
  },
];

/** One feature at work. */
type Act = {
  readonly feature: Feature;
  readonly journal: Journal;
  readonly acting: Promise<unknown>;
  readonly consuming: Promise<unknown>;
};

/** All features at work. */
export class MixedLoad {
  readonly #http: string;
  readonly #acts: Act[];
  readonly #endOfActing = { isOver: false };
  readonly #endOfConsuming = { isOver: false };

  /** Begins at once; `start` creates what it needs before. */
  constructor(http: string, folder: string, prng: Prng) {
    this.#http = http;
    this.#acts = features.map((feature) => this.#begin(feature, folder, prng));
  }

  /** Creates what it needs and begins. */
  static async start(http: string, folder: string, seed: number): Promise<MixedLoad> {
    for (const { topic } of features) {
      const ordered = topic === "mixed-ordered";
      await askWell(http, `PUT /v1/topics/${topic}`, { queues, ordered });
    }
    const retries = { attemptsMax, retryDelaysMs: [100] };
    await askWell(http, `PUT /v1/groups/${group}`, retries);
    await askWell(http, `PUT /v1/groups/${groupInOrder}`, { ...retries, ordered: true });
    return new MixedLoad(http, folder, new Prng(seed));
  }

  /**
   * Ends the load, and the consumers once everything that is owed was delivered, or its time is
   * over. Answers what each topic left behind.
   */
  async finish(drainMsMax: number): Promise<{ topic: string; remains: Remains }[]> {
    this.#endOfActing.isOver = true;
    await Promise.all(this.#acts.map(({ acting }) => acting));
    const deadlineMs = performance.now() + drainMsMax;
    const endMs = Date.now() + 2 * timerDelayMsMax;
    let left = await this.#remains(endMs);
    while (left.some(({ remains }) => isOwing(remains)) && performance.now() < deadlineMs) {
      await pause(drainPauseMs);
      left = await this.#remains(endMs);
    }
    this.end();
    await Promise.all(this.#acts.map(({ consuming }) => consuming));
    const remains = await this.#remains(endMs);
    for (const { journal } of this.#acts) journal.close();
    return remains;
  }

  /** Tells all to end at what they are. */
  end(): void {
    this.#endOfActing.isOver = true;
    this.#endOfConsuming.isOver = true;
  }

  #begin(feature: Feature, folder: string, prng: Prng): Act {
    const { topic, actors } = feature;
    const journal = new Journal(join(folder, `${topic}.jsonl`));
    const stage = (ending: { isOver: boolean }): Stage => {
      return { http: this.#http, topic, journal, prng: prng.fork(), ending };
    };
    const members = ["a", "b"];
    const acting = Promise.all(actors.map((actor) => actor(stage(this.#endOfActing))));
    const consuming = Promise.all(
      members.map((name) => consume(stage(this.#endOfConsuming), feature.group, name)),
    );
    // A mistake ends its actor at once and is told by `finish`, not by the runtime meanwhile.
    for (const promise of [acting, consuming]) promise.catch(() => {});
    return { feature, journal, acting, consuming };
  }

  async #remains(endMs: number): Promise<{ topic: string; remains: Remains }[]> {
    const undecided = await this.#undecided();
    return await Promise.all(this.#acts.map(async ({ feature: { topic }, journal }) => {
      const stored: StoredAt[] = [];
      for (let queueId = 0; queueId < queues; queueId++) {
        for (const message of await readQueue(this.#http, topic, queueId)) {
          const { offset, body = "", storedMs } = message;
          stored.push({ queueId, offset, body, storedMs });
        }
      }
      const pending = new Set([...undecided, ...await this.#timers(topic)]);
      return { topic, remains: { deeds: journal.read(), stored, pending, endMs } };
    }));
  }

  async #timers(topic: string): Promise<string[]> {
    const path = `/v1/timers?topic=${topic}&max=256`;
    const pages = await this.#pages(path);
    return pages.flatMap(({ timers }) => timers).map(({ messageId }) => messageId);
  }

  async #undecided(): Promise<string[]> {
    const paths = ["prepared", "parked"].map((state) => `/v1/transactions?state=${state}&max=256`);
    const pages = await Promise.all(paths.map((path) => this.#pages(path)));
    return pages.flat().flatMap(({ transactions }) => transactions)
      .map(({ transactionId }) => transactionId);
  }

  // deno-lint-ignore no-explicit-any -- answers as they come
  async #pages(path: string): Promise<any[]> {
    const pages = [];
    for (let after: string | null = ""; after !== null;) {
      const from: string = after === "" ? "" : `&after=${encodeURIComponent(after)}`;
      const { json } = await askWell(this.#http, `GET ${path}${from}`);
      pages.push(json);
      after = json.next;
    }
    return pages;
  }
}

function isOwing(remains: Remains): boolean {
  return checkPromises(remains).breaches.some(({ promise }) => promise === "lost");
}
