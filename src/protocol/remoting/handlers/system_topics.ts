/**
 * Topics that RocketMQ's brokers own, and what clients may do with them: protocol 6.1, 11.
 *
 * @module
 */

/** The topic whose route tells producers that topics are made by sending to them. */
export const autoCreateTopic = "TBW102";
/** Queues of that route, and so the most a topic gets that is made on the fly. */
export const autoCreatedQueues = 8;
/** Read, write and "topics made from it have my permissions". */
export const autoCreatePerm = 7;

const closedToSenders: ReadonlySet<string> = new Set([
  autoCreateTopic,
  "SCHEDULE_TOPIC_XXXX",
  "RMQ_SYS_TRANS_HALF_TOPIC",
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
]);

/** Whether nobody may send to a topic, since its messages have a meaning to the broker. */
export function isClosedToSenders(topic: string): boolean {
  return closedToSenders.has(topic);
}

/** Whether a topic's name is taken by the protocol: users neither create nor delete it. */
export function isProtocolTopic(topic: string): boolean {
  return closedToSenders.has(topic) || topic.startsWith("rmq_sys_");
}
