/**
 * The headers of the remoting protocol, one table each, for the name server, producers and
 * consumers that push or pull. Requests without a table carry everything in their body, or nothing.
 *
 * Names end in their unit; the name on the wire stands beside.
 *
 * @module
 */
import { type HeaderOf, type HeaderTable, optional, required } from "./field_tables.ts";

// Name server.

/** GET_ROUTEINFO_BY_TOPIC (105). */
export const getRouteInfo = {
  topic: required("topic", "string"),
  acceptStandardJsonOnly: optional("acceptStandardJsonOnly", "bool"),
} as const satisfies HeaderTable;

/** GET_KV_CONFIG (101) and DELETE_KV_CONFIG (102). */
export const kvKey = {
  namespace: required("namespace", "string"),
  key: required("key", "string"),
} as const satisfies HeaderTable;

/** PUT_KV_CONFIG (100). */
export const putKvConfig = {
  ...kvKey,
  value: required("value", "string"),
} as const satisfies HeaderTable;

/** Answer to GET_KV_CONFIG. */
export const kvValue = { value: optional("value", "string") } as const satisfies HeaderTable;

/** GET_KVLIST_BY_NAMESPACE (219). */
export const getKvList = { namespace: required("namespace", "string") } as const;

/** GET_TOPICS_BY_CLUSTER (224). */
export const getTopicsByCluster = { cluster: required("cluster", "string") } as const;

/** WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327). */
export const writePermission = { brokerName: required("brokerName", "string") } as const;

/** Answer to WIPE_WRITE_PERM_OF_BROKER. */
export const wipeWritePermissionAnswer = {
  topics: required("wipeTopicCount", "int32"),
} as const satisfies HeaderTable;

/** Answer to ADD_WRITE_PERM_OF_BROKER. */
export const addWritePermissionAnswer = {
  topics: required("addTopicCount", "int32"),
} as const satisfies HeaderTable;

/** DELETE_TOPIC_IN_NAMESRV (216) and REGISTER_TOPIC_IN_NAMESRV (217). */
export const namedTopic = {
  topic: required("topic", "string"),
  clusterName: optional("clusterName", "string"),
} as const satisfies HeaderTable;

/** UNREGISTER_BROKER (104), QUERY_DATA_VERSION (322), and what REGISTER_BROKER begins with. */
export const brokerIdentity = {
  brokerName: required("brokerName", "string"),
  brokerAddress: required("brokerAddr", "string"),
  clusterName: required("clusterName", "string"),
  brokerId: required("brokerId", "int64"),
} as const satisfies HeaderTable;

/** REGISTER_BROKER (103). */
export const registerBroker = {
  ...brokerIdentity,
  haServerAddress: required("haServerAddr", "string"),
  heartbeatTimeoutMs: optional("heartbeatTimeoutMillis", "int64"),
  enableActingMaster: optional("enableActingMaster", "bool"),
  compressed: optional("compressed", "bool"),
  bodyCrc32: optional("bodyCrc32", "int32"),
} as const satisfies HeaderTable;

/** Answer to REGISTER_BROKER. */
export const registerBrokerAnswer = {
  haServerAddress: optional("haServerAddr", "string"),
  masterAddress: optional("masterAddr", "string"),
} as const satisfies HeaderTable;

/** Answer to QUERY_DATA_VERSION. */
export const queryDataVersionAnswer = {
  changed: required("changed", "bool"),
} as const satisfies HeaderTable;

/** GET_BROKER_MEMBER_GROUP (901). */
export const getBrokerMemberGroup = {
  clusterName: required("clusterName", "string"),
  brokerName: required("brokerName", "string"),
} as const satisfies HeaderTable;

/** BROKER_HEARTBEAT (904). */
export const brokerHeartbeat = {
  ...getBrokerMemberGroup,
  brokerAddress: required("brokerAddr", "string"),
  brokerId: optional("brokerId", "int64"),
} as const satisfies HeaderTable;

// Producers.

/** SEND_MESSAGE (10) and SEND_REPLY_MESSAGE (324). */
export const sendMessage = {
  producerGroup: required("producerGroup", "string"),
  topic: required("topic", "string"),
  defaultTopic: required("defaultTopic", "string"),
  defaultTopicQueues: required("defaultTopicQueueNums", "int32"),
  queueId: required("queueId", "int32"),
  sysFlag: required("sysFlag", "int32"),
  bornMs: required("bornTimestamp", "int64"),
  flag: required("flag", "int32"),
  properties: optional("properties", "string"),
  reconsumeTimes: optional("reconsumeTimes", "int32"),
  unitMode: optional("unitMode", "bool"),
  maxReconsumeTimes: optional("maxReconsumeTimes", "int32"),
  isBatch: optional("batch", "bool"),
  brokerName: optional("bname", "string"),
} as const satisfies HeaderTable;

/**
 * SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320), SEND_REPLY_MESSAGE_V2 (325): sent most often.
 */
export const sendMessageV2 = {
  producerGroup: required("a", "string"),
  topic: required("b", "string"),
  defaultTopic: required("c", "string"),
  defaultTopicQueues: required("d", "int32"),
  queueId: required("e", "int32"),
  sysFlag: required("f", "int32"),
  bornMs: required("g", "int64"),
  flag: required("h", "int32"),
  properties: optional("i", "string"),
  reconsumeTimes: optional("j", "int32"),
  unitMode: optional("k", "bool"),
  maxReconsumeTimes: optional("l", "int32"),
  isBatch: optional("m", "bool"),
  brokerName: optional("n", "string"),
} as const satisfies HeaderTable;

/** What both forms of a send say. */
export type SendMessageHeader = HeaderOf<typeof sendMessageV2>;

/** Answer to every send. `messageId` is the offset message id, or several joined by commas. */
export const sendMessageAnswer = {
  messageId: required("msgId", "string"),
  queueId: required("queueId", "int32"),
  queueOffset: required("queueOffset", "int64"),
  transactionId: optional("transactionId", "string"),
  batchUniqueId: optional("batchUniqId", "string"),
  recallHandle: optional("recallHandle", "string"),
  region: optional("MSG_REGION", "string"),
  traceOn: optional("TRACE_ON", "bool"),
} as const satisfies HeaderTable;

/** Answer to HEART_BEAT (34). */
export const heartBeatAnswer = {
  supportsV2: required("IS_SUPPORT_HEART_BEAT_V2", "bool"),
  subscriptionChanged: required("IS_SUB_CHANGE", "bool"),
} as const satisfies HeaderTable;

/** UNREGISTER_CLIENT (35). */
export const unregisterClient = {
  clientId: required("clientID", "string"),
  producerGroup: optional("producerGroup", "string"),
  consumerGroup: optional("consumerGroup", "string"),
} as const satisfies HeaderTable;

/** END_TRANSACTION (37). `decision`: 8 commit, 12 roll back, 0 not known yet. */
export const endTransaction = {
  topic: optional("topic", "string"),
  producerGroup: required("producerGroup", "string"),
  halfQueueOffset: required("tranStateTableOffset", "int64"),
  halfPhysicalOffset: required("commitLogOffset", "int64"),
  decision: required("commitOrRollback", "int32"),
  fromCheck: optional("fromTransactionCheck", "bool"),
  messageId: required("msgId", "string"),
  transactionId: optional("transactionId", "string"),
} as const satisfies HeaderTable;

/** CHECK_TRANSACTION_STATE (39), to a producer. */
export const checkTransactionState = {
  topic: optional("topic", "string"),
  halfQueueOffset: required("tranStateTableOffset", "int64"),
  halfPhysicalOffset: required("commitLogOffset", "int64"),
  messageId: optional("msgId", "string"),
  transactionId: optional("transactionId", "string"),
  offsetMessageId: optional("offsetMsgId", "string"),
  brokerName: optional("bname", "string"),
} as const satisfies HeaderTable;

/** RECALL_MESSAGE (370). */
export const recallMessage = {
  producerGroup: optional("producerGroup", "string"),
  topic: required("topic", "string"),
  recallHandle: required("recallHandle", "string"),
} as const satisfies HeaderTable;

/** Answer to RECALL_MESSAGE. */
export const recallMessageAnswer = {
  messageId: required("msgId", "string"),
  region: optional("MSG_REGION", "string"),
} as const satisfies HeaderTable;

/** PUSH_REPLY_MESSAGE_TO_CLIENT (326), to a producer. Hosts are "ip:port". */
export const pushReplyMessage = {
  producerGroup: required("producerGroup", "string"),
  topic: required("topic", "string"),
  defaultTopic: required("defaultTopic", "string"),
  defaultTopicQueues: required("defaultTopicQueueNums", "int32"),
  queueId: required("queueId", "int32"),
  sysFlag: required("sysFlag", "int32"),
  bornMs: required("bornTimestamp", "int64"),
  flag: required("flag", "int32"),
  properties: optional("properties", "string"),
  reconsumeTimes: optional("reconsumeTimes", "int32"),
  unitMode: optional("unitMode", "bool"),
  bornHost: required("bornHost", "string"),
  storeHost: required("storeHost", "string"),
  storedMs: required("storeTimestamp", "int64"),
} as const satisfies HeaderTable;

// Consumers.

/** PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361). */
export const pullMessage = {
  consumerGroup: required("consumerGroup", "string"),
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  queueOffset: required("queueOffset", "int64"),
  messagesMax: required("maxMsgNums", "int32"),
  sysFlag: required("sysFlag", "int32"),
  commitOffset: required("commitOffset", "int64"),
  suspendTimeoutMs: required("suspendTimeoutMillis", "int64"),
  subscription: optional("subscription", "string"),
  subscriptionVersion: required("subVersion", "int64Rounded"),
  expressionType: optional("expressionType", "string"),
  messageBytesMax: optional("maxMsgBytes", "int32"),
  requestSource: optional("requestSource", "int32"),
  forwardedClientId: optional("proxyFrowardClientId", "string"),
} as const satisfies HeaderTable;

/** Answer to PULL_MESSAGE: the first four are needed with codes 0, 19, 20 and 21 alike. */
export const pullMessageAnswer = {
  suggestWhichBrokerId: required("suggestWhichBrokerId", "int64"),
  nextBeginOffset: required("nextBeginOffset", "int64"),
  minOffset: required("minOffset", "int64"),
  maxOffset: required("maxOffset", "int64"),
  offsetDelta: optional("offsetDelta", "int64"),
  topicSysFlag: optional("topicSysFlag", "int32"),
  groupSysFlag: optional("groupSysFlag", "int32"),
  forbiddenType: optional("forbiddenType", "int32"),
} as const satisfies HeaderTable;

/** GET_CONSUMER_LIST_BY_GROUP (38) and NOTIFY_CONSUMER_IDS_CHANGED (40). */
export const consumerGroup = {
  consumerGroup: required("consumerGroup", "string"),
} as const satisfies HeaderTable;

/** QUERY_CONSUMER_OFFSET (14). */
export const queryConsumerOffset = {
  consumerGroup: required("consumerGroup", "string"),
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  setZeroIfNotFound: optional("setZeroIfNotFound", "bool"),
} as const satisfies HeaderTable;

/** UPDATE_CONSUMER_OFFSET (15). */
export const updateConsumerOffset = {
  consumerGroup: required("consumerGroup", "string"),
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  commitOffset: required("commitOffset", "int64"),
} as const satisfies HeaderTable;

/** GET_MAX_OFFSET (30), GET_MIN_OFFSET (31) and GET_EARLIEST_MSG_STORETIME (32). */
export const queueOfTopic = {
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  committed: optional("committed", "bool"),
} as const satisfies HeaderTable;

/** SEARCH_OFFSET_BY_TIMESTAMP (29). `boundary`: LOWER (also if absent) or UPPER. */
export const searchOffset = {
  topic: required("topic", "string"),
  queueId: required("queueId", "int32"),
  timestampMs: required("timestamp", "int64"),
  boundary: optional("boundaryType", "string"),
} as const satisfies HeaderTable;

/** Answer to every question for an offset. */
export const offsetAnswer = {
  offset: required("offset", "int64"),
} as const satisfies HeaderTable;

/** Answer to GET_EARLIEST_MSG_STORETIME. */
export const earliestStoreTimeAnswer = {
  storedMs: required("timestamp", "int64"),
} as const satisfies HeaderTable;

/** CONSUMER_SEND_MSG_BACK (36). `physicalOffset` names the message; there is no body. */
export const consumerSendMessageBack = {
  physicalOffset: required("offset", "int64"),
  consumerGroup: required("group", "string"),
  delayLevel: required("delayLevel", "int32"),
  originMessageId: optional("originMsgId", "string"),
  originTopic: optional("originTopic", "string"),
  unitMode: optional("unitMode", "bool"),
  maxReconsumeTimes: optional("maxReconsumeTimes", "int32"),
} as const satisfies HeaderTable;

/** RESET_CONSUMER_CLIENT_OFFSET (220), to a consumer. `isC`: the body is a list, for C++. */
export const resetConsumerClientOffset = {
  topic: required("topic", "string"),
  consumerGroup: required("group", "string"),
  timestampMs: required("timestamp", "int64"),
  isForce: optional("isForce", "bool"),
  isC: optional("isC", "bool"),
} as const satisfies HeaderTable;

/** GET_CONSUMER_STATUS_FROM_CLIENT (221), to a consumer. */
export const getConsumerStatus = {
  topic: required("topic", "string"),
  consumerGroup: required("group", "string"),
  clientAddress: optional("clientAddr", "string"),
} as const satisfies HeaderTable;

/** GET_CONSUMER_RUNNING_INFO (307), relayed to the consumer it names. */
export const getConsumerRunningInfo = {
  consumerGroup: required("consumerGroup", "string"),
  clientId: required("clientId", "string"),
  jstackEnable: optional("jstackEnable", "bool"),
} as const satisfies HeaderTable;

/** CONSUME_MESSAGE_DIRECTLY (309), relayed with the record as its body. */
export const consumeMessageDirectly = {
  consumerGroup: required("consumerGroup", "string"),
  clientId: optional("clientId", "string"),
  messageId: optional("msgId", "string"),
  brokerName: optional("brokerName", "string"),
  topic: optional("topic", "string"),
} as const satisfies HeaderTable;

/** QUERY_CORRECTION_OFFSET (308). */
export const queryCorrectionOffset = {
  filterGroups: optional("filterGroups", "string"),
  compareGroup: required("compareGroup", "string"),
  topic: required("topic", "string"),
} as const satisfies HeaderTable;
