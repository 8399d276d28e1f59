/** CONSUMER_SEND_MSG_BACK (36): a consumer could not process a message. Protocol 7.5. @module */
import { offsetMessageIdAt } from "../../../model/message_id.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { delayOfLevelMs } from "../delay_levels.ts";
import { readHeader } from "../field_tables.ts";
import { consumerSendMessageBack } from "../fields.ts";

/** From this version on (3.4.9) clients say how many retries they want. */
const ownRetriesVersionMin = 121;

/** Again after a while, or, after the last retry, to the group's dead-letter topic. */
export async function handleSendBack(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(consumerSendMessageBack, call.command.extFields);
  const { consumerGroup, physicalOffset } = header;
  if (broker.group(consumerGroup) === undefined) {
    return refusal(
      responseCodes.subscriptionGroupNotExist,
      `Cannot send back: group ${consumerGroup} does not exist`,
    );
  }
  const saysRetries = call.command.version >= ownRetriesVersionMin;
  try {
    await broker.sendBack({
      group: consumerGroup,
      physicalOffset,
      delayMs: delayOfLevel(header.delayLevel),
      retriesMax: saysRetries ? header.maxReconsumeTimes ?? null : null,
      originMessageId: offsetMessageIdAt(call.peer.messageIdPrefix, Math.max(0, physicalOffset)),
    });
  } catch (fault) {
    if (!(fault instanceof BrokerError) || fault.code !== "message_not_found") throw fault;
    return refusal(responseCodes.systemError, fault.message);
  }
  broker.traffic.sentBack(header.originTopic ?? "", consumerGroup);
  return done;
}

/** Milliseconds of a level; `null` for 0: the group's own ladder. Negative: dead at once. */
function delayOfLevel(level: number): number | null {
  if (level < 0) return -1;
  return level === 0 ? null : delayOfLevelMs(level);
}
