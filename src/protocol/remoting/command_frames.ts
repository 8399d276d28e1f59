/** Commands ↔ frames, whichever form the header has. @module */
import { ByteWriter } from "../../base/bytes.ts";
import type { RemotingCommand } from "./command.ts";
import { beginFrame, encodeFrame, endFrameHead, type Frame } from "./frames.ts";
import { decodeBinaryHeader, writeBinaryHeader } from "./header_binary.ts";
import { decodeJsonHeader, jsonHeaderText } from "./header_json.ts";

/**
 * Reads a frame's header.
 *
 * @throws {WireError} It is not a header of the form the frame names.
 */
export function decodeCommand(frame: Frame): RemotingCommand {
  return frame.serializer === "json"
    ? decodeJsonHeader(frame.header)
    : decodeBinaryHeader(frame.header);
}

/**
 * Command and body as a frame, in pieces to write one after the other; a large body is not copied.
 */
export function encodeCommand(command: RemotingCommand, body?: Uint8Array): Uint8Array[] {
  const writer = new ByteWriter(512);
  writeHeader(writer, command);
  return encodeFrame(command.serializer, writer.view(), body);
}

/** Appends command and body as a frame to what a connection will be sent. */
export function writeCommand(
  writer: ByteWriter,
  command: RemotingCommand,
  body?: Uint8Array,
): void {
  writeCommandHead(writer, command, body?.length ?? 0);
  if (body !== undefined) writer.put(body);
}

/** Appends a command's frame without its body of `bodyBytes`, which goes right behind it. */
export function writeCommandHead(
  writer: ByteWriter,
  command: RemotingCommand,
  bodyBytes: number,
): void {
  const start = beginFrame(writer);
  writeHeader(writer, command);
  endFrameHead(writer, start, command.serializer, bodyBytes);
}

function writeHeader(writer: ByteWriter, command: RemotingCommand): void {
  if (command.serializer === "json") writer.text(jsonHeaderText(command));
  else writeBinaryHeader(writer, command);
}
