/** Sending: which queue, which record, and the receipts. One path for all protocols. @module */
import { ByteWriter } from "../base/bytes.ts";
import { javaHash, placementHash } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { packPhysicalOffset, type UniqueKeys } from "../model/message_id.ts";
import type { NewMessage, SendReceipt } from "../model/message.ts";
import {
  checkPropertiesBytes,
  propertyNames,
  readProperty,
  withProperty,
} from "../model/properties.ts";
import { writeRecord } from "../model/record.ts";
import { permWrite, type Topic } from "../model/topic.ts";
import type { SendRequest } from "./broker.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Above this the scratch memory is given back after use: one large batch must not stay. */
const scratchBytesMax = 1024 * 1024;

/** Writes messages as records, with an id of ours where they bring none, and appends them. */
export class Sender {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #uniqueKeys: UniqueKeys;
  #scratch = new ByteWriter(64 * 1024);
  #turn = 0;

  constructor(view: RegistryView, router: ShardRouter, uniqueKeys: UniqueKeys) {
    this.#view = view;
    this.#router = router;
    this.#uniqueKeys = uniqueKeys;
  }

  async send(request: SendRequest): Promise<SendReceipt[]> {
    const topic = this.#view.needTopic(request.topic);
    const queueId = this.#chooseQueue(topic, request);
    const ref = topic.queueRefs[queueId];
    if (ref === undefined) throw noSuchQueue(topic, queueId);
    const { records, tagHashes, messageIds } = this.#encode(request, topic.name, queueId);
    const { durability } = topic.settings;
    const { queueKey, shard } = ref;
    const appended = this.#router.ask(shard, "append", {
      queueKey,
      durability,
      tagHashes,
      records,
    });
    const { firstOffset, firstPosition, storedMs } = await appended;
    return messageIds.map((messageId, index) => ({
      messageId,
      queueId,
      offset: firstOffset + index,
      physicalOffset: packPhysicalOffset(shard, firstPosition + index),
      storedMs,
      survived: durability,
    }));
  }

  #chooseQueue(topic: Topic, request: SendRequest): number {
    if ((topic.settings.perm & permWrite) === 0) {
      throw new BrokerError("no_permission", `Topic "${topic.name}" does not take messages`);
    }
    if (request.messages.length === 0) {
      throw new BrokerError("invalid_argument", "Cannot send: there is no message");
    }
    const count = topic.queueRefs.length;
    if (request.queueId !== null) {
      if (request.queueId >= 0 && request.queueId < count) return request.queueId;
      throw noSuchQueue(topic, request.queueId);
    }
    if (request.shardingKey !== undefined) return placementHash(request.shardingKey) % count;
    this.#turn = (this.#turn + 1) % 0x4000_0000;
    return this.#turn % count;
  }

  #encode(request: SendRequest, topic: string, queueId: number) {
    // Asking copies records into the link's batch, so the scratch is free at every beginning.
    if (this.#scratch.capacity > scratchBytesMax) this.#scratch = new ByteWriter(64 * 1024);
    this.#scratch.clear();
    const writer = this.#scratch;
    const ends: number[] = [];
    const tagHashes: number[] = [];
    const messageIds: string[] = [];
    for (const message of request.messages) {
      checkSize(message);
      let properties = message.properties;
      let messageId = readProperty(properties, propertyNames.uniqueKey);
      if (messageId === undefined) {
        messageId = this.#uniqueKeys.next();
        properties = withProperty(properties, propertyNames.uniqueKey, messageId);
      }
      checkPropertiesBytes(properties);
      const tag = readProperty(properties, propertyNames.tags);
      tagHashes.push(tag === undefined ? 0 : javaHash(tag));
      messageIds.push(messageId);
      writeRecord(writer, recordOf(message, properties, topic, queueId, request.storeHost));
      ends.push(writer.length);
    }
    // Views only now: the memory may have moved while it grew.
    const bytes = writer.view();
    const records = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
    return { records, tagHashes, messageIds };
  }
}

function recordOf(
  message: NewMessage,
  properties: string,
  topic: string,
  queueId: number,
  storeHost: SendRequest["storeHost"],
) {
  return {
    queueId,
    flag: message.flag,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: message.sysFlag,
    bornMs: message.bornMs,
    bornHost: message.bornHost,
    storedMs: 0,
    storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: message.body,
    topic,
    properties,
  };
}

function checkSize(message: NewMessage): void {
  if (message.body.length <= limits.bodyBytesMax) return;
  throw new BrokerError(
    "message_too_large",
    `Cannot send: the body has ${message.body.length} bytes, the limit is ${limits.bodyBytesMax}`,
  );
}

function noSuchQueue(topic: Topic, queueId: number): BrokerError {
  return new BrokerError(
    "queue_not_found",
    `Topic "${topic.name}" has queues 0 to ${topic.queueRefs.length - 1}, but not ${queueId}`,
  );
}
