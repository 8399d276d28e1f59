/**
 * RESUME_CHECK_HALF_MESSAGE (323): a transaction that nobody decided is asked about anew.
 * Protocol 10.
 *
 * @module
 */
import { parseOffsetMessageId } from "../../../model/message_id.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { resumeCheck } from "./admin_fields.ts";

/** Takes the id that answered the half message's send, or the transaction's own. */
export async function handleResumeCheck(
  call: Call,
  { broker: { transactions } }: RemotingContext,
): Promise<Answer> {
  const { messageId } = readHeader(resumeCheck, call.command.extFields);
  const physicalOffset = parseOffsetMessageId(messageId)?.physicalOffset;
  const resumed = physicalOffset === undefined
    ? await transactions.rearm([messageId])
    : await transactions.rearmAt(physicalOffset);
  if (resumed > 0) return done;
  return refusal(
    responseCodes.systemError,
    `Cannot resume questions about ${messageId.slice(0, 100)}: it is not parked as undecided`,
  );
}
