/**
 * Where an event stream is, as the `id` of its events: signed, because it comes back as
 * `Last-Event-ID` and is believed then.
 *
 *     ["b", topic, group, [offset of queue 0, of queue 1, …]]   broadcast: what to read next
 *     ["c", topic, group, client id, events so far]             cluster: which session it was
 *
 * as base64url of JSON, a dot, and the signature.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BrokerError } from "../../model/errors.ts";
import type { Signer } from "../../ports/signer.ts";

/** Keeps what is signed here apart from what the same secret signs elsewhere. */
const purpose = "http-cursor:";

/** What an id says. */
export type Cursor =
  | {
    readonly kind: "broadcast";
    readonly topic: string;
    readonly group: string;
    readonly offsets: readonly number[];
  }
  | {
    readonly kind: "cluster";
    readonly topic: string;
    readonly group: string;
    readonly clientId: string;
    readonly sequence: number;
  };

/** A cursor as an event's id. */
export function cursorText(cursor: Cursor, signer: Signer): string {
  const { kind, topic, group } = cursor;
  const parts = kind === "broadcast"
    ? ["b", topic, group, cursor.offsets]
    : ["c", topic, group, cursor.clientId, cursor.sequence];
  const payload = Buffer.from(JSON.stringify(parts)).toString("base64url");
  return `${payload}.${signer.sign(purpose + payload)}`;
}

/**
 * An id that came back, for a stream of this kind, topic and group.
 *
 * @throws {BrokerError} `invalid_argument`: it is not ours, or of another stream.
 */
export function readCursor<Kind extends Cursor["kind"]>(
  text: string,
  signer: Signer,
  wanted: { readonly kind: Kind; readonly topic: string; readonly group: string },
): Extract<Cursor, { kind: Kind }> {
  const [payload = "", signature = ""] = text.split(".");
  if (!signer.verify(purpose + payload, signature)) {
    throw refuse("its signature is not this broker's");
  }
  // Signed by us, so its shape is the one written above.
  const [mark, topic, group, ...rest] = JSON.parse(
    Buffer.from(payload, "base64url").toString(),
  ) as [
    string,
    string,
    string,
    ...unknown[],
  ];
  const kind = mark === "b" ? "broadcast" : "cluster";
  if (kind !== wanted.kind || topic !== wanted.topic || group !== wanted.group) {
    throw refuse(`it belongs to a ${kind} stream of ${topic} for ${group}`);
  }
  const cursor = kind === "broadcast"
    ? { kind, topic, group, offsets: rest[0] as number[] }
    : { kind, topic, group, clientId: rest[0] as string, sequence: rest[1] as number };
  return cursor as Extract<Cursor, { kind: Kind }>;
}

function refuse(why: string): BrokerError {
  return new BrokerError("invalid_argument", `Cannot resume at Last-Event-ID: ${why}`);
}
