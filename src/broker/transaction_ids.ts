/**
 * Transaction ids: which half message of which shard, in a text that cannot be forged. Who has it
 * is who began the transaction, or was asked about it.
 *
 *     transaction id := shard "." half message "." signature        numbers in base 36
 *
 * @module
 */
import { BrokerError } from "../model/errors.ts";
import type { Signer } from "../ports/signer.ts";

/** Keeps what is signed here apart from what the same secret signs elsewhere. */
const purpose = "transaction:";
const form = /^([0-9a-z]{1,2})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{22})$/;

/** A half message within the broker. */
export type HalfRef = { readonly shard: number; readonly id: number };

/** The half message's name for those outside. */
export function transactionIdOf(signer: Signer, { shard, id }: HalfRef): string {
  const text = `${shard.toString(36)}.${id.toString(36)}`;
  return `${text}.${signer.sign(purpose + text)}`;
}

/** The reverse. @throws {BrokerError} `invalid_argument`: it is none of this broker's. */
export function readTransactionId(signer: Signer, transactionId: string): HalfRef {
  const match = form.exec(transactionId);
  const [, shard = "", id = "", signature = ""] = match ?? [];
  if (match === null || !signer.verify(`${purpose}${shard}.${id}`, signature)) {
    const shown = JSON.stringify(transactionId.slice(0, 60));
    throw new BrokerError(
      "invalid_argument",
      `Cannot read transaction id ${shown}: it was not issued by this broker`,
    );
  }
  return { shard: parseInt(shard, 36), id: parseInt(id, 36) };
}
