/**
 * CHECK_TRANSACTION_STATE (39): asks connected producers what became of transactions. See 6.3.
 *
 * Any live producer of the group may be asked, also one of another process than began it: the
 * record says all it has to know. The answer is an END_TRANSACTION of its own.
 *
 * @module
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { TransactionCheck } from "../../broker/transaction_door.ts";
import { offsetMessageId, unpackHalfOffset } from "../../model/message_id.ts";
import { propertyNames, withProperty } from "../../model/properties.ts";
import { readRecord, recordBytes, type RecordFields, writeRecord } from "../../model/record.ts";
import type { ClientRequest, RemotingContext } from "./call.ts";
import { requestCodes } from "./codes.ts";
import { writeHeader } from "./field_tables.ts";
import { checkTransactionState } from "./fields.ts";

/** What asking needs of all that sessions share. */
export type CheckParts = Pick<RemotingContext, "broker" | "clients" | "settings">;

/** Asks producers, those of a group in turn. */
export class TransactionChecks {
  readonly #parts: CheckParts;
  #turn = 0;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  /** Asks one producer. False: none of the group is connected and reads what it is sent. */
  async ask(check: TransactionCheck): Promise<boolean> {
    const { broker, clients, settings } = this.#parts;
    const members = await broker.producers(check.producerGroup);
    if (members.length === 0) return false;
    const request = requestOf(check, settings.brokerName);
    const first = this.#turn++ % members.length;
    for (let step = 0; step < members.length; step++) {
      const member = members[(first + step) % members.length];
      if (member !== undefined && clients.tell(member.connection, request)) return true;
    }
    return false;
  }
}

function requestOf(check: TransactionCheck, brokerName: string): ClientRequest {
  const { physicalOffset, topic, messageId } = check;
  const queueOffset = unpackHalfOffset(physicalOffset)?.id ?? 0;
  const fields = { ...readRecord(check.record), queueOffset, physicalOffset };
  const { ip, port } = fields.storeHost;
  const extFields = writeHeader(checkTransactionState, {
    topic,
    halfQueueOffset: queueOffset,
    halfPhysicalOffset: physicalOffset,
    messageId,
    transactionId: messageId,
    offsetMessageId: offsetMessageId(ip, port, physicalOffset),
    brokerName,
  });
  const body = recordWithCount(fields, check.check);
  return { code: requestCodes.checkTransactionState, extFields, body };
}

/** Producers may look at how often they were asked. */
function recordWithCount(fields: RecordFields, check: number): Uint8Array {
  const { transactionChecks } = propertyNames;
  const properties = withProperty(fields.properties, transactionChecks, String(check));
  const counted = { ...fields, properties };
  const writer = new ByteWriter(recordBytes(counted));
  writeRecord(writer, counted);
  return writer.view();
}
