/** Sending: which queue, which record, and the receipts. One path for all protocols. @module */
import { queueOfKey } from "../core/placement.ts";
import type { RepeatRule } from "../link/repeats.ts";
import { BrokerError } from "../model/errors.ts";
import type { NewMessage, SendReceipt, Timing } from "../model/message.ts";
import { propertyNames, readProperty } from "../model/properties.ts";
import type { Topic } from "../model/topic.ts";
import type { SendRequest } from "./broker.ts";
import { type ChosenQueue, QueueChooser } from "./choose_queue.ts";
import type { RecordEncoder } from "./encode.ts";
import {
  firstQueueKeyOf,
  FormerPlaces,
  type FormerPlacesParts,
  type KnownPlaces,
} from "./former_places.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import { receiptsOf, timedReceiptOf, withKnown } from "./send_receipts.ts";
import type { Traffic } from "./traffic.ts";

/** The furthest a message may lie ahead, unless the settings say otherwise: 40 days. */
export const delayMsMaxDefault = 40 * 86_400_000;

/** Messages sent before are told by their ids within a window; see `workers/shard/repeats.ts`. */
type IdRule = { readonly ids: readonly string[]; readonly any: boolean };

/** What sending takes. */
export type SenderParts = Omit<FormerPlacesParts, "windowMs"> & {
  readonly view: RegistryView;
  readonly encoder: RecordEncoder;
  readonly traffic: Traffic;
  readonly settings: { readonly dedupeWindowMs: number; readonly delayMsMax: number };
};

/** Writes messages as records and appends them, or puts them aside until they are due. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #queues = new QueueChooser();
  readonly #former: FormerPlaces;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#former = new FormerPlaces({ ...parts, windowMs: parts.settings.dedupeWindowMs });
  }

  /**
   * None of what most sends take is an `async` function: what one keeps while it waits is most of
   * what a send leaves to be collected.
   *
   * @throws {BrokerError} See `Broker.send`.
   */
  send(request: SendRequest): Promise<SendReceipt[]> {
    try {
      return this.#store(request);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** Throws at once what can be told at once. */
  #store(request: SendRequest): Promise<SendReceipt[]> {
    const topic = this.#parts.view.needTopic(request.topic);
    const known = this.#parts.settings.dedupeWindowMs === 0 ? noIds : knownIds(topic, request);
    const queue = this.#queues.choose(topic, request, known.any ? known.ids[0] : undefined);
    const isGrown = topic.formerQueues.length > 0;
    if (request.messages.some(isTimed)) {
      return isGrown
        ? this.#scheduleGrown(topic, queue, request, known.ids)
        : this.#schedule(topic, queue, request, known.ids);
    }
    return isGrown && known.any
      ? this.#appendGrown(topic, queue, request, known.ids)
      : this.#append(topic, queue, request, known.ids);
  }

  /** Appends to the queue; `ids`: by which the shard may know the messages, or none. */
  #append(
    topic: Topic,
    { queueId, ref: { queueKey, shard } }: ChosenQueue,
    { messages, storeHost }: SendRequest,
    ids: readonly string[],
  ): Promise<SendReceipt[]> {
    const target = { topic: topic.name, queueId, storeHost };
    const { records, tagHashes, messageIds } = this.#parts.encoder.encode(messages, target);
    const { durability } = topic.settings;
    const ask = { queueKey, durability, tagHashes, records, repeats: this.#ruleOf(topic, ids) };
    const place = { queueId, shard, survived: durability };
    const { traffic, router } = this.#parts;
    // What waits keeps these, and not the messages.
    const { name } = topic;
    const bytes = bodyBytesOf(messages);
    return router.ask(shard, "append", ask).then((answer) => {
      traffic.put(name, messageIds.length, bytes);
      return receiptsOf(answer, messageIds, place);
    });
  }

  #ruleOf(topic: Topic, ids: readonly string[]): RepeatRule | null {
    const { dedupeWindowMs: windowMs } = this.#parts.settings;
    return ids.length > 0 ? { ids, windowMs, firstQueueKey: firstQueueKeyOf(topic) } : null;
  }

  /** The topic had fewer queues: what went elsewhere then is not stored a second time. */
  async #appendGrown(
    topic: Topic,
    queue: ChosenQueue,
    request: SendRequest,
    ids: readonly string[],
  ): Promise<SendReceipt[]> {
    const shards = this.#shardsToAsk(topic, queue, request, ids);
    if (shards.size === 0) return await this.#append(topic, queue, request, ids);
    const known = await this.#former.known(topic, ids, shards);
    const present = this.#parts.view.needTopic(topic.name);
    if (this.#former.hasChanged(topic, present)) {
      // Who came later may have asked the place chosen here, found nothing, and gone elsewhere.
      checkTogether(present, request, ids);
      return await this.#store(request);
    }
    const isNew = (_: unknown, index: number) => !known.has(index);
    const messages = request.messages.filter(isNew);
    const stored = messages.length === 0
      ? []
      : await this.#append(topic, queue, { ...request, messages }, ids.filter(isNew));
    return withKnown(stored, ids, known, topic.settings.durability);
  }

  /** By message: the shards that may know it. Empty: there is nobody to ask. */
  #shardsToAsk(
    topic: Topic,
    queue: ChosenQueue,
    request: SendRequest,
    ids: readonly string[],
  ): Map<number, readonly number[]> {
    const shards = new Map<number, readonly number[]>();
    const sinceMs = this.#former.sinceMs();
    ids.forEach((id, index) => {
      const key = keyOf(request, id, ids[0]);
      if (id === "" || key === "") return;
      const its = this.#former.shardsOf(topic, key, queue.ref.shard, sinceMs);
      if (its.length > 0) shards.set(index, its);
    });
    return shards;
  }

  /** The topic had fewer queues: a timer that is pending in one of them is replaced there. */
  async #scheduleGrown(
    topic: Topic,
    queue: ChosenQueue,
    request: SendRequest,
    ids: readonly string[],
  ): Promise<SendReceipt[]> {
    const [only] = request.messages;
    const keys = request.messages.map((message) => timedKeyOf(request, message));
    if (only === undefined || keys.every((key) => key === "")) {
      return await this.#schedule(topic, queue, request, ids);
    }
    if (request.messages.length > 1) return await this.#sendEach(request);
    const messageId = idOf(only);
    const shards = this.#former.shardsOf(topic, keys[0] ?? "", queue.ref.shard, 0);
    if (shards.length === 0) return await this.#schedule(topic, queue, request, ids);
    const pending = await this.#former.pendingQueueKey(topic, messageId, shards);
    // Asked in this order: what was pending then may be visible now, but not the other way round.
    const known = pending === null && ids.length > 0
      ? await this.#former.known(topic, ids, new Map([[0, shards]]))
      : noPlaces;
    const present = this.#parts.view.needTopic(topic.name);
    // As above: what was chosen here may not be where others look.
    if (this.#former.hasChanged(topic, present)) return await this.#store(request);
    if (known.size > 0) return withKnown([], ids, known, topic.settings.durability);
    const queueId = topic.queueRefs.findIndex(({ queueKey }) => queueKey === pending);
    const ref = topic.queueRefs[queueId];
    return await this.#schedule(topic, ref === undefined ? queue : { queueId, ref }, request, ids);
  }

  /** Each message by its own id: their timers may be pending in different shards. */
  async #sendEach({ messages, queueByIds, ...rest }: SendRequest): Promise<SendReceipt[]> {
    const alone = queueByIds === true ? { ...rest, queueId: null } : rest;
    const sent = messages.map((message) => this.#store({ ...alone, messages: [message] }));
    return (await Promise.all(sent)).flat();
  }

  async #schedule(
    topic: Topic,
    { queueId, ref: { queueKey, shard } }: ChosenQueue,
    request: SendRequest,
    ids: readonly string[],
  ): Promise<SendReceipt[]> {
    const timings = request.messages.map(({ timing }) => checkedTiming(timing));
    const target = { topic: topic.name, queueId, storeHost: request.storeHost };
    const encoded = this.#parts.encoder.encode(request.messages, target);
    const items = encoded.records.map((record, index) => {
      const { deliverAtMs = null, delayMs = null, timerKey = null } = timings[index] ?? {};
      return {
        tagHash: encoded.tagHashes[index] ?? 0,
        messageId: encoded.messageIds[index] ?? "",
        timerKey,
        dueMs: deliverAtMs,
        delayMs,
        mayRepeat: encoded.ownIds[index] ?? true,
        bytes: record.length,
      };
    });
    const { durability } = topic.settings;
    const queueKeys = queuesByShard(topic).get(shard) ?? [queueKey];
    const { delayMsMax } = this.#parts.settings;
    const repeats = this.#ruleOf(topic, ids);
    const head = { queueKey, queueKeys, durability, delayMsMax, items, repeats };
    const asked = this.#parts.router.ask(shard, "schedule", { head, blob: encoded.bytes });
    const { storedMs, verdicts } = await asked;
    this.#parts.traffic.put(topic.name, items.length, bodyBytesOf(request.messages));
    const told = { queueId, storedMs, shard, survived: durability };
    return verdicts.map((verdict, index) =>
      timedReceiptOf(encoded.messageIds[index] ?? "", verdict, told)
    );
  }
}

/**
 * The queue where a message with this id is sent when nothing else says where: sent again, it comes
 * to the shard that knows it.
 */
export function queueOfId(topic: Topic, messageId: string): number {
  return queueOfKey(messageId, topic.queueRefs.length);
}

/** The ids by which messages of the request may be known already; "" for those that cannot be. */
function knownIds(topic: Topic, { messages, ownIds }: SendRequest): IdRule {
  const { dedupe } = topic.settings;
  if (dedupe === "off" || (dedupe === "explicit" && ownIds !== true)) return noIds;
  let any = false;
  const ids = messages.map(({ properties }) => {
    const id = properties === "" ? undefined : readProperty(properties, propertyNames.uniqueKey);
    any ||= id !== undefined;
    return id ?? "";
  });
  return any ? { ids, any } : noIds;
}

const noIds: IdRule = { ids: [], any: false };
const noPlaces: KnownPlaces = new Map();

/** What leads a message to its queue; "": nothing does that depends on how many there are. */
function keyOf(
  { queueId, queueByIds, shardingKey }: SendRequest,
  id: string,
  firstId: string | undefined,
): string {
  if (queueByIds === true) return id;
  return queueId === null ? shardingKey ?? firstId ?? "" : "";
}

/** The key of a timed message whose pending one may be elsewhere; "": it cannot be. */
function timedKeyOf(request: SendRequest, message: NewMessage): string {
  const id = idOf(message);
  const hasTimerKey = (message.timing?.timerKey ?? null) !== null;
  return hasTimerKey || id === "" ? "" : keyOf(request, id, id);
}

function idOf({ properties }: NewMessage): string {
  return properties === "" ? "" : readProperty(properties, propertyNames.uniqueKey) ?? "";
}

/** @throws {BrokerError} `too_busy`: the ids lead to several queues by now. */
function checkTogether(
  topic: Topic,
  { queueId, queueByIds }: SendRequest,
  ids: readonly string[],
): void {
  if (queueByIds !== true || ids.every((id) => queueOfId(topic, id) === queueId)) return;
  throw new BrokerError(
    "too_busy",
    `Cannot send to topic "${topic.name}" as one: it got more queues in this very moment`,
  );
}

/** @throws {BrokerError} `invalid_argument`: two times, or what is no time. */
export function checkedTiming(timing: Timing | undefined): Timing | undefined {
  if (timing === undefined) return undefined;
  const { deliverAtMs, delayMs } = timing;
  if (deliverAtMs !== null && delayMs !== null) {
    throw new BrokerError(
      "invalid_argument",
      `Cannot deliver both at ${deliverAtMs} and ${delayMs} ms from now: give one of them`,
    );
  }
  const given = deliverAtMs ?? delayMs;
  if (given === null || (Number.isSafeInteger(given) && given >= 0)) return timing;
  throw new BrokerError(
    "invalid_argument",
    `Cannot deliver at ${given}: a time is whole milliseconds from 0 up`,
  );
}

function bodyBytesOf(messages: readonly NewMessage[]): number {
  let bytes = 0;
  for (const { body } of messages) bytes += body.length;
  return bytes;
}

function isTimed({ timing }: NewMessage): boolean {
  return timing !== undefined;
}
