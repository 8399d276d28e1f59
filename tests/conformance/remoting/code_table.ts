/**
 * What the documentation says of each request: how much a client needs it, and what is to know.
 *
 *     must    a plain producer or push consumer does not work without it
 *     should  ordering, transactions, delays, broadcast, requests and replies, traces
 *     pop     consumers in POP mode
 *     admin   mqadmin, the dashboard
 *
 * @module
 */
import type { absentRequests } from "../../../src/protocol/remoting/absent_requests.ts";
import type { RequestName } from "../../../src/protocol/remoting/codes.ts";

/** One request. `sent`: this broker asks it of clients. */
export type CodeRow = {
  readonly need: "must" | "should" | "pop" | "admin";
  readonly remark: string;
  readonly sent?: true;
};

const sends =
  "An answer means stored, as durably as the topic asks. Up to 4 MiB a body, 32,767 bytes of " +
  "properties. Compressed bodies are stored as they come. `DELAY`: see “Delays, timers, " +
  "transactions”. `TIMER_*`: to the millisecond, up to the setting `delayMsMax` ahead (40 " +
  "days), beyond it 13; the answer carries the `recallHandle`.";
const asSend = "As 310.";
const topicSettings =
  "A topic has as many queues to read as to write: the larger of the two numbers. Queues can " +
  "be added, not taken away, and to a topic with `order` none are added.";
const groupSettings =
  "Of a group's settings `retryMaxTimes`, `consumeEnable`, `consumeMessageOrderly` and the retry " +
  "policy are kept, `CUSTOMIZED` or `EXPONENTIAL`; as in RocketMQ the first two delays of a " +
  "`CUSTOMIZED` one are never used.";
const manyPlaces = "Tells of all groups: beyond 50,000 places it is refused with 215.";
const relayed = "Relayed to the consumer, which has 10 s to answer; then 207.";
const settingsStay = "To change a setting is refused with 16.";
const noUnits = "No topic belongs to a unit.";
const nobodyThere = "There are no users and no rules: see “ACL signatures”.";
const cleansItself = "0: what is over its time goes by itself.";

function must(remark = ""): CodeRow {
  return { need: "must", remark };
}
function should(remark = ""): CodeRow {
  return { need: "should", remark };
}
function pop(remark = ""): CodeRow {
  return { need: "pop", remark };
}
function admin(remark = ""): CodeRow {
  return { need: "admin", remark };
}
function sent(row: CodeRow): CodeRow {
  return { ...row, sent: true };
}

/** Every request that is known here and fulfilled, or asked of clients. */
export const codeTable = {
  sendMessage: must(asSend),
  sendMessageV2: must(sends),
  sendBatchMessage: must("As 310; at most 4096 messages."),
  heartBeat: must("Light heartbeats (`useHeartbeatV2`) too."),
  unregisterClient: must(),
  consumerSendMsgBack: must(
    "Levels 1 to 18, level 0 by the group's own delays, negative straight to the dead-letter " +
      "topic. Clients that send a message to `%RETRY%group` themselves, with `DELAY`, are served " +
      "alike; beyond `maxReconsumeTimes` it is stored in `%DLQ%group`.",
  ),
  pullMessage: must(
    "Waits as long as the client asks, 60 s at most. Up to 1024 messages or 2 MiB a pull, and " +
      "always one message. Tag and SQL92 filters run in the broker.",
  ),
  litePullMessage: should("As 11."),
  queryConsumerOffset: must("See “Where a new group starts”."),
  updateConsumerOffset: must(),
  getMaxOffset: must(),
  getMinOffset: must(),
  searchOffsetByTimestamp: should(),
  getEarliestMsgStoretime: admin(),
  getConsumerListByGroup: must(),
  notifyConsumerIdsChanged: sent(must("Sent at once when a member comes or goes.")),
  lockBatchMq: should("For orderly listeners."),
  unlockBatchMq: should(),
  checkClientConfig: should(
    "0 to tag and SQL92 expressions, 23 to what cannot be read. SQL92 needs no setting.",
  ),
  endTransaction: should("See “Delays, timers, transactions”."),
  checkTransactionState: sent(should("`CHECK_IMMUNITY_TIME_IN_SECONDS` too.")),
  recallMessage: should(
    "Always on. 0: the message will not come. 604: it came already, or the handle is not of " +
      "this broker, topic or form. 17: there is no such topic.",
  ),
  sendReplyMessage: should(
    "A reply is answered 0 when its client has taken it, within 2.5 s; 1 and why otherwise. " +
      "Requests and replies cross over to HTTP: see [request-reply.md](request-reply.md).",
  ),
  sendReplyMessageV2: should("As 324."),
  pushReplyMessageToClient: sent(should()),
  getRouteinfoByTopic: must("The route of `TBW102` exists only while topics are made on the fly."),
  getBrokerClusterInfo: admin(),
  getAllTopicListFromNameserver: admin(),
  getTopicsByCluster: admin(),
  getSystemTopicListFromNs: admin(),
  getSystemTopicListFromBroker: admin(),
  getUnitTopicList: admin(noUnits),
  getHasUnitSubTopicList: admin(noUnits),
  getHasUnitSubUnunitTopicList: admin(noUnits),
  putKvConfig: admin(),
  getKvConfig: admin(),
  deleteKvConfig: admin(),
  getKvlistByNamespace: admin(),
  wipeWritePermOfBroker: admin(
    "Makes all topics of users read-only. It outlives a restart.",
  ),
  addWritePermOfBroker: admin("Gives back what 205 took, and to no other topics."),
  updateAndCreateTopic: admin(topicSettings),
  updateAndCreateTopicList: admin("As 17."),
  getAllTopicConfig: admin(),
  getTopicConfig: admin(),
  deleteTopicInBroker: admin(),
  deleteTopicInNamesrv: admin(),
  getTopicStatsInfo: admin(),
  queryTopicConsumeByWho: admin(),
  queryConsumeQueue: admin(),
  updateAndCreateSubscriptiongroup: admin(groupSettings),
  updateAndCreateSubscriptiongroupList: admin("As 200."),
  getAllSubscriptiongroupConfig: admin(),
  getSubscriptiongroupConfig: admin(),
  deleteSubscriptiongroup: admin(),
  updateAndGetGroupForbidden: admin(
    "Every group may read every topic; to forbid one is refused with 3.",
  ),
  getConsumerConnectionList: admin(),
  getProducerConnectionList: admin(),
  getAllProducerInfo: admin(),
  queryTopicsByConsumer: admin(),
  querySubscriptionByConsumer: admin(),
  getConsumeStats: admin(),
  getBrokerConsumeStats: admin(manyPlaces),
  queryConsumeTimeSpan: admin(),
  getAllConsumerOffset: admin(manyPlaces),
  getAllDelayOffset: admin("Always empty: delayed messages are kept by their time."),
  queryCorrectionOffset: admin(manyPlaces),
  invokeBrokerToResetOffset: admin("See “Resets”."),
  cloneGroupOffset: admin("See “Resets”."),
  resetConsumerClientOffset: sent(admin("Sent for every reset, whoever made it.")),
  getConsumerRunningInfo: admin(relayed),
  consumeMessageDirectly: admin(relayed),
  invokeBrokerToGetConsumerStatus: admin(relayed),
  getConsumerStatusFromClient: sent(admin("Sent for 223.")),
  queryMessage: admin("By key and unique key; at most 64 messages."),
  viewMessageById: admin("By offset id."),
  viewBrokerStatsData: admin(
    "`TOPIC_PUT_NUMS`, `TOPIC_PUT_SIZE`, `GROUP_GET_NUMS`, `GROUP_GET_SIZE`, " +
      "`SNDBCK_PUT_NUMS`: the last minute, hour and day since the start, in steps of 10 s, 10 " +
      "min and 1 h. HTTP counts too.",
  ),
  getBrokerRuntimeInfo: admin(
    "Totals and rates are real (10 s, 60 s, 600 s), sums of a day since the start and in UTC; " +
      "latencies, and what this broker has no word for, read 0.",
  ),
  getBrokerConfig: admin("A few settings that tools look for."),
  updateBrokerConfig: admin(settingsStay),
  getNamesrvConfig: admin("A few settings that tools look for."),
  updateNamesrvConfig: admin(settingsStay),
  authDeleteUser: admin(nobodyThere),
  authGetUser: admin(nobodyThere),
  authListUser: admin(nobodyThere),
  authDeleteAcl: admin(nobodyThere),
  authGetAcl: admin(nobodyThere),
  authListAcl: admin(nobodyThere),
  getBrokerMemberGroup: admin("One broker."),
  resumeCheckHalfMessage: admin("By the id that answered the half message's send."),
  cleanExpiredConsumequeue: admin(cleansItself),
  cleanUnusedTopic: admin(cleansItself),
  deleteExpiredCommitlog: admin(cleansItself),
  popMessage: pop("Up to 256 messages or 2 MiB a pop; hidden for 100 ms to 12 hours. See “POP”."),
  ackMessage: pop(),
  batchAckMessage: pop(),
  changeMessageInvisibletime: pop(),
  peekMessage: pop(),
  notification: pop(
    "Wakes for new messages and for those to be tried again. It does not ask filters.",
  ),
  pollingInfo: pop(),
  queryAssignment: pop(
    "Strategies `AVG` and `AVG_BY_CIRCLE`. A group pulls a topic until 401 says `POP`.",
  ),
  setMessageRequestMode: pop(),
} as const satisfies Readonly<Record<Exclude<RequestName, keyof typeof absentRequests>, CodeRow>>;
