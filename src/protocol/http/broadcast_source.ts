/**
 * Events for a reader that gets every message: its place is in the ids of the events, not in the
 * broker. One pull a queue is under way at a time; what they bring goes out one queue a step. The
 * place moves when an event is written, so an id names exactly the events up to it.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import type { PullResult } from "../../broker/broker.ts";
import { recordQueueOffset, splitRecords } from "../../model/record.ts";
import type { Filter } from "../../model/subscription.ts";
import { cursorText } from "./cursor.ts";
import { type EventSource, eventText, heartbeatText, placeText } from "./event_stream.ts";
import type { HttpContext } from "./exchange.ts";
import { existingTopic } from "./lookup.ts";
import { MessageWriter } from "./message_out.ts";

/** The least one pull brings at once, however many queues share the room of a reply. */
const pullBytesMin = 64 * 1024;

/** What a broadcast stream reads. */
export type BroadcastOptions = {
  readonly topic: string;
  readonly group: string;
  readonly filter: Filter;
  readonly messagesMax: number;
  /** By queue: what to read next. Queues beyond the list are read from their beginning. */
  readonly offsets: readonly number[];
  /** Aborted when the stream is over. */
  readonly signal: AbortSignal;
};

type Brought = { readonly queueId: number; readonly result: PullResult };

/** The events of one broadcast stream. */
export class BroadcastSource implements EventSource {
  readonly first: string;
  readonly #context: HttpContext;
  readonly #options: BroadcastOptions;
  readonly #offsets: number[];
  /** Queues with a pull under way, or whose result waits in `#brought`: bounded by the topic. */
  readonly #busy = new Set<number>();
  readonly #brought: Brought[] = [];
  #failure: { readonly thrown: unknown } | undefined;
  #wake: (() => void) | undefined;
  #wroteMs: number;

  constructor(context: HttpContext, options: BroadcastOptions) {
    this.#context = context;
    this.#options = options;
    this.#offsets = [...options.offsets];
    this.#wroteMs = context.clock.monotonicMs();
    this.first = `retry: 1000\n${placeText(this.#id())}`;
    options.signal.addEventListener("abort", () => this.#wake?.());
  }

  async next(): Promise<string | null> {
    while (!this.#options.signal.aborted) {
      this.#startPulls();
      const brought = this.#brought.shift();
      if (brought) {
        this.#busy.delete(brought.queueId);
        const text = this.#textOf(brought);
        if (text === "") continue;
        this.#wroteMs = this.#context.clock.monotonicMs();
        return text;
      }
      if (this.#failure) throw this.#failure.thrown;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return null;
  }

  #startPulls(): void {
    const { broker, settings } = this.#context;
    const { topic, filter, messagesMax, signal } = this.#options;
    const { queues } = existingTopic(broker, topic).settings;
    const bytesMax = Math.max(pullBytesMin, Math.floor(limits.replyBytesMax / queues));
    for (let queueId = 0; queueId < queues; queueId++) {
      if (this.#busy.has(queueId)) continue;
      this.#busy.add(queueId);
      // A queue that came later was empty when it came: its beginning is where this reader is.
      const offset = this.#offsets[queueId] ??= 0;
      const waitMs = settings.heartbeatMs;
      const ask = { topic, queueId, offset, messagesMax, bytesMax, filter, waitMs, signal };
      broker.pull(ask).then(
        (result) => this.#bring({ queueId, result }),
        (thrown: unknown) => {
          this.#failure ??= { thrown };
          this.#wake?.();
        },
      );
    }
  }

  #bring(brought: Brought): void {
    this.#brought.push(brought);
    this.#wake?.();
  }

  #textOf({ queueId, result }: Brought): string {
    const { outcome, records, nextOffset } = result;
    if (outcome === "outside") return this.#gapText(queueId, result);
    const writer = new MessageWriter();
    let text = "";
    for (const record of splitRecords(records)) {
      this.#offsets[queueId] = recordQueueOffset(record, 0) + 1;
      text += eventText("message", JSON.stringify(writer.read(record)), this.#id());
    }
    if (nextOffset > (this.#offsets[queueId] ?? 0)) {
      // Messages the filter left out: the place moves on without an event.
      this.#offsets[queueId] = nextOffset;
      return text + placeText(this.#id());
    }
    if (text !== "") return text;
    // Several queues fall silent at one time; one sign of life is enough for all.
    const silentMs = this.#context.clock.monotonicMs() - this.#wroteMs;
    return silentMs * 2 >= this.#context.settings.heartbeatMs ? heartbeatText : "";
  }

  /** Messages that were to come next are deleted, or the queue ends before them: say so, go on. */
  #gapText(queueId: number, { minOffset, maxOffset }: PullResult): string {
    const fromOffset = this.#offsets[queueId] ?? 0;
    const toOffset = fromOffset < minOffset ? minOffset : maxOffset;
    this.#offsets[queueId] = toOffset;
    return eventText("gap", JSON.stringify({ queueId, fromOffset, toOffset }), this.#id());
  }

  #id(): string {
    const { topic, group } = this.#options;
    const cursor = { kind: "broadcast", topic, group, offsets: this.#offsets } as const;
    return cursorText(cursor, this.#context.signer);
  }
}
