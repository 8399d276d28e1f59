/**
 * Bodies ↔ the two forms they take in JSON: text where that is exact and short, base64 elsewhere.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Exact or not at all. A byte order mark is part of the text. */
const exactUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What all messages of one command share. */
export type MessageTemplate = {
  readonly tag?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly shardingKey?: string | undefined;
  readonly queueId?: number | undefined;
  readonly delayMs?: number | undefined;
  readonly deliverAtMs?: number | undefined;
  readonly timerKey?: string | undefined;
  readonly ttlMs?: number | undefined;
};

/**
 * Makes a writer of messages as JSON text. The shared fields are written once; `messageId` makes a
 * message that is sent again recognisable.
 */
export function messageWriter(
  template: MessageTemplate,
): (body: Uint8Array, messageId: string) => string {
  const shared = JSON.stringify(template).slice(1, -1);
  const tail = shared === "" ? "}" : `,${shared}}`;
  return (body, messageId) => `{"messageId":"${messageId}",${bodyField(body)}${tail}`;
}

function bodyField(body: Uint8Array): string {
  const text = exactTextOf(body);
  if (text !== undefined) {
    const quoted = JSON.stringify(text);
    // Control characters take six letters each; a body full of them would outgrow the limit.
    if (quoted.length <= body.length * 4 / 3 + 16) return `"body":${quoted}`;
  }
  const { buffer, byteOffset, byteLength } = body;
  const base64 = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return `"bodyBase64":"${base64}"`;
}

function exactTextOf(bytes: Uint8Array): string | undefined {
  try {
    return exactUtf8.decode(bytes);
  } catch {
    // Not UTF-8: that is the question asked here, no fault.
    return undefined;
  }
}

/** The body of a received message; empty if it has none. */
export function bodyOf(message: Readonly<Record<string, unknown>>): Uint8Array {
  const { body, bodyBase64 } = message;
  if (typeof body === "string") return Buffer.from(body, "utf8");
  if (typeof bodyBase64 === "string") return Buffer.from(bodyBase64, "base64");
  return new Uint8Array(0);
}

/** Bodies, one a line, as one piece to write. */
export function bodyLines(messages: readonly Readonly<Record<string, unknown>>[]): Uint8Array {
  const lineEnd = Buffer.from("\n");
  return Buffer.concat(messages.flatMap((message) => [bodyOf(message), lineEnd]));
}
