/** Which topics and groups belong to RocketMQ itself, and hold nothing of its users. @module */
import {
  autoCreateTopic,
  scheduleTopic,
  selfTestTopic,
  traceTopic,
} from "../../core/system_topics.ts";

/** Where undecided messages of transactions are. */
export const halfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
/** The group by which a broker reads them. */
export const halfGroup = "CID_RMQ_SYS_TRANS";
/** Where messages for later are, but for those of a delay level. */
export const wheelTopic = "rmq_sys_wheel_timer";

const topicNames: ReadonlySet<string> = new Set([
  autoCreateTopic,
  scheduleTopic,
  selfTestTopic,
  traceTopic,
  halfTopic,
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "OFFSET_MOVED_EVENT",
  "BenchmarkTest",
]);

const groupNames: ReadonlySet<string> = new Set([
  "TOOLS_CONSUMER",
  "FILTERSRV_CONSUMER",
  "SELF_TEST_CONSUMER",
  "SELF_TEST_C_GROUP",
  "SELF_TEST_P_GROUP",
  "SCHEDULE_CONSUMER",
  "__MONITOR_CONSUMER",
  "CID_ONSAPI_OWNER",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_PULL",
  "CID_ONS-HTTP-PROXY",
  "CID_SYS_RMQ_TRANS",
  "CID_DefaultHeartBeatSyncerTopic",
]);

/** What a broker says of itself, as far as names go. */
export type Named = {
  readonly name: string;
  readonly cluster: string;
  readonly systemTopics: readonly string[];
};

/** Whether a topic is RocketMQ's own. */
export function isSystemTopic(topic: string, brokers: readonly Named[]): boolean {
  return topicNames.has(topic) || topic.startsWith("rmq_sys_") ||
    brokers.some((broker) =>
      topic === broker.name || topic === broker.cluster ||
      topic === `${broker.cluster}_REPLY_TOPIC` || topic === `${broker.name}_REPLY_TOPIC` ||
      broker.systemTopics.includes(topic)
    );
}

/** Whether a group is RocketMQ's own. */
export function isSystemGroup(group: string): boolean {
  return groupNames.has(group) || group.startsWith("CID_RMQ_SYS_");
}
