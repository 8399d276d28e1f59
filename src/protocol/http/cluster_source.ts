/**
 * Events of a group that shares its messages: each step leases a batch.
 *
 * `manual`: the reader settles each message by its receipt, as after a receive.
 * `auto`: a batch is acknowledged when the connection has taken it and asks for the next. That
 * spares the reader a request a batch, and means: what was on its way when the reader failed is not
 * delivered again, except for the last batch, which comes back after `invisibleMs`.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import type { ReceivedMessage, ReceiveRequest } from "../../broker/broker.ts";
import { cursorText } from "./cursor.ts";
import { type EventSource, eventText, heartbeatText, placeText } from "./event_stream.ts";
import type { HttpContext } from "./exchange.ts";
import { MessageWriter } from "./message_out.ts";

/** What a cluster stream reads. */
export type ClusterOptions = {
  readonly ask: Omit<ReceiveRequest, "signal" | "waitMs" | "bytesMax">;
  readonly ack: "manual" | "auto";
  /** Events the session had before. */
  readonly sequence: number;
  /** Aborted when the stream is over. */
  readonly signal: AbortSignal;
};

/** The events of one cluster stream. */
export class ClusterSource implements EventSource {
  readonly first: string;
  readonly #context: HttpContext;
  readonly #options: ClusterOptions;
  #sequence: number;
  #toAck: readonly string[] = [];

  constructor(context: HttpContext, options: ClusterOptions) {
    this.#context = context;
    this.#options = options;
    this.#sequence = options.sequence;
    this.first = `retry: 1000\n${placeText(this.#id())}`;
  }

  async next(): Promise<string | null> {
    const { broker, settings } = this.#context;
    const { ask, ack, signal } = this.#options;
    if (this.#toAck.length > 0) await broker.ack(ask.group, this.#toAck);
    this.#toAck = [];
    const asked = broker.receive({
      ...ask,
      bytesMax: limits.replyBytesMax,
      waitMs: settings.heartbeatMs,
      signal,
    });
    const received = await unlessAborted(asked, signal);
    if (received === undefined) {
      void asked.then((late) => this.#giveBack(late), (error: unknown) => this.#notGiven(error));
      return null;
    }
    if (received.length === 0) return heartbeatText;
    if (ack === "auto") this.#toAck = received.map(({ receipt }) => receipt);
    const writer = new MessageWriter();
    return received.map((message) => {
      this.#sequence++;
      return eventText("message", JSON.stringify(writer.received(message)), this.#id());
    }).join("");
  }

  /** Leased while the client left: nobody saw them, so others need not wait for them. */
  async #giveBack(late: readonly ReceivedMessage[]): Promise<void> {
    if (late.length === 0) return;
    const receipts = late.map(({ receipt }) => receipt);
    await this.#context.broker.nack(this.#options.ask.group, receipts, 0)
      .catch((error: unknown) => this.#notGiven(error));
  }

  #notGiven(thrown: unknown): void {
    // They come back by themselves when their time is over.
    const error = thrown instanceof Error ? thrown : String(thrown);
    this.#context.log.debug("http_stream_left_leases", { error });
  }

  #id(): string {
    const { topic, group, clientId } = this.#options.ask;
    const cursor = { kind: "cluster", topic, group, clientId, sequence: this.#sequence } as const;
    return cursorText(cursor, this.#context.signer);
  }
}

/**
 * The promise's value, or `undefined` as soon as `signal` aborts: a forgotten request may not end.
 */
async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  let stop: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) signal.removeEventListener("abort", stop);
  }
}
