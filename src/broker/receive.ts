/** Reading: pulls by offset, leases to members of a group, and what they say of them. @module */
import type { Clock } from "../base/clock.ts";
import type { Filter } from "../model/subscription.ts";
import { splitRecords } from "../model/record.ts";
import { asBrokerError, BrokerError } from "../model/errors.ts";
import type { Group } from "../model/group.ts";
import { deadLetterTopicOf, retryTopicOf } from "../model/names.ts";
import { permRead, type QueueRef, type Topic } from "../model/topic.ts";
import { unpackPhysicalOffset } from "../model/message_id.ts";
import type { Signer } from "../ports/signer.ts";
import type {
  ExtendAsk,
  LeaseVerdict,
  NackAsk,
  ReceiveAsk,
  SettleAnswer,
  SettleAsk,
} from "../link/shard_messages.ts";
import type {
  LeaseName,
  PullRequest,
  PullResult,
  ReceiptVerdict,
  ReceivedMessage,
  ReceiveRequest,
  SendBackRequest,
} from "./broker.ts";
import type { OtherFilters } from "./group_filters.ts";
import { queuesByShard } from "./offsets.ts";
import type { ReaderKeys } from "./reader_keys.ts";
import { readReceipt, type ReceiptParts, writeReceipt } from "./receipts.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";
import type { Traffic } from "./traffic.ts";

/** What reading is made of. */
export type ReaderParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly otherFilters: Pick<OtherFilters, "beside" | "changed">;
  readonly readerKeys: Pick<ReaderKeys, "of">;
};

/** A reader of its own has no last attempt: there is nobody else to look at what it cannot take. */
const endlessAttempts = Number.MAX_SAFE_INTEGER;

/** A receive, as long as the wishes of the others stay the same. */
type OneReceive = ReceiveRequest & {
  readonly otherFilters: readonly Filter[];
  /** Whose places are read, when they are not the group's. */
  readonly readerKey?: number;
};

type Settled<A> = {
  readonly receipt: string;
  readonly verdict: LeaseVerdict | "invalid";
  answer?: A;
};

/**
 * Reads and leases for the door. What lies in several shards is asked of them in turn, another one
 * first each time, so that no queue is always the last.
 */
export class Reader {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #signer: Signer;
  readonly #clock: Clock;
  readonly #otherFilters: ReaderParts["otherFilters"];
  readonly #readerKeys: ReaderParts["readerKeys"];
  #turn = 0;

  constructor({ view, router, signer, clock, otherFilters, readerKeys }: ReaderParts) {
    this.#readerKeys = readerKeys;
    this.#clock = clock;
    this.#otherFilters = otherFilters;
    this.#view = view;
    this.#router = router;
    this.#signer = signer;
  }

  /**
   * No function waits here for the answer: it would keep what it was called with for as long.
   *
   * @throws {BrokerError} At once: there is no such queue, or nobody may read it.
   */
  pull(request: PullRequest, traffic: Pick<Traffic, "got">): Promise<PullResult> {
    const { offset, messagesMax, bytesMax, filter, waitMs, signal, group } = request;
    const topic = this.#readable(request.topic);
    const { queueKey, shard } = queueOf(topic, request.queueId);
    const ttlMs = topic.settings.messageTtlMs;
    const ask = { queueKey, offset, messagesMax, bytesMax, filter, ttlMs, waitMs };
    const { name } = topic;
    return this.#router.askParked(shard, "pull", ask, signal).then(({ head, blob }) => {
      if (group !== undefined && head.count > 0) traffic.got(name, group, head.count, blob.length);
      return { ...head, records: blob };
    });
  }

  async receive(request: ReceiveRequest): Promise<ReceivedMessage[]> {
    if (request.mode === "broadcast") {
      const { topic, group } = this.#consumed(request);
      const readerKey = await this.#readerKeys.of(group.name, request.clientId);
      return await this.#receiveOnce(topic, group, { ...request, readerKey, otherFilters: [] });
    }
    const deadlineMs = request.waitMs === 0 ? 0 : this.#clock.monotonicMs() + request.waitMs;
    for (let waitMs = request.waitMs;;) {
      // Each time: while it waited, they may have been deleted, or made anew.
      const { topic, group } = this.#consumed(request);
      const beside = this.#otherFilters.beside(group.name, topic.name, request.filter);
      const otherFilters = beside instanceof Promise ? await beside : beside;
      const changed = waitMs === 0 ? undefined : this.#otherFilters.changed(group.name, topic.name);
      const signal = anyOf(request.signal, changed);
      const found = await this.#receiveOnce(topic, group, {
        ...request,
        waitMs,
        otherFilters,
        ...(signal === undefined ? {} : { signal }),
      });
      // While it waited, others began to want what this request would have passed over.
      const wasStopped = found.length === 0 && changed?.aborted && !request.signal?.aborted;
      if (!wasStopped) return found;
      waitMs = Math.max(0, Math.ceil(deadlineMs - this.#clock.monotonicMs()));
    }
  }

  /** @throws {BrokerError} There is no such topic or group, or nobody may receive from it. */
  #consumed(request: ReceiveRequest): { topic: Topic; group: Group } {
    const topic = this.#readable(request.topic);
    const group = this.#view.needGroup(request.group);
    if (group.settings.consumeEnabled) return { topic, group };
    throw new BrokerError("no_permission", `Group "${group.name}" is switched off`);
  }

  async #receiveOnce(topic: Topic, group: Group, request: OneReceive): Promise<ReceivedMessage[]> {
    const asks = this.#asksByShard(topic, group, request);
    const only = asks.length === 1 ? asks[0] : undefined;
    if (only !== undefined) return await this.#lease(only.shard, only.ask, group, request);
    return await this.#leaseFromMany(asks, group, request);
  }

  receiptOf(group: string, { topic, queueId, offset, lease }: LeaseName): string {
    const { groupKey } = this.#view.needGroup(group);
    const { shard, queueKey } = queueOf(this.#view.needTopic(topic), queueId);
    return writeReceipt(this.#signer, { groupKey, shard, queueKey, offset, lease });
  }

  ack(group: string, receipts: readonly string[]): Promise<ReceiptVerdict[]> {
    return this.#settle(group, receipts, (shard, ask) => this.#router.ask(shard, "ack", ask));
  }

  nack(
    group: string,
    receipts: readonly string[],
    delayMs: number | null,
  ): Promise<ReceiptVerdict[]> {
    return this.#giveBack(group, receipts, delayMs, false);
  }

  async extend(group: string, receipts: readonly string[], invisibleMs: number) {
    const settled = await this.#settle(group, receipts, (shard, ask) => {
      const extend: ExtendAsk = { ...ask, invisibleMs };
      return this.#router.ask(shard, "extend", extend);
    });
    return settled.map(({ receipt, verdict, answer }) => {
      return { receipt, verdict, invisibleUntilMs: answer?.invisibleUntilMs ?? 0 };
    });
  }

  async sendBack(request: SendBackRequest): Promise<void> {
    const { settings } = this.#view.needGroup(request.group);
    const { shard, position } = unpackPhysicalOffset(request.physicalOffset);
    if (shard >= this.#router.count) {
      throw new BrokerError(
        "message_not_found",
        `Cannot send back: no message has the physical offset ${request.physicalOffset}`,
      );
    }
    await this.#router.ask(shard, "sendBack", {
      position,
      retryTopic: retryTopicOf(request.group),
      retryQueueKey: this.#derivedQueue(retryTopicOf(request.group), shard),
      deadLetterTopic: deadLetterTopicOf(request.group),
      deadLetterQueueKey: this.#derivedQueue(deadLetterTopicOf(request.group), shard),
      retriesMax: request.retriesMax ?? settings.attemptsMax - 1,
      delayMs: request.delayMs,
      retry: { retryDelaysMs: settings.retryDelaysMs, retryBackoff: settings.retryBackoff },
    });
  }

  #readable(name: string): Topic {
    const topic = this.#view.needTopic(name);
    if ((topic.settings.perm & permRead) !== 0) return topic;
    throw new BrokerError("no_permission", `Topic "${name}" does not give messages`);
  }

  /** Retry and dead-letter topics have one queue in every shard, so nothing crosses. */
  #derivedQueue(name: string, shard: number): number {
    const ref = this.#view.needTopic(name).queueRefs.find((queue) => queue.shard === shard);
    if (ref !== undefined) return ref.queueKey;
    throw new BrokerError("internal", `Topic "${name}" has no queue in shard ${shard}`);
  }

  #asksByShard(topic: Topic, group: Group, request: OneReceive) {
    const { startFrom, ordered } = group.settings;
    const attemptsMax = request.readerKey === undefined
      ? group.settings.attemptsMax
      : endlessAttempts;
    const ttlMs = topic.settings.messageTtlMs;
    const deadLetterTopic = deadLetterTopicOf(group.name);
    const only = request.queueId === undefined ? undefined : queueOf(topic, request.queueId);
    const queues = only === undefined
      ? queuesByShard(topic)
      : new Map([[only.shard, [only.queueKey]]]);
    return [...queues].map(([shard, keys]) => {
      const deadLetterQueueKey = this.#derivedQueue(deadLetterTopic, shard);
      const ask: ReceiveAsk = {
        groupKey: request.readerKey ?? group.groupKey,
        queueKeys: keys,
        messagesMax: request.messagesMax,
        bytesMax: request.bytesMax,
        invisibleMs: request.invisibleMs,
        waitMs: request.waitMs,
        filter: request.filter,
        clientId: request.clientId,
        otherFilters: request.otherFilters,
        policy: { attemptsMax, startFrom, ordered, ttlMs, deadLetterQueueKey, deadLetterTopic },
      };
      return { shard, ask };
    });
  }

  async #lease(
    shard: number,
    ask: ReceiveAsk,
    group: Group,
    { readerKey, signal }: Pick<OneReceive, "readerKey" | "signal">,
  ): Promise<ReceivedMessage[]> {
    const reader = readerKey === undefined ? {} : { readerKey };
    const { head, blob } = await this.#router.askParked(shard, "receive", ask, signal);
    const records = splitRecords(blob);
    return head.deliveries.map((delivery, index) => {
      const { queueKey, offset, lease, attempt, invisibleUntilMs } = delivery;
      const parts = { groupKey: group.groupKey, ...reader, shard, queueKey, offset, lease };
      return {
        queueId: this.#view.queue(queueKey)?.queueId ?? -1,
        offset,
        attempt,
        invisibleUntilMs,
        lease,
        receipt: writeReceipt(this.#signer, parts),
        record: records[index] ?? new Uint8Array(0),
      };
    });
  }

  /**
   * A topic in several shards: each is asked at once first, and only when all are empty is the
   * request parked in all of them. The first that finds something answers; the others forget.
   */
  async #leaseFromMany(
    asks: readonly { shard: number; ask: ReceiveAsk }[],
    group: Group,
    request: OneReceive,
  ): Promise<ReceivedMessage[]> {
    const first = this.#turn++ % asks.length;
    const failures: unknown[] = [];
    for (const { shard, ask } of [...asks.slice(first), ...asks.slice(0, first)]) {
      try {
        const found = await this.#lease(shard, { ...ask, waitMs: 0 }, group, request);
        if (found.length > 0) return found;
      } catch (thrown) {
        // One shard that stands still does not keep the others' messages back.
        if (!isStanding(thrown)) throw thrown;
        failures.push(thrown);
      }
    }
    if (failures.length === asks.length) throw failures[0];
    if (request.waitMs === 0 || request.signal?.aborted) return [];
    const others = new AbortController();
    const signal = request.signal
      ? AbortSignal.any([request.signal, others.signal])
      : others.signal;
    let answered = false;
    const parked = asks.map(async ({ shard, ask }) => {
      const found = await this.#lease(shard, ask, group, { ...request, signal });
      if (found.length === 0) throw new NothingFound();
      if (!answered) {
        answered = true;
        return found;
      }
      // Two shards found something at the same moment: the later one takes it back.
      await this.#giveBack(group.name, found.map(({ receipt }) => receipt), 0, true);
      throw new NothingFound();
    });
    try {
      return await Promise.any(parked);
    } catch (thrown) {
      const errors = thrown instanceof AggregateError ? thrown.errors : [thrown];
      const refused = errors.filter((error) => !(error instanceof NothingFound));
      // That the topic is gone says more than that a shard of it stands still.
      const failure = refused.find((error) => !isStanding(error)) ?? refused[0];
      // Those that can be asked had nothing; only when none could, there is something to tell.
      const anyAsked = errors.some((error) => error instanceof NothingFound);
      if (failure === undefined || (anyAsked && isStanding(failure))) return [];
      throw failure;
    } finally {
      others.abort(answeredElsewhere);
    }
  }

  #giveBack(
    group: string,
    receipts: readonly string[],
    delayMs: number | null,
    unseen: boolean,
  ): Promise<ReceiptVerdict[]> {
    const { groupKey, settings } = this.#view.needGroup(group);
    const { retryDelaysMs, retryBackoff } = settings;
    return this.#settle(group, receipts, (shard, ask) => {
      const retry = { retryDelaysMs, retryBackoff };
      const attemptsMax = ask.groupKey === groupKey ? settings.attemptsMax : endlessAttempts;
      const nack: NackAsk = { ...ask, delayMs, retry, unseen, attemptsMax };
      return this.#router.ask(shard, "nack", nack);
    });
  }

  async #settle<A extends SettleAnswer>(
    groupName: string,
    receipts: readonly string[],
    ask: (shard: number, ask: SettleAsk) => Promise<A>,
  ): Promise<Settled<A>[]> {
    const { groupKey } = this.#view.needGroup(groupName);
    const settled: Settled<A>[] = receipts.map((receipt) => ({ receipt, verdict: "invalid" }));
    const byPlace = new Map<string, { index: number; parts: ReceiptParts }[]>();
    receipts.forEach((receipt, index) => {
      const parts = readReceipt(this.#signer, groupKey, receipt);
      if (parts === null || parts.shard >= this.#router.count) return;
      const place = `${parts.shard}/${parts.readerKey ?? groupKey}`;
      const list = byPlace.get(place);
      if (list === undefined) byPlace.set(place, [{ index, parts }]);
      else list.push({ index, parts });
    });
    await Promise.all([...byPlace.values()].map(async (list) => {
      const [first] = list;
      if (first === undefined) return;
      const leases = list.map(({ parts: { queueKey, offset, lease } }) => ({
        queueKey,
        offset,
        lease,
      }));
      const { shard, readerKey = groupKey } = first.parts;
      const answer = await ask(shard, { groupKey: readerKey, leases });
      list.forEach(({ index }, at) => {
        const receipt = receipts[index] ?? "";
        settled[index] = { receipt, verdict: answer.verdicts[at] ?? "expired", answer };
      });
    }));
    return settled;
  }
}

function queueOf(topic: Topic, queueId: number): QueueRef {
  const ref = topic.queueRefs[queueId];
  if (ref !== undefined) return ref;
  throw new BrokerError(
    "queue_not_found",
    `Topic "${topic.name}" has queues 0 to ${topic.queueRefs.length - 1}, but not ${queueId}`,
  );
}

function anyOf(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return AbortSignal.any([one, other]);
}

/** Whether a shard cannot be asked for now, or takes no writes any more. */
function isStanding(thrown: unknown): boolean {
  const { code } = asBrokerError(thrown);
  return code === "storage_failed" || code === "storage_damaged";
}

/** One shard of several had nothing: no failure, but not an answer either. */
class NothingFound extends Error {
  override readonly name = "NothingFound";
}

/** Why the other shards forget a request: one error for all, since making one takes long. */
const answeredElsewhere = new NothingFound();
