/**
 * The load of a chaos run: producers over both protocols, each with a ledger, and consumers that
 * acknowledge. It goes on while the broker is away.
 *
 * @module
 */
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { ask, type ReadMessage, readQueue } from "../support/broker_api.ts";
import { pause } from "../support/until.ts";
import type { Evidence, Stored } from "./checker.ts";
import { type Ack, Ledger } from "./ledger.ts";
import { RemotingClient } from "./remoting_client.ts";

/** Queues of the load's topic. */
export const loadQueues = 4;
const group = "chaos";
const inFlightMax = 64;
const awayPauseMs = 30;
/** Short, so that what a dead broker had handed out is seen again within the run. */
const invisibleMs = 3_000;

/** Where the broker is, as far as it is there. */
export type Place = { readonly http: string; readonly remotingPort: number };

/** One topic's load. */
export class Load {
  readonly #place: Place;
  readonly #topic: string;
  readonly #folder: string;
  readonly #prng: Prng;
  readonly #ledgers: Ledger[] = [];
  readonly #tasks: Promise<void>[] = [];
  readonly #delivered: Stored[] = [];
  /** Place → when its acknowledgement as consumed was confirmed. */
  readonly #doneMs = new Map<string, number>();
  readonly #undead: string[] = [];
  #stopping = false;
  #acked = 0;
  /** Answers that refused a send, by their code. */
  readonly refusals = new Map<string, number>();

  constructor(place: Place, topic: string, folder: string, seed: number) {
    this.#place = place;
    this.#topic = topic;
    this.#folder = folder;
    this.#prng = new Prng(seed);
  }

  /** Acknowledged messages so far. */
  get acked(): number {
    return this.#acked;
  }

  /** Messages handed to consumers so far. */
  get received(): number {
    return this.#delivered.length;
  }

  /** Messages that came again though their consumption had been confirmed. */
  get undead(): readonly string[] {
    return this.#undead;
  }

  /** Starts so many producers of each protocol, and consumers. */
  start(producers: number, consumers: number): void {
    for (let at = 0; at < producers; at++) {
      this.#tasks.push(this.#produceHttp(`h${at}`), this.#produceRemoting(`r${at}`));
    }
    for (let at = 0; at < consumers; at++) this.#tasks.push(this.#consume(`c${at}`));
  }

  /** Ends the load. What is under way is finished. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#tasks);
  }

  /** What a checker needs, read from a broker that is there. */
  async evidence(http: string): Promise<Evidence> {
    const read = this.#ledgers.map((ledger) => ledger.finish());
    const stored: Stored[] = [];
    for (let queueId = 0; queueId < loadQueues; queueId++) {
      stored.push(...(await readQueue(http, this.#topic, queueId)).map(asStored));
    }
    const sent = new Set(read.flatMap((entries) => [...entries.sent]));
    const acks = read.flatMap((entries) => entries.acks);
    return { ledger: { sent, acks }, stored, delivered: this.#delivered };
  }

  #ledger(name: string): Ledger {
    const ledger = new Ledger(join(this.#folder, `${this.#topic}-${name}.jsonl`));
    this.#ledgers.push(ledger);
    return ledger;
  }

  async #produceHttp(name: string): Promise<void> {
    const ledger = this.#ledger(name);
    const prng = this.#prng.fork();
    for (let serial = 0; !this.#stopping;) {
      const bodies = Array.from({ length: prng.between(1, 64) }, () => {
        return `${name}-${serial++}-${"·".repeat(prng.int(100))}`;
      });
      ledger.noteSent(bodies);
      try {
        const messages = bodies.map((body) => ({ body, queueId: prng.int(loadQueues) }));
        const path = `/v1/topics/${this.#topic}/messages`;
        const { status, json } = await ask(this.#place.http, `POST ${path}`, { messages });
        if (status >= 300) throw this.#refused(json.code ?? String(status));
        const receipts: readonly Ack[] = json.receipts;
        this.#note(ledger, bodies.map((body, at) => ({ ...receipts[at] as Ack, body })));
      } catch {
        // The broker is away or refuses: the outcome is unknown; these bodies are not sent again.
        await pause(awayPauseMs);
      }
    }
  }

  async #produceRemoting(name: string): Promise<void> {
    const ledger = this.#ledger(name);
    const prng = this.#prng.fork();
    let client: RemotingClient | null = null;
    for (let serial = 0; !this.#stopping;) {
      try {
        client ??= await RemotingClient.connect(this.#place.remotingPort);
        const bodies = Array.from(
          { length: inFlightMax },
          () => `${name}-${serial++}-${"x".repeat(prng.int(300))}`,
        );
        ledger.noteSent(bodies);
        await this.#sendRemoting(client, ledger, bodies, prng);
      } catch {
        client?.close();
        client = null;
        await pause(awayPauseMs);
      }
    }
    client?.close();
  }

  async #sendRemoting(
    client: RemotingClient,
    ledger: Ledger,
    bodies: readonly string[],
    prng: Prng,
  ): Promise<void> {
    const outcomes = await Promise.allSettled(bodies.map(async (body) => {
      const answer = await client.send(this.#topic, prng.int(loadQueues), body);
      if (answer.code !== 0) throw this.#refused(`remoting ${answer.code}`);
      return { body, queueId: answer.queueId, offset: answer.offset };
    }));
    // One that failed takes nothing from the others: they were answered, so they count.
    const acks = outcomes.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    if (acks.length > 0) this.#note(ledger, acks);
    const failed = outcomes.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #consume(clientId: string): Promise<void> {
    const path = `/v1/topics/${this.#topic}/groups/${group}`;
    while (!this.#stopping) {
      try {
        const askedMs = performance.now();
        const wish = { max: 64, waitMs: 200, invisibleMs, clientId };
        const { status, json } = await ask(this.#place.http, `POST ${path}/receive`, wish);
        if (status >= 300) throw this.#refused(`receive ${json.code}`);
        const messages: readonly ReadMessage[] = json.messages;
        this.#noteDelivered(messages, askedMs);
        if (messages.length === 0) continue;
        const receipts = messages.map(({ receipt }) => receipt);
        const settled = await ask(this.#place.http, `POST ${path}/ack`, { receipts });
        if (settled.status >= 300) throw this.#refused(`ack ${settled.json.code}`);
        this.#noteDone(messages, settled.json.verdicts);
      } catch {
        await pause(awayPauseMs);
      }
    }
  }

  #noteDelivered(messages: readonly ReadMessage[], askedMs: number): void {
    for (const message of messages) {
      const stored = asStored(message);
      this.#delivered.push(stored);
      const place = `${stored.queueId}/${stored.offset}`;
      const doneMs = this.#doneMs.get(place);
      if (doneMs !== undefined && doneMs < askedMs) this.#undead.push(place);
    }
  }

  #noteDone(messages: readonly ReadMessage[], verdicts: readonly { verdict: string }[]): void {
    const nowMs = performance.now();
    for (const [at, { queueId, offset }] of messages.entries()) {
      if (verdicts[at]?.verdict === "done") this.#doneMs.set(`${queueId}/${offset}`, nowMs);
    }
  }

  #note(ledger: Ledger, acks: readonly Ack[]): void {
    ledger.noteAcked(acks);
    this.#acked += acks.length;
  }

  #refused(code: string): Error {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    return new Error(`refused: ${code}`);
  }
}

function asStored({ queueId, offset, body = "" }: ReadMessage): Stored {
  return { queueId, offset, body };
}
