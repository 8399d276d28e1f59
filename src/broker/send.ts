/** Sending: which queue, which record, and the receipts. One path for all protocols. @module */
import { BrokerError } from "../model/errors.ts";
import { packPhysicalOffset } from "../model/message_id.ts";
import type { NewMessage, SendReceipt, Timing } from "../model/message.ts";
import { propertyNames, readProperty } from "../model/properties.ts";
import type { Topic } from "../model/topic.ts";
import type { AppendAnswer } from "../link/shard_messages.ts";
import type { ScheduleVerdict } from "../link/timer_messages.ts";
import type { SendRequest } from "./broker.ts";
import { type ChosenQueue, QueueChooser, queueOfKey } from "./choose_queue.ts";
import type { RecordEncoder } from "./encode.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** The furthest a message may lie ahead, unless the settings say otherwise: 40 days. */
export const delayMsMaxDefault = 40 * 86_400_000;

/** Messages sent before are told by their ids within a window; see `workers/shard/repeats.ts`. */
type IdRule = { readonly ids: readonly string[]; readonly any: boolean };

/** Writes messages as records and appends them, or puts them aside until they are due. */
export class Sender {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #encoder: RecordEncoder;
  readonly #queues = new QueueChooser();
  readonly #dedupeWindowMs: number;
  readonly #delayMsMax: number;

  constructor(
    view: RegistryView,
    router: ShardRouter,
    encoder: RecordEncoder,
    dedupeWindowMs: number,
    delayMsMax = delayMsMaxDefault,
  ) {
    this.#view = view;
    this.#router = router;
    this.#encoder = encoder;
    this.#dedupeWindowMs = dedupeWindowMs;
    this.#delayMsMax = delayMsMax;
  }

  async send(request: SendRequest): Promise<SendReceipt[]> {
    const topic = this.#view.needTopic(request.topic);
    const known = this.#dedupeWindowMs === 0 ? noIds : knownIds(topic, request);
    const queue = this.#queues.choose(topic, request, known.any ? known.ids[0] : undefined);
    if (request.messages.some(isTimed)) return await this.#schedule(topic, queue, request);
    const { queueId, ref: { queueKey, shard } } = queue;
    const target = { topic: topic.name, queueId, storeHost: request.storeHost };
    const { records, tagHashes, messageIds } = this.#encoder.encode(request.messages, target);
    const { durability } = topic.settings;
    const repeats = known.any
      ? { ids: known.ids, windowMs: this.#dedupeWindowMs, topicMadeMs: topic.createdMs }
      : null;
    const ask = { queueKey, durability, tagHashes, records, repeats };
    const answer = await this.#router.ask(shard, "append", ask);
    return receiptsOf(answer, messageIds, { queueId, shard, survived: durability });
  }

  async #schedule(
    topic: Topic,
    { queueId, ref: { queueKey, shard } }: ChosenQueue,
    request: SendRequest,
  ): Promise<SendReceipt[]> {
    const timings = request.messages.map(({ timing }) => checkedTiming(timing));
    const target = { topic: topic.name, queueId, storeHost: request.storeHost };
    const encoded = this.#encoder.encode(request.messages, target);
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
    const delayMsMax = this.#delayMsMax;
    const head = { queueKey, queueKeys, durability, delayMsMax, items };
    const asked = this.#router.ask(shard, "schedule", { head, blob: encoded.bytes });
    const { storedMs, verdicts } = await asked;
    return verdicts.map((verdict, index) => ({
      messageId: encoded.messageIds[index] ?? "",
      queueId,
      ...placeOf(verdict, shard),
      storedMs,
      survived: durability,
      repeated: false,
    }));
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

function receiptsOf(
  { firstOffset, firstPosition, storedMs, repeats }: AppendAnswer,
  messageIds: readonly string[],
  { queueId, shard, survived }: {
    readonly queueId: number;
    readonly shard: number;
    readonly survived: SendReceipt["survived"];
  },
): SendReceipt[] {
  const known = new Map(repeats.map((repeat) => [repeat.index, repeat]));
  let fresh = 0;
  return messageIds.map((messageId, index) => {
    const repeat = known.get(index);
    if (repeat !== undefined) {
      const { offset, position } = repeat;
      const physicalOffset = packPhysicalOffset(shard, position);
      const place = { queueId: repeat.queueId, offset, physicalOffset, storedMs: repeat.storedMs };
      return { messageId, ...place, survived, repeated: true };
    }
    const offset = firstOffset + fresh;
    const physicalOffset = packPhysicalOffset(shard, firstPosition + fresh);
    fresh++;
    return { messageId, queueId, offset, physicalOffset, storedMs, survived, repeated: false };
  });
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

function isTimed({ timing }: NewMessage): boolean {
  return timing !== undefined;
}

function placeOf(verdict: ScheduleVerdict, shard: number) {
  const { replacedMessageId } = verdict;
  const replaced = replacedMessageId === null ? {} : { replacedMessageId };
  if (verdict.kind === "scheduled") {
    return { offset: null, physicalOffset: null, deliverAtMs: verdict.dueMs, ...replaced };
  }
  const { offset, position } = verdict;
  return { offset, physicalOffset: packPhysicalOffset(shard, position), ...replaced };
}
