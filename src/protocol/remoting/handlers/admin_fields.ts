/** The headers of what tools ask: protocol 10. @module */
import { type HeaderTable, optional, required } from "../field_tables.ts";

/** UPDATE_AND_CREATE_TOPIC (17). Everything is in the header. */
export const putTopic = {
  topic: required("topic", "string"),
  readQueues: required("readQueueNums", "int32"),
  writeQueues: required("writeQueueNums", "int32"),
  perm: required("perm", "int32"),
  order: optional("order", "bool"),
  /** "+name=value,-name": what to set and what to take away. */
  attributes: optional("attributes", "string"),
} as const satisfies HeaderTable;

/** GET_ALL_TOPIC_CONFIG (21): page `first`, all if there is no size. */
export const topicPage = {
  first: optional("topicSeq", "int32"),
  countMax: optional("maxTopicNum", "int32"),
} as const satisfies HeaderTable;

/** GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201). */
export const groupPage = {
  first: optional("groupSeq", "int32"),
  countMax: optional("maxGroupNum", "int32"),
} as const satisfies HeaderTable;

/** GET_SUBSCRIPTIONGROUP_CONFIG (352). */
export const groupOnly = { group: required("group", "string") } as const satisfies HeaderTable;

/** DELETE_SUBSCRIPTIONGROUP (207). */
export const deleteGroup = {
  groupName: required("groupName", "string"),
} as const satisfies HeaderTable;

/** GET_PRODUCER_CONNECTION_LIST (204). */
export const producerGroup = {
  producerGroup: required("producerGroup", "string"),
} as const satisfies HeaderTable;

/** GET_CONSUME_STATS (208). Without a topic: all the group has a place in. */
export const consumeStats = {
  consumerGroup: required("consumerGroup", "string"),
  topic: optional("topic", "string"),
  /** Several topics, each ended by ";". */
  topics: optional("topicList", "string"),
} as const satisfies HeaderTable;

/** QUERY_MESSAGE (12). */
export const queryMessage = {
  topic: required("topic", "string"),
  key: required("key", "string"),
  messagesMax: required("maxNum", "int32"),
  /** Text, since Java writes its largest long for "no end". */
  fromMs: required("beginTimestamp", "string"),
  toMs: required("endTimestamp", "string"),
  isUniqueKey: optional("_UNIQUE_KEY_QUERY", "bool"),
} as const satisfies HeaderTable;

/** Answer to QUERY_MESSAGE. */
export const queryMessageAnswer = {
  updatedMs: required("indexLastUpdateTimestamp", "int64"),
  updatedOffset: required("indexLastUpdatePhyoffset", "int64"),
} as const satisfies HeaderTable;

/** VIEW_MESSAGE_BY_ID (33). */
export const viewMessage = {
  physicalOffset: required("offset", "int64"),
} as const satisfies HeaderTable;

/** INVOKE_BROKER_TO_RESET_OFFSET (222). A time of -1: the end. */
export const resetOffset = {
  group: required("group", "string"),
  topic: required("topic", "string"),
  timestampMs: required("timestamp", "int64"),
  isForce: optional("isForce", "bool"),
  /** -1 or absent: all. */
  queueId: optional("queueId", "int32"),
  /** -1 or absent: by time. */
  offset: optional("offset", "int64"),
} as const satisfies HeaderTable;

/** CLONE_GROUP_OFFSET (314). */
export const cloneOffsets = {
  from: required("srcGroup", "string"),
  to: required("destGroup", "string"),
  topic: optional("topic", "string"),
} as const satisfies HeaderTable;

/** QUERY_CORRECTION_OFFSET (308). */
export const correctionOffset = {
  topic: required("topic", "string"),
  /** Groups to leave out, parted by commas. */
  filterGroups: optional("filterGroups", "string"),
  compareGroup: required("compareGroup", "string"),
} as const satisfies HeaderTable;

/** RESUME_CHECK_HALF_MESSAGE (323). */
export const resumeCheck = {
  messageId: required("msgId", "string"),
} as const satisfies HeaderTable;

/** VIEW_BROKER_STATS_DATA (315). */
export const viewStats = {
  name: required("statsName", "string"),
  key: required("statsKey", "string"),
} as const satisfies HeaderTable;

/** QUERY_CONSUME_TIME_SPAN (303). */
export const consumeTimeSpan = {
  topic: required("topic", "string"),
  group: required("group", "string"),
} as const satisfies HeaderTable;

/** QUERY_CONSUME_QUEUE (321). */
export const queryConsumeQueue = {
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  index: required("index", "int64"),
  count: required("count", "int32"),
  group: optional("consumerGroup", "string"),
} as const satisfies HeaderTable;

/** QUERY_SUBSCRIPTION_BY_CONSUMER (345) and UPDATE_AND_GET_GROUP_FORBIDDEN (353). */
export const groupTopic = {
  group: required("group", "string"),
  topic: required("topic", "string"),
  readable: optional("readable", "bool"),
} as const satisfies HeaderTable;
