/** Transactions: which shard, which half message, and what operators see of them. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { packHalfOffset, packPhysicalOffset, unpackHalfOffset } from "../model/message_id.ts";
import type { NewMessage, SendReceipt } from "../model/message.ts";
import { checkGroupName } from "../model/names.ts";
import {
  propertyNames,
  readProperty,
  withoutProperties,
  withProperty,
} from "../model/properties.ts";
import type { HalfView, HalvesAnswer, SettleHalfAnswer } from "../link/transaction_messages.ts";
import type { Signer } from "../ports/signer.ts";
import type { Checks } from "./checks.ts";
import { QueueChooser } from "./choose_queue.ts";
import type { RecordEncoder } from "./encode.ts";
import type { RegistryView } from "./registry_view.ts";
import { checkedTiming } from "./send.ts";
import type { ShardRouter } from "./shard_router.ts";
import type {
  CheckListener,
  CollectRequest,
  PreparedTransaction,
  PrepareRequest,
  SettledTransaction,
  TransactionCheck,
  TransactionDoor,
  TransactionInfo,
  TransactionPage,
  TransactionQuery,
  Verdict,
} from "./transaction_door.ts";
import { type HalfRef, readTransactionId, transactionIdOf } from "./transaction_ids.ts";

/** What the operator chose of transactions. */
export type TransactionSettings = {
  readonly delayMsMax: number;
  readonly firstCheckMs: number;
  /** `host` or `host:port` of programs that may be asked by webhook. */
  readonly webhookHosts: readonly string[];
};

/** What transactions are made of. */
export type TransactionParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly signer: Signer;
  readonly encoder: RecordEncoder;
  readonly checks: Checks;
  readonly settings: TransactionSettings;
};

/** The door's transactions. */
export class Transactions implements TransactionDoor {
  readonly #parts: TransactionParts;
  readonly #queues = new QueueChooser();

  constructor(parts: TransactionParts) {
    this.#parts = parts;
  }

  async prepare(request: PrepareRequest): Promise<PreparedTransaction> {
    const { view, router, signer, encoder, settings } = this.#parts;
    const topic = view.needTopic(request.topic);
    const { producerGroup, storeHost, checkUrl } = request;
    checkGroupName(producerGroup);
    if (checkUrl !== null) checkAllowed(checkUrl, settings.webhookHosts);
    const firstCheckMs = request.immunityMs ?? settings.firstCheckMs;
    checkImmunity(firstCheckMs);
    const timing = checkedTiming(request.message.timing);
    const message = halfOf(request.message, producerGroup);
    // Where a plain send with the same id goes: after the commit that one is a repeat.
    const ownId = readProperty(message.properties, propertyNames.uniqueKey);
    const wish = { ...request, messages: [message] };
    const { queueId, ref } = this.#queues.choose(topic, wish, ownId);
    const target = { topic: topic.name, queueId, storeHost };
    const { bytes, tagHashes, messageIds } = encoder.encode([message], target);
    const { durability } = topic.settings;
    const messageId = messageIds[0] ?? "";
    const head = {
      queueKey: ref.queueKey,
      durability,
      producerGroup,
      messageId,
      tagHash: tagHashes[0] ?? 0,
      timerKey: timing?.timerKey ?? null,
      dueMs: timing?.deliverAtMs ?? null,
      delayMs: timing?.delayMs ?? null,
      delayMsMax: settings.delayMsMax,
      firstCheckMs,
      checkUrl,
    };
    const { shard } = ref;
    const prepared = await router.ask(shard, "prepare", { head, blob: bytes });
    const { id, createdMs, deliverAtMs } = prepared;
    return {
      transactionId: transactionIdOf(signer, { shard, id }),
      messageId,
      queueId,
      physicalOffset: packHalfOffset(shard, id),
      createdMs,
      deliverAtMs,
      survived: durability,
    };
  }

  async settle(transactionId: string, verdict: Verdict, producerGroup: string | null) {
    return await this.#settle(this.#refOf(transactionId), verdict, producerGroup);
  }

  async settleAt(physicalOffset: number, verdict: Verdict, producerGroup: string) {
    return await this.#settle(this.#refAt(physicalOffset), verdict, producerGroup);
  }

  async list(query: TransactionQuery): Promise<TransactionPage> {
    const { router } = this.#parts;
    const { state } = query;
    const after = query.after === null ? { shard: 0, id: 0 } : this.#refOf(query.after);
    const wanted = Math.min(query.transactionsMax, limits.timersPageMax);
    const transactions: TransactionInfo[] = [];
    let count = 0;
    for (let shard = 0; shard < router.count; shard++) {
      // Shards before the page's begin, and behind its end, are only asked how many they have.
      const isBefore = shard < after.shard;
      let afterId: number | null = shard === after.shard ? after.id : 0;
      for (let part = 0; afterId !== null; part++) {
        const countMax = isBefore ? 0 : wanted - transactions.length;
        const ask = { by: "state", state, afterId, countMax } as const;
        const answer: HalvesAnswer = await router.ask(shard, "halves", ask);
        if (part === 0) count += answer.count;
        transactions.push(...answer.halves.map((half) => this.#info(shard, half)));
        afterId = answer.moreAfterId;
      }
    }
    const last = transactions.at(-1);
    const next = last !== undefined && transactions.length === wanted ? last.transactionId : null;
    return { transactions, count, next };
  }

  async find(transactionId: string): Promise<TransactionInfo | null> {
    const { shard, id } = this.#refOf(transactionId);
    const { halves } = await this.#parts.router.ask(shard, "halves", { by: "id", id });
    return halves[0] === undefined ? null : this.#info(shard, halves[0]);
  }

  async rearm(transactionIds: readonly string[] | null): Promise<number> {
    const { router } = this.#parts;
    const countMax = limits.timersPageMax;
    if (transactionIds === null) {
      let rearmed = 0;
      for (let shard = 0; shard < router.count; shard++) {
        for (let more = true; more;) {
          const answer = await router.ask(shard, "rearm", { ids: null, countMax });
          rearmed += answer.rearmed;
          more = answer.more;
        }
      }
      return rearmed;
    }
    const byShard = Map.groupBy(transactionIds.map((id) => this.#refOf(id)), ({ shard }) => shard);
    const answers = await Promise.all([...byShard].map(([shard, refs]) => {
      return router.ask(shard, "rearm", { ids: refs.map(({ id }) => id), countMax });
    }));
    return answers.reduce((sum, { rearmed }) => sum + rearmed, 0);
  }

  async rearmAt(physicalOffset: number): Promise<number> {
    const { shard, id } = this.#refAt(physicalOffset);
    const ask = { ids: [id], countMax: 1 };
    return (await this.#parts.router.ask(shard, "rearm", ask)).rearmed;
  }

  collectChecks(request: CollectRequest): Promise<TransactionCheck[]> {
    return this.#parts.checks.collect(request);
  }

  onChecks(listener: CheckListener): () => void {
    return this.#parts.checks.listen(listener);
  }

  async #settle(
    { shard, id }: HalfRef,
    verdict: Verdict,
    producerGroup: string | null,
  ): Promise<SettledTransaction> {
    const ask = { id, verdict, producerGroup };
    const answer = await this.#parts.router.ask(shard, "settleHalf", ask);
    const { state, first } = answer;
    return { state, first, receipt: this.#receiptOf(shard, answer) };
  }

  #receiptOf(shard: number, answer: SettleHalfAnswer): SendReceipt | null {
    const { messageId, queueKey, place, deliverAtMs, storedMs } = answer;
    if (!answer.first || (place === null && deliverAtMs === null)) return null;
    const queueId = this.#parts.view.queue(queueKey)?.queueId ?? -1;
    // A verdict is written with the strongest durability, whatever the topic's.
    const told = { messageId, queueId, storedMs, survived: "power-loss", repeated: false } as const;
    if (place === null) {
      return { ...told, offset: null, physicalOffset: null, deliverAtMs: deliverAtMs ?? storedMs };
    }
    const { offset, position } = place;
    return { ...told, offset, physicalOffset: packPhysicalOffset(shard, position) };
  }

  #refOf(transactionId: string): HalfRef {
    const { signer, router } = this.#parts;
    const ref = readTransactionId(signer, transactionId);
    if (ref.shard < router.count) return ref;
    throw new BrokerError("message_not_found", `There is no shard ${ref.shard} any more`);
  }

  #refAt(physicalOffset: number): HalfRef {
    const ref = unpackHalfOffset(physicalOffset);
    if (ref !== null && ref.shard < this.#parts.router.count) return ref;
    throw new BrokerError(
      "message_not_found",
      `Cannot find a transaction: no half message has the number ${physicalOffset}`,
    );
  }

  #info(shard: number, half: HalfView): TransactionInfo {
    const { id, queueKey, nextCheckMs, settledMs, ...rest } = half;
    const queue = this.#parts.view.queue(queueKey);
    return {
      transactionId: transactionIdOf(this.#parts.signer, { shard, id }),
      ...rest,
      topic: queue?.topic.name ?? "",
      queueId: queue?.queueId ?? -1,
      nextCheckMs: rest.state === "prepared" ? nextCheckMs : null,
      settledMs: settledMs === 0 ? null : settledMs,
    };
  }
}

/** The message as its consumers will see it: the group is noted, that it was once half is not. */
function halfOf(message: NewMessage, producerGroup: string): NewMessage {
  const { transactionPrepared, producerGroup: groupName } = propertyNames;
  const rest = withoutProperties(message.properties, [transactionPrepared]);
  return { ...message, properties: withProperty(rest, groupName, producerGroup) };
}

/** @throws {BrokerError} `invalid_argument`: nobody may be asked there. */
function checkAllowed(checkUrl: string, webhookHosts: readonly string[]): void {
  const refuse = (why: string) => {
    const shown = JSON.stringify(checkUrl.slice(0, 200));
    throw new BrokerError("invalid_argument", `Cannot ask for verdicts at ${shown}: ${why}`);
  };
  if (checkUrl.length > limits.checkUrlLengthMax) {
    refuse(`a URL has at most ${limits.checkUrlLengthMax} characters`);
  }
  const url = URL.parse(checkUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) return refuse("it is no HTTP address");
  if (url.username !== "" || url.password !== "") return refuse("it carries a name or a password");
  if (webhookHosts.includes(url.host)) return;
  refuse(
    webhookHosts.length === 0
      ? "no host is allowed; the setting webhookHosts names those that are"
      : `host ${url.host} is not one of ${webhookHosts.join(", ")} (the setting webhookHosts)`,
  );
}

function checkImmunity(immunityMs: number): void {
  const { transactionCheckMsMin: min, immunityMsMax: max } = limits;
  if (Number.isSafeInteger(immunityMs) && immunityMs >= min && immunityMs <= max) return;
  throw new BrokerError(
    "invalid_argument",
    `Cannot wait ${immunityMs} ms before the first question: ${min} to ${max} ms are allowed`,
  );
}
