/**
 * RocketMQ's own topics that clients and tools expect to find.
 *
 * `BenchmarkTest` is not among them: where topics are made on the fly it is made by its first use,
 * with as many queues as that asks for, and where they are not, a benchmark is to name its topic.
 *
 * @module
 */
import { permReadWrite } from "../model/topic.ts";
import type { SystemTopic } from "./registry.ts";

/** Producers ask for its route to learn whether topics are made on the fly. Holds no messages. */
export const autoCreateTopic = "TBW102";
/** Tools name its queues after delay levels. */
export const scheduleTopic = "SCHEDULE_TOPIC_XXXX";
/** Clients with tracing send their traces here. */
export const traceTopic = "RMQ_SYS_TRACE_TOPIC";
/** Tools send probes here. */
export const selfTestTopic = "SELF_TEST_TOPIC";

/** Where replies of the request-reply pattern are sent. */
export function replyTopicOf(clusterName: string): string {
  return `${clusterName}_REPLY_TOPIC`;
}

/** The settings that decide which of them there are. */
export type SystemTopicSettings = {
  readonly clusterName: string;
  readonly autoCreateTopics: boolean;
  readonly traceTopic: boolean;
};

const inheritedPerm = permReadWrite | 1;
const delayLevels = 18;
const autoCreateQueues = 8;

/** Topics to be there, and topics to be taken away because a setting was switched off. */
export function systemTopics(
  settings: SystemTopicSettings,
): { wanted: SystemTopic[]; unwanted: string[] } {
  const wanted: SystemTopic[] = [
    { name: scheduleTopic, settings: { queues: delayLevels } },
    { name: selfTestTopic, settings: { queues: 1 } },
    { name: replyTopicOf(settings.clusterName), settings: { queues: 1 } },
  ];
  if (settings.traceTopic) wanted.push({ name: traceTopic, settings: { queues: 1 } });
  if (!settings.autoCreateTopics) return { wanted, unwanted: [autoCreateTopic] };
  const { queues, perm } = { queues: autoCreateQueues, perm: inheritedPerm };
  wanted.push({ name: autoCreateTopic, settings: { queues, perm } });
  return { wanted, unwanted: [] };
}
