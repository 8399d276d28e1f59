/**
 * Sends over the remoting protocol as fast as answers come: every connection keeps `inFlight`
 * requests going, and each answer makes room for the next request. The requests that a chunk of
 * answers makes room for are written in one piece.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { AnswerReader, numberOf, opaqueOf, SendFrame } from "./remoting_frames.ts";
import type { Line } from "./sockets.ts";
import type { LoadTally } from "./tally.ts";

/** What all connections of a load send. */
export type RemotingLoadSpec = {
  readonly topic: string;
  readonly queues: number;
  readonly body: Uint8Array;
  readonly inFlight: number;
  readonly nowMs: () => number;
  readonly bornMs: number;
  /** 16 hex digits; each connection adds its own number. */
  readonly keyPrefix: string;
};

/** One connection's part of the load. */
export class RemotingSender {
  readonly #line: Line;
  readonly #spec: RemotingLoadSpec;
  readonly #tally: LoadTally;
  readonly #frames: readonly SendFrame[];
  /** When the request in each slot was written; `NaN` where the slot is free. */
  readonly #beganMs: Float64Array;
  /** The opaque each slot waits for: an answer to anything else is an error. */
  readonly #opaques: Float64Array;
  /** Requests written so far: what makes keys unique. */
  #serial = 0;
  #open = 0;
  #free: number[] = [];
  #running = false;
  #drained: (() => void) | undefined;

  constructor(line: Line, connection: number, spec: RemotingLoadSpec, tally: LoadTally) {
    this.#line = line;
    this.#spec = spec;
    this.#tally = tally;
    const keyPrefix = spec.keyPrefix + connection.toString(16).toUpperCase().padStart(8, "0");
    const slots = Array.from({ length: spec.inFlight }, (_, slot) => slot);
    this.#frames = slots.map((slot) => {
      const queueId = (connection * spec.inFlight + slot) % spec.queues;
      return new SendFrame({ ...spec, queueId, keyPrefix });
    });
    this.#beganMs = new Float64Array(spec.inFlight).fill(NaN);
    this.#opaques = new Float64Array(spec.inFlight);
    const reader = new AnswerReader((opaque, code, header) => this.#onAnswer(opaque, code, header));
    line.listen({
      onData: (chunk) => this.#onData(reader, chunk),
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  /** Fills every slot. */
  start(): void {
    this.#running = true;
    this.#free = this.#frames.map((_, slot) => slot);
    this.#fill(this.#spec.nowMs());
  }

  /** Sends no more. Fulfilled when what was in flight is answered, or the connection is gone. */
  stop(): Promise<void> {
    this.#running = false;
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  #onData(reader: AnswerReader, chunk: Buffer): void {
    this.#nowMs = this.#spec.nowMs();
    reader.push(chunk);
    if (this.#running) this.#fill(this.#nowMs);
    else if (this.#open === 0) this.#drained?.();
  }

  /** The time of the chunk being read: one look at the clock for all answers in it. */
  #nowMs = 0;

  #onAnswer(opaque: number, code: number, header: string | undefined): void {
    const slot = numberOf(opaque) % this.#spec.inFlight;
    const beganMs = this.#beganMs[slot] ?? NaN;
    if (this.#opaques[slot] !== opaque || Number.isNaN(beganMs)) {
      this.#tally.failure(`answer to nothing that was asked (opaque ${opaque})`);
      return;
    }
    if (code === 0) this.#tally.success(1, this.#nowMs - beganMs);
    else this.#tally.failure(reasonOf(code, header));
    this.#beganMs[slot] = NaN;
    this.#free.push(slot);
    this.#open--;
  }

  #fill(nowMs: number): void {
    const free = this.#free;
    if (free.length === 0) return;
    const frameBytes = free.reduce((sum, slot) => sum + (this.#frames[slot]?.length ?? 0), 0);
    const piece = Buffer.allocUnsafe(frameBytes);
    let at = 0;
    for (const slot of free) {
      // The number names the slot, so that the answer's opaque leads back to it.
      const number = (this.#serial % numbersPerSlot) * this.#spec.inFlight + slot;
      this.#opaques[slot] = opaqueOf(number);
      this.#beganMs[slot] = nowMs;
      at = this.#frames[slot]!.writeTo(piece, at, number, this.#serial++);
    }
    this.#open += free.length;
    free.length = 0;
    this.#line.write(piece);
  }

  #onEnd(reason: string): void {
    if (this.#open > 0 || this.#running) this.#tally.failure(reason);
    this.#running = false;
    this.#open = 0;
    this.#drained?.();
  }
}

/** Keeps every request number below the billion that an opaque can tell apart. */
const numbersPerSlot = 900_000;

/** What an error answer says, cut to what fits a line. */
function reasonOf(code: number, header: string | undefined): string {
  const remark = /"remark":"((?:[^"\\]|\\.)*)"/.exec(header ?? "")?.[1] ?? "no remark";
  return `code ${code}: ${remark.slice(0, 120)}`;
}
