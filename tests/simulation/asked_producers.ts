/**
 * Producers of transactions that are asked: by webhook, on a host that may be away or talk
 * nonsense, and over connections of their own, as RocketMQ's clients are.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Prng } from "../../src/base/prng.ts";
import type { Broker } from "../../src/broker/broker.ts";
import type { TransactionCheck } from "../../src/broker/transaction_door.ts";
import type { Webhook, WebhookOutcome } from "../../src/ports/webhook.ts";
import { type ClientParts, seen } from "./clients.ts";
import { type Halves, settle } from "./transactors.ts";

/** How long a producer takes to answer at most. */
const answerMsMax = 400;

/** What a webhook is told, as far as it is read here. */
type Question = {
  readonly transactionId: string;
  readonly check: number;
  readonly bodyBase64: string;
};

/** Answers the broker's questions by webhook, as the seed decides. */
export class AskedProducers implements Webhook {
  readonly #parts: ClientParts;
  readonly #halves: Halves;
  readonly #prng: Prng;

  constructor(parts: ClientParts, halves: Halves, prng: Prng) {
    this.#parts = parts;
    this.#halves = halves;
    this.#prng = prng;
  }

  async post(_url: string, body: string): Promise<WebhookOutcome> {
    const { options, scheduler, world, journal } = this.#parts;
    const prng = this.#prng;
    const question = JSON.parse(body) as Question;
    await scheduler.sleep(prng.int(answerMsMax));
    const isWell = world.isCalm;
    if (!isWell && prng.chance(0.15)) {
      const isMistaken = options.codeMistake === "counts webhooks that reached nobody";
      return { kind: isMistaken ? "silent" : "unreached", reason: "simulated" };
    }
    const text = Buffer.from(question.bodyBase64, "base64").toString();
    const id = text.slice(0, text.indexOf("."));
    journal.note({ kind: "transaction-checked", by: "webhook", id, check: question.check });
    await scheduler.sleep(prng.int(answerMsMax));
    if (!isWell && prng.chance(0.15)) return { kind: "silent", reason: "simulated" };
    if (!isWell && prng.chance(0.2)) return { kind: "answered", ...prng.pick(noVerdicts) };
    const verdict = this.#halves.verdictOf(id);
    journal.note({ kind: "transaction-asked", id, verdict });
    const isTwisted = options.codeMistake === "hears the opposite of a webhook's verdict";
    const heard = isTwisted ? (verdict === "commit" ? "rollback" : "commit") : verdict;
    return { kind: "answered", status: 200, body: JSON.stringify({ verdict: heard }) };
  }
}

/** Answers that decide nothing. */
const noVerdicts = [
  { status: 200, body: '{"verdict":"unknown"}' },
  { status: 200, body: "commit" },
  { status: 200, body: "null" },
  { status: 500, body: '{"verdict":"commit"}' },
  { status: 302, body: '{"verdict":"rollback"}' },
] as const;

/** Connects producers to a process that has begun: it asks them itself, when they are there. */
export function connectProducers(
  parts: ClientParts,
  halves: Halves,
  prng: Prng,
  broker: Broker,
): void {
  broker.transactions.onChecks((check) => isAsked(parts, halves, prng, check));
}

function isAsked(
  parts: ClientParts,
  halves: Halves,
  prng: Prng,
  { producerGroup, transactionId, check, record }: TransactionCheck,
): boolean {
  const { scheduler, world, journal } = parts;
  // Nobody of the group is connected just now.
  if (!prng.chance(0.5)) return false;
  const { id } = seen(record);
  journal.note({ kind: "transaction-checked", by: "connection", id, check });
  if (!world.isCalm && prng.chance(0.3)) return true;
  scheduler.later(prng.int(answerMsMax), () => {
    settle(parts, producerGroup, id, transactionId, halves.verdictOf(id))
      .catch((thrown) => scheduler.fail(thrown));
  });
  return true;
}
