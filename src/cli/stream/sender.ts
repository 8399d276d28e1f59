/**
 * Sends a stream of bodies: batched, over a few requests at once, through restarts of the broker.
 *
 *     lines ──▶ batches ──▶ worker 1 … n ── POST, again and again until acknowledged ──▶ tally
 *
 * Memory is bounded by the workers: each holds one batch, and nothing is read ahead of them. With
 * one worker the order is kept: a batch is acknowledged before the next is sent. A batch whose
 * outcome is unknown is sent again whole with the same message ids: at least once, never lost.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import type { Host } from "../../ports/host.ts";
import { type ApiClient, listAt } from "../api_client.ts";
import { RefusedError, UnreachableError } from "../failure.ts";
import { outcomeUnknown, persist } from "../patience.ts";

/** How a stream is sent. */
export type SendOptions = {
  readonly topic: string;
  /** Requests at once; 1 keeps the order. */
  readonly workers: number;
  readonly batchMessagesMax: number;
  readonly giveUpMs: number;
  /** Aborted: what is in flight is finished, nothing more is read. */
  readonly stop?: AbortSignal;
};

/** What came of it, counted in messages; live while the stream is sent. */
export type SendTally = {
  /** Acknowledged by the broker. */
  sent: number;
  /** Acknowledged batches. */
  batches: number;
  /** Bytes of acknowledged bodies, line ends included: what `--file` measures progress by. */
  sentBytes: number;
  /** Sent once more because an answer was lost: the broker knows them by their ids for a while. */
  resent: number;
  /** Requests that failed and were tried again. */
  retries: number;
  /** The last failure while the broker is away; `undefined` while all is well. */
  trouble: string | undefined;
  /** Acknowledged messages by what they survived. */
  readonly survived: Record<string, number>;
};

/** What a sender needs from outside. */
export type SenderParts = {
  readonly host: Pick<Host, "clock" | "sleep" | "randomBytes">;
  readonly api: Pick<ApiClient, "ask">;
  /**
   * Body → message as JSON text; called once a message, so that a message sent again is the same.
   */
  readonly write: (body: Uint8Array) => string;
  /** Told once a batch is acknowledged. */
  readonly onReceipts?: (receipts: readonly Receipt[]) => void;
};

/** What the broker says of one message: id, queue, offset, and what it survived. */
export type Receipt = Readonly<Record<string, unknown>>;

type Batch = { readonly body: string; readonly count: number; readonly bytes: number };

/** A tally of nothing. */
export function emptyTally(): SendTally {
  const counts = { sent: 0, batches: 0, sentBytes: 0, resent: 0, retries: 0 };
  return { ...counts, trouble: undefined, survived: {} };
}

/**
 * Sends every body of `lines`. On return all are acknowledged, except when `stop` ended it early.
 *
 * @throws {RefusedError | UnreachableError} A batch was refused for good, or gave up. `tally` is
 * right.
 * @throws {UsageError} The input is not usable; what came before is sent.
 */
export async function sendStream(
  lines: AsyncIterable<readonly Uint8Array[]>,
  options: SendOptions,
  parts: SenderParts,
  tally: SendTally,
): Promise<void> {
  const batches = batchesOf(lines, options.batchMessagesMax, parts.write);
  const halt = new AbortController();
  const stops = options.stop ? [options.stop, halt.signal] : [halt.signal];
  const stop = AbortSignal.any(stops);
  const stopped = new Promise<"stopped">((resolve) => {
    stop.addEventListener("abort", () => resolve("stopped"), { once: true });
    if (stop.aborted) resolve("stopped");
  });
  const failures: unknown[] = [];
  const work = async () => {
    while (!stop.aborted) {
      const next = await Promise.race([batches.next(), stopped]);
      if (next === "stopped" || next.done) return;
      await sendBatch(next.value, options, parts, tally, stop);
    }
  };
  const fail = (thrown: unknown) => {
    failures.push(thrown);
    halt.abort();
  };
  await Promise.all(Array.from({ length: options.workers }, () => work().catch(fail)));
  if (failures.length > 0) throw failures[0];
}

/** Groups bodies; a batch ends when it is full, or when no more has come yet. */
async function* batchesOf(
  groups: AsyncIterable<readonly Uint8Array[]>,
  messagesMax: number,
  write: SenderParts["write"],
): AsyncGenerator<Batch> {
  for await (const group of groups) {
    let messages: string[] = [];
    let bytes = 0;
    for (const body of group) {
      const full = messages.length === messagesMax ||
        bytes + body.length > limits.sendBatchBytesMax;
      if (full && messages.length > 0) {
        yield batchOf(messages, bytes);
        messages = [];
        bytes = 0;
      }
      messages.push(write(body));
      bytes += body.length + 1;
    }
    if (messages.length > 0) yield batchOf(messages, bytes);
  }
}

function batchOf(messages: readonly string[], bytes: number): Batch {
  return { body: `{"messages":[${messages.join(",")}]}`, count: messages.length, bytes };
}

async function sendBatch(
  batch: Batch,
  options: SendOptions,
  { host, api, onReceipts }: SenderParts,
  tally: SendTally,
  stop: AbortSignal,
): Promise<void> {
  const onRetry = (failure: RefusedError | UnreachableError) => {
    tally.retries++;
    tally.trouble = failure.message;
    if (outcomeUnknown(failure)) tally.resent += batch.count;
  };
  const receipts = await persist(host, { giveUpMs: options.giveUpMs, stop, onRetry }, async () => {
    const path = ["v1", "topics", options.topic, "messages"];
    const answer = await api.ask({ method: "POST", path, body: batch.body });
    return checkedReceipts(answer, batch.count);
  });
  tally.sent += batch.count;
  tally.batches++;
  tally.sentBytes += batch.bytes;
  tally.trouble = undefined;
  onReceipts?.(receipts);
  for (const { survived } of receipts) {
    const name = typeof survived === "string" ? survived : "unknown";
    tally.survived[name] = (tally.survived[name] ?? 0) + 1;
  }
}

/** An answer that does not name every message acknowledges none. */
function checkedReceipts(answer: unknown, count: number): readonly Receipt[] {
  const receipts = listAt(answer, "receipts");
  if (receipts.length === count) return receipts;
  throw new UnreachableError(
    `The broker answered a batch of ${count} messages with ${receipts.length} receipts`,
    true,
  );
}
