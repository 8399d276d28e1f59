/**
 * Sends over HTTP as fast as answers come: a connection keeps `inFlight` requests going, and each
 * answer makes room for the next one. Nothing waits on a promise: what the load works for an answer
 * is time that the broker beside it does not have.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { type HttpAnswer, HttpAnswerReader } from "./http_load.ts";
import type { Line } from "./sockets.ts";
import type { LoadTally } from "./tally.ts";

/** What all connections of a load send. */
export type HttpSendSpec = {
  /** The one request, ready to be written. */
  readonly request: Buffer;
  /** Messages in it. */
  readonly batch: number;
  readonly inFlight: number;
  readonly nowMs: () => number;
};

/** One connection's part of the load. Answers come in the order of the requests. */
export class HttpSender {
  readonly #line: Line;
  readonly #spec: HttpSendSpec;
  readonly #tally: LoadTally;
  /** When each request that is not answered was written, the oldest first: a ring. */
  readonly #beganMs: Float64Array;
  #oldest = 0;
  #open = 0;
  #running = false;
  #ended = false;
  #drained: (() => void) | undefined;

  constructor(line: Line, spec: HttpSendSpec, tally: LoadTally) {
    this.#line = line;
    this.#spec = spec;
    this.#tally = tally;
    this.#beganMs = new Float64Array(spec.inFlight);
    const reader = new HttpAnswerReader((answer) => this.#onAnswer(answer));
    line.listen({
      onData: (chunk) => this.#onData(reader, chunk),
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  /** Sends as many requests as may be under way. */
  start(): void {
    this.#running = true;
    this.#fill();
  }

  /** Sends no more. Fulfilled when what was in flight is answered, or the connection is gone. */
  stop(): Promise<void> {
    this.#running = false;
    if (this.#open === 0 || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  #fill(): void {
    const { inFlight, request, nowMs } = this.#spec;
    const beganMs = nowMs();
    for (; this.#open < inFlight; this.#open++) {
      this.#beganMs[(this.#oldest + this.#open) % inFlight] = beganMs;
      this.#line.write(request);
    }
  }

  #onData(reader: HttpAnswerReader, chunk: Buffer): void {
    reader.push(chunk);
    // After the whole chunk: what answers nothing must not find a request that it made room for.
    if (this.#running) this.#fill();
    else if (this.#open === 0) this.#drained?.();
  }

  #onAnswer({ status, body }: HttpAnswer): void {
    if (this.#open === 0) throw new Error("an answer to nothing that was asked");
    const { batch, inFlight, nowMs } = this.#spec;
    const latencyMs = nowMs() - (this.#beganMs[this.#oldest] ?? NaN);
    this.#oldest = (this.#oldest + 1) % inFlight;
    this.#open--;
    if (status < 300) this.#tally.success(batch, latencyMs);
    else this.#tally.failure(`status ${status}: ${body.toString("utf8", 0, 120)}`);
  }

  #onEnd(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#open > 0 || this.#running) this.#tally.failure(reason);
    this.#running = false;
    this.#open = 0;
    this.#drained?.();
  }
}
