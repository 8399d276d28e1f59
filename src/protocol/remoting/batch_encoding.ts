/**
 * The body of a batch: messages back to back, topic and queue from the request's header.
 *
 *     int32 total, itself included    int32 body length, body
 *     int32 magic, 0                  int16 properties length, properties
 *     int32 CRC, 0                    (the text form of `model/properties.ts`)
 *     int32 producer's flag
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { ByteWriter, textOf } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { BrokerError, WireError } from "../../model/errors.ts";

const bytesMin = 22;

/** One message of a batch. `body` is a view on the batch. */
export type BatchMessage = {
  readonly flag: number;
  readonly body: Uint8Array;
  readonly properties: string;
};

/**
 * Takes a batch apart.
 *
 * @throws {WireError} A length does not fit.
 * @throws {BrokerError} `limit_exceeded`: more messages than one batch may have.
 */
export function decodeBatch(bytes: Uint8Array): BatchMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: BatchMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    if (messages.length === limits.remotingBatchMessagesMax) throw tooMany();
    const left = bytes.length - at;
    const total = left < bytesMin ? left : view.getInt32(at);
    const bodyBytes = left < bytesMin ? 0 : view.getInt32(at + 16);
    if (total < bytesMin || total > left || bodyBytes < 0 || bodyBytes > total - bytesMin) {
      throw new WireError(
        `Cannot read batch: at ${at} a message claims ${total} bytes with a body of ${bodyBytes};` +
          ` ${left} are left`,
      );
    }
    const propertiesAt = at + bytesMin + bodyBytes;
    const propertiesBytes = view.getInt16(propertiesAt - 2);
    if (propertiesBytes !== at + total - propertiesAt) {
      throw new WireError(
        `Cannot read batch: at ${at} properties claim ${propertiesBytes} bytes where` +
          ` ${at + total - propertiesAt} are left of their message`,
      );
    }
    messages.push({
      flag: view.getInt32(at + 12),
      body: bytes.subarray(at + 20, propertiesAt - 2),
      properties: textOf(bytes.subarray(propertiesAt, at + total)),
    });
    at += total;
  }
  return messages;
}

/** Puts a batch together, as producers do: for our own load tool and tests. */
export function encodeBatch(messages: readonly BatchMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { flag, body, properties } of messages) {
    const start = writer.reserve(12);
    writer.setI32(start + 4, 0);
    writer.setI32(start + 8, 0);
    writer.i32(flag);
    writer.bytes32(body);
    const lengthAt = writer.reserve(2);
    const propertiesBytes = writer.text(properties);
    assert(propertiesBytes <= limits.propertiesBytesMax, "properties were checked before");
    const written = writer.view();
    written[lengthAt] = propertiesBytes >>> 8;
    written[lengthAt + 1] = propertiesBytes;
    writer.setI32(start, writer.length - start);
  }
  return new Uint8Array(writer.detach());
}

function tooMany(): BrokerError {
  return new BrokerError(
    "limit_exceeded",
    `Cannot store batch: it has more than ${limits.remotingBatchMessagesMax} messages`,
  );
}
