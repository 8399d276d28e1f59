/** What every request that carries a message says of it, in either form: protocol 6.1. @module */
import type { Call } from "../call.ts";
import { requestCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { sendMessage, type SendMessageHeader, sendMessageV2 } from "../fields.ts";

/** Reads the header in long names, or in single letters. @throws {WireError} */
export function readSendHeader({ command: { code, extFields } }: Call): SendMessageHeader {
  const isLong = code === requestCodes.sendMessage || code === requestCodes.sendReplyMessage;
  return readHeader(isLong ? sendMessage : sendMessageV2, extFields);
}
