/**
 * END_TRANSACTION (37): a producer commits or rolls back, by itself or because it was asked.
 * Protocol 6.3. The first verdict decides. Clients send it one-way and never see the answer.
 *
 * @module
 */
import type { SettledTransaction, Verdict } from "../../../broker/transaction_door.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { endTransaction } from "../fields.ts";
import { halfQueueOffset } from "./send_half.ts";

/** The numbers of the verdicts; they are bits of `sysFlag` too. */
const verdicts: ReadonlyMap<number, Verdict> = new Map([[8, "commit"], [12, "rollback"]]);
const notKnownYet = 0;
const stateOf = { commit: "committed", rollback: "rolled-back" } as const satisfies Record<
  Verdict,
  SettledTransaction["state"]
>;

/** Settles a transaction. "Not known yet" changes nothing: the producer is asked later. */
export async function handleEndTransaction(
  call: Call,
  { broker, log }: RemotingContext,
): Promise<Answer> {
  const header = readHeader(endTransaction, call.command.extFields);
  const { producerGroup, halfPhysicalOffset: physicalOffset, decision } = header;
  if (decision === notKnownYet) return done;
  const verdict = verdicts.get(decision);
  const refused = (remark: string) => {
    // Nobody reads the answer to a one-way request: the operator has to hear of it.
    log.warn("verdict about a transaction refused", { producerGroup, remark });
    return refusal(responseCodes.systemError, remark);
  };
  if (verdict === undefined) {
    return refused(`Cannot end a transaction by ${decision}: 8 commits, 12 rolls back`);
  }
  if (physicalOffset < 0 || halfQueueOffset({ physicalOffset }) !== header.halfQueueOffset) {
    return refused(
      `Cannot ${verdict} transaction ${header.transactionId ?? ""}: offsets ` +
        `${header.halfQueueOffset} and ${physicalOffset} are not those of one half message`,
    );
  }
  try {
    const { state } = await broker.transactions.settleAt(physicalOffset, verdict, producerGroup);
    if (state === stateOf[verdict]) return done;
    return refusal(
      responseCodes.illegalOperation,
      `Cannot ${verdict} transaction ${header.transactionId ?? ""}: it is ${state} already`,
    );
  } catch (fault) {
    if (!(fault instanceof BrokerError) || !isAboutTransaction(fault)) throw fault;
    return refused(fault.message);
  }
}

function isAboutTransaction({ code }: BrokerError): boolean {
  return code === "message_not_found" || code === "no_permission";
}
