/**
 * Messages as HTTP users write and read them, as schemas: what the OpenAPI document says.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../base/limits.ts";
import { isPropertyName, isShardingKey } from "./message_in.ts";
import {
  decodeBase64,
  isKey,
  isMessageId,
  isPropertyText,
  isTag,
  isText,
  messageIdLengthMax,
  tagLengthMax,
} from "./message_rules.ts";
import { timingShape } from "./timing_fields.ts";

const propertyName = z.string().min(1).refine(isPropertyName, "empty, reserved or not storable");

/** One message to send. */
export const newMessageSchema = z.strictObject({
  body: z.string().refine(isText, "lone surrogates cannot be sent").optional()
    .openapi({ description: "The body as text. Either this or bodyBase64.", example: "hello" }),
  bodyBase64: z.string().refine((text) => decodeBase64(text) !== undefined, "not padded base64")
    .optional().openapi({ description: "The body as bytes, in base64.", format: "byte" }),
  tag: z.string().min(1).max(tagLengthMax).refine(isTag, "blanks or | inside").optional()
    .openapi({ description: "What consumers filter by.", example: "created" }),
  keys: z.array(z.string().min(1).max(limits.keyLengthMax).refine(isKey, "blanks inside"))
    .max(limits.keysPerMessageMax).optional()
    .openapi({ description: "What the message can be found by.", example: ["order-1"] }),
  properties: z.record(propertyName, z.string().min(1).refine(isPropertyText, "not storable"))
    .optional().openapi({ description: "Words of your own that travel along." }),
  shardingKey: z.string().min(1).max(limits.keyLengthMax).refine(isShardingKey, "not storable")
    .optional().openapi({ description: "Equal keys go to one queue, in order." }),
  queueId: z.number().int().min(0).max(limits.queuesPerTopicMax - 1).optional()
    .openapi({ description: "The queue, if you choose it yourself." }),
  messageId: z.string().min(1).max(messageIdLengthMax).refine(isMessageId, "blanks inside")
    .optional().openapi({
      description: "An id of your own; made by the broker otherwise. Sent again within the " +
        "broker's window, it answers the first receipt with `repeated`.",
    }),
  ttlMs: z.number().int().min(1).max(limits.retentionMsMax).optional().openapi({
    description: "Time to live, counted from when the message is stored: later it is passed over.",
    example: 60_000,
  }),
  ...timingShape,
}).refine(
  (message) => (message.body === undefined) !== (message.bodyBase64 === undefined),
  "exactly one of body and bodyBase64 is needed",
).openapi("NewMessage", { oneOf: [{ required: ["body"] }, { required: ["bodyBase64"] }] });

/** Several messages. */
export const batchSchema = z.strictObject({
  messages: z.array(newMessageSchema).min(1).max(limits.batchMessagesMax),
}).openapi("Batch");

/** What a producer is told of one message. */
export const receiptSchema = z.object({
  messageId: z.string(),
  queueId: z.number().int(),
  offset: z.number().int().nullable()
    .openapi({ description: "null: it has none before it is due, see `deliverAtMs`." }),
  survived: z.enum(["power-loss", "process-crash", "replica"])
    .openapi({ description: "What the message is safe against from now on." }),
  deliverAtMs: z.number().int().optional()
    .openapi({ description: "When it becomes visible, if that is later." }),
  replacedMessageId: z.string().optional()
    .openapi({ description: "The pending timer whose place it took." }),
  repeated: z.boolean().optional().openapi({
    description: "The message was stored before with this id: this is where. Not stored again.",
  }),
}).openapi("SendReceipt");

/** What a send answers. */
export const receiptsSchema = z.object({ receipts: z.array(receiptSchema) }).openapi("Receipts");

/** A message as it is read. */
export const messageSchema = z.object({
  messageId: z.string(),
  topic: z.string().optional().openapi({ description: "Only where several topics may answer." }),
  queueId: z.number().int(),
  offset: z.number().int(),
  body: z.string().optional().openapi({ description: "The body, when it is plain text." }),
  bodyBase64: z.string().optional().openapi({ description: "The body otherwise." }),
  bodyEncoding: z.enum(["zlib", "lz4", "zstd"]).optional()
    .openapi({ description: "Set when the body is handed out compressed, as it was sent." }),
  tag: z.string().optional(),
  keys: z.array(z.string()),
  properties: z.record(z.string(), z.string()),
  shardingKey: z.string().optional(),
  ttlMs: z.number().int().optional(),
  correlationId: z.string().optional()
    .openapi({ description: "Set when the message asks for a reply: names it." }),
  replyTo: z.string().optional()
    .openapi({ description: "Set when the message asks for a reply: who waits for it." }),
  bornMs: z.number().int(),
  storedMs: z.number().int(),
  attempt: z.number().int().optional().openapi({ description: "Deliveries so far, from 1." }),
  receipt: z.string().optional().openapi({ description: "Settles this delivery." }),
}).openapi("Message");

/** A message that is not in its queue yet, as a producer is asked about it. */
export const halfMessageSchema = messageSchema
  .omit({ offset: true, storedMs: true, attempt: true, receipt: true })
  .openapi("HalfMessage");

/** A list of messages. */
export const messagesSchema = z.object({ messages: z.array(messageSchema) });
