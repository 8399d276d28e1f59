/** How one operation's request and answer become bytes and back. @module */
import { type ByteReader, type ByteWriter, textOf } from "../base/bytes.ts";

/** Writes and reads one kind of value. What `read` returns may be a view on the batch's buffer. */
export type ValueCodec<T> = {
  readonly write: (writer: ByteWriter, value: T) => void;
  readonly read: (reader: ByteReader) => T;
};

/** An operation: what is asked and what is answered. */
export type OperationCodec<Request, Answer> = {
  readonly request: ValueCodec<Request>;
  readonly answer: ValueCodec<Answer>;
};

/** Any value JSON can carry. */
export function json<T>(): ValueCodec<T> {
  return {
    write: (writer, value) => {
      writer.text(JSON.stringify(value ?? null));
    },
    read: (reader) => JSON.parse(textOf(reader.slice(reader.left))) as T,
  };
}

/** A value with bytes beside it: `u32 jsonBytes, json, blob`. */
export type WithBlob<T> = { readonly head: T; readonly blob: Uint8Array };

/** JSON and a blob; the blob is not copied on reading. */
export function jsonAndBlob<T>(): ValueCodec<WithBlob<T>> {
  return {
    write: (writer, value) => {
      writer.text32(JSON.stringify(value.head));
      writer.put(value.blob);
    },
    read: (reader) => {
      const head = JSON.parse(reader.text32()) as T;
      return { head, blob: reader.slice(reader.left) };
    },
  };
}

/** An operation whose both sides are JSON. */
export function jsonOperation<Request, Answer>(): OperationCodec<Request, Answer> {
  return { request: json<Request>(), answer: json<Answer>() };
}
