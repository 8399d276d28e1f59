/** Reading a queue over the protocol, at the source and at the target alike. @module */
import { limits } from "../../base/limits.ts";
import { requestCodes, responseCodes } from "../../protocol/remoting/codes.ts";
import { type Message, messagesOf } from "./message.ts";
import { refusalOf, type RemotingClient } from "./remoting_client.ts";

/** RocketMQ's own tools read as this group: every broker has it from the start. */
export const readerGroup = "TOOLS_CONSUMER";
/** The pull says itself what it wants: there was no heartbeat before it. */
const carriesSubscription = 4;

/** A piece of a queue. `next`: where to go on. */
export type Piece = { readonly messages: readonly Message[]; readonly next: number };

/**
 * Messages from `offset` on, as many as the broker hands out at once. None: there are none at
 * `next` either, or the queue begins or goes on there.
 *
 * @throws {RefusedError | UnreachableError}
 * @throws {WireError} A record is damaged.
 */
export async function pullPiece(
  client: RemotingClient,
  topic: string,
  queueId: number,
  offset: number,
): Promise<Piece> {
  const fields = {
    consumerGroup: readerGroup,
    topic,
    queueId: String(queueId),
    queueOffset: String(offset),
    maxMsgNums: String(limits.importPullMessagesMax),
    maxMsgBytes: String(limits.importPullBytesMax),
    sysFlag: String(carriesSubscription),
    commitOffset: "0",
    suspendTimeoutMillis: "0",
    subscription: "*",
    subVersion: "0",
    expressionType: "TAG",
  };
  const { pullNotFound, pullRetryImmediately, pullOffsetMoved } = responseCodes;
  const answer = await client.ask(
    { code: requestCodes.pullMessage, fields },
    pullNotFound,
    pullRetryImmediately,
    pullOffsetMoved,
  );
  const next = Number(answer.fields["nextBeginOffset"] ?? NaN);
  if (!Number.isSafeInteger(next)) throw refusalOf(answer, "a pull", client.address);
  const isFound = answer.code === responseCodes.success;
  return { messages: isFound ? messagesOf(answer.body) : [], next };
}
