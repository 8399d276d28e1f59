/** The headers of POP consumers: protocol 8. @module */
import { type HeaderTable, optional, required } from "./field_tables.ts";

const consumedQueue = {
  consumerGroup: required("consumerGroup", "string"),
  topic: required("topic", "string"),
  /** -1: any. */
  queueId: required("queueId", "int32"),
} as const satisfies HeaderTable;

/** POP_MESSAGE (200050). */
export const popMessage = {
  ...consumedQueue,
  messagesMax: required("maxMsgNums", "int32"),
  invisibleMs: required("invisibleTime", "int64"),
  pollMs: required("pollTime", "int64"),
  expressionType: optional("expType", "string"),
  expression: optional("exp", "string"),
  isOrdered: optional("order", "bool"),
} as const satisfies HeaderTable;

/** Answer to POP_MESSAGE and PEEK_MESSAGE. Clients read the first four whatever the code. */
export const popMessageAnswer = {
  popMs: required("popTime", "int64"),
  invisibleMs: required("invisibleTime", "int64"),
  reviveQueueId: required("reviveQid", "int32"),
  restCount: required("restNum", "int64"),
  startOffsets: optional("startOffsetInfo", "string"),
  messageOffsets: optional("msgOffsetInfo", "string"),
  orderCounts: optional("orderCountInfo", "string"),
} as const satisfies HeaderTable;

/** PEEK_MESSAGE (200052). */
export const peekMessage = {
  ...consumedQueue,
  messagesMax: required("maxMsgNums", "int32"),
} as const satisfies HeaderTable;

/** NOTIFICATION (200054). */
export const notification = {
  ...consumedQueue,
  pollMs: required("pollTime", "int64"),
} as const satisfies HeaderTable;

/** Answer to NOTIFICATION. */
export const notificationAnswer = {
  hasMessages: required("hasMsg", "bool"),
  pollingFull: required("pollingFull", "bool"),
} as const satisfies HeaderTable;

/** POLLING_INFO (200055). */
export const pollingInfo = consumedQueue;

/** Answer to POLLING_INFO. */
export const pollingInfoAnswer = {
  waiting: required("pollingNum", "int32"),
} as const satisfies HeaderTable;

/** ACK_MESSAGE (200051). */
export const ackMessage = {
  ...consumedQueue,
  checkPoint: required("extraInfo", "string"),
  offset: required("offset", "int64"),
} as const satisfies HeaderTable;

/** CHANGE_MESSAGE_INVISIBLETIME (200053). */
export const changeInvisibleTime = {
  ...ackMessage,
  invisibleMs: required("invisibleTime", "int64"),
} as const satisfies HeaderTable;

/** Answer to CHANGE_MESSAGE_INVISIBLETIME: what the check point says from now on. */
export const changeInvisibleTimeAnswer = {
  popMs: required("popTime", "int64"),
  invisibleMs: required("invisibleTime", "int64"),
  reviveQueueId: required("reviveQid", "int32"),
} as const satisfies HeaderTable;
