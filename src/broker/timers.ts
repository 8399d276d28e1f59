/** Pending timers: looked at, called off, moved. Verdicts are those of the shard's turn. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { isDerivedTopic } from "../model/names.ts";
import type { Topic } from "../model/topic.ts";
import type {
  ChangeTimerAnswer,
  ChangeTimerAsk,
  PendingTimer,
  TimerName,
  TimersAsk,
  TimerVerdict,
} from "../link/timer_messages.ts";
import type { Finder } from "./find.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";
import type {
  TimerDoor,
  TimerInfo,
  TimerMove,
  TimerOutcome,
  TimerPage,
  TimerQuery,
} from "./timer_door.ts";

type Cursor = { readonly dueMs: number; readonly shard: number; readonly id: number };
type Found = PendingTimer & { readonly shard: number };

/** The strongest verdict of several shards is the timer's. */
const verdictOrder: readonly TimerVerdict[] = [
  "cancelled",
  "rescheduled",
  "already-delivered",
  "unknown",
];

/** Asks the shards that hold a topic's queues, and joins what they say. */
export class PendingTimers implements TimerDoor {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #finder: Finder;
  readonly #delayMsMax: number;

  constructor(view: RegistryView, router: ShardRouter, finder: Finder, delayMsMax: number) {
    this.#view = view;
    this.#router = router;
    this.#finder = finder;
    this.#delayMsMax = delayMsMax;
  }

  async list(query: TimerQuery): Promise<TimerPage> {
    const shards = queuesByShard(this.#view.needTopic(query.topic));
    const after = query.after === null ? null : readCursor(query.after);
    const countMax = Math.min(query.timersMax, limits.timersPageMax);
    const { toMs } = query;
    const pages = await Promise.all([...shards].map(async ([shard, queueKeys]) => {
      const from = fromFor(shard, query.fromMs, after);
      const ask: TimersAsk = { queueKeys, by: "range", ...from, toMs, countMax };
      const { timers } = await this.#router.ask(shard, "timers", ask);
      return timers.map((timer): Found => ({ ...timer, shard }));
    }));
    const found = pages.flat().sort(inOrder);
    const page = found.slice(0, countMax);
    const last = page.at(-1);
    return {
      timers: page.map((timer) => this.#info(timer)),
      count: await this.#count(shards),
      next: last !== undefined && page.length === countMax ? cursorText(last) : null,
    };
  }

  async find(topic: string | null, name: TimerName): Promise<TimerInfo | null> {
    const topics = topic === null ? this.#ownTopics() : [this.#view.needTopic(topic)];
    const found = await Promise.all([...joined(topics)].map(async ([shard, queueKeys]) => {
      const { timers } = await this.#router.ask(shard, "timers", { queueKeys, ...name });
      return timers.map((timer) => this.#info(timer));
    }));
    return found.flat()[0] ?? null;
  }

  cancel(topic: string | null, name: TimerName): Promise<TimerOutcome> {
    return this.#change(topic, name, { kind: "cancel" });
  }

  async move(topic: string | null, name: TimerName, to: TimerMove): Promise<TimerOutcome> {
    const { deliverAtMs, delayMs } = to;
    if (deliverAtMs !== null && delayMs !== null) {
      const message = "Cannot move a timer both to a time and by a delay: give one of them";
      throw new BrokerError("invalid_argument", message);
    }
    return await this.#change(topic, name, { kind: "move", dueMs: deliverAtMs, delayMs });
  }

  async #change(
    topicName: string | null,
    name: TimerName,
    action: ChangeTimerAsk["action"],
  ): Promise<TimerOutcome> {
    const topic = topicName ?? (await this.find(null, name))?.topic;
    if (topic === undefined) return await this.#outcomeWithout(name);
    const shards = queuesByShard(this.#view.needTopic(topic));
    const asked = await Promise.allSettled([...shards].map(([shard, queueKeys]) => {
      const ask = { queueKeys, name, action, delayMsMax: this.#delayMsMax };
      return this.#router.ask(shard, "changeTimer", ask);
    }));
    const answers = asked.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const outcome = strongest(answers);
    // One shard has the timer: what it did stands, whatever became of the question to the others.
    if (outcome.verdict !== "unknown") return outcome;
    const failed = asked.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return outcome;
  }

  /** Nothing of the id is pending in any topic: the log says whether it was delivered. */
  async #outcomeWithout(name: TimerName): Promise<TimerOutcome> {
    const stored = name.by === "id" ? await this.#finder.byId(null, name.messageId) : [];
    const delivered = stored.some(({ topic }) => !isDerivedTopic(topic));
    return { verdict: delivered ? "already-delivered" : "unknown", deliverAtMs: null };
  }

  async #count(shards: ReadonlyMap<number, readonly number[]>): Promise<number> {
    const counts = await Promise.all(
      [...shards].map(([shard, queueKeys]) =>
        this.#router.ask(shard, "timers", { queueKeys, by: "count" })
      ),
    );
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  #ownTopics(): Topic[] {
    return this.#view.topics().filter(({ name }) => !isDerivedTopic(name));
  }

  #info({ queueKey, messageId, timerKey, dueMs, bytes }: PendingTimer): TimerInfo {
    const queue = this.#view.queue(queueKey);
    const place = { topic: queue?.topic.name ?? "", queueId: queue?.queueId ?? -1 };
    return { messageId, ...place, timerKey, deliverAtMs: dueMs, bytes };
  }
}

function joined(topics: readonly Topic[]): Map<number, number[]> {
  const byShard = new Map<number, number[]>();
  for (const topic of topics) {
    for (const { shard, queueKey } of topic.queueRefs) {
      const keys = byShard.get(shard);
      if (keys === undefined) byShard.set(shard, [queueKey]);
      else keys.push(queueKey);
    }
  }
  return byShard;
}

function strongest(answers: readonly ChangeTimerAnswer[]): TimerOutcome {
  for (const verdict of verdictOrder) {
    const answer = answers.find((each) => each.verdict === verdict);
    if (answer !== undefined) return { verdict, deliverAtMs: answer.dueMs };
  }
  return { verdict: "unknown", deliverAtMs: null };
}

function inOrder(one: Found, other: Found): number {
  return one.dueMs - other.dueMs || one.shard - other.shard || one.id - other.id;
}

/** Where a shard goes on: pages run through due time, then shard, then the shard's own numbers. */
function fromFor(shard: number, fromMs: number, after: Cursor | null) {
  if (after === null || after.dueMs < fromMs) return { fromMs, afterId: null };
  if (shard < after.shard) return { fromMs: after.dueMs + 1, afterId: null };
  return { fromMs: after.dueMs, afterId: shard === after.shard ? after.id : null };
}

function cursorText({ dueMs, shard, id }: Cursor): string {
  return `${dueMs}.${shard}.${id}`;
}

function readCursor(text: string): Cursor {
  const [dueMs, shard, id] = text.split(".").map(Number);
  if (/^\d{1,16}\.\d{1,3}\.\d{1,16}$/.test(text) && id !== undefined) {
    return { dueMs: dueMs ?? 0, shard: shard ?? 0, id };
  }
  const shown = JSON.stringify(text.slice(0, 60));
  throw new BrokerError("invalid_argument", `Cannot list timers after ${shown}: no page ended so`);
}
