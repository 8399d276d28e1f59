/**
 * Questions to producers by webhook, each host in a line of its own: a host that answers slowly, or
 * never, keeps its own questions waiting and nobody else's.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { decodeProperties, propertyNames } from "../model/properties.ts";
import { readRecord } from "../model/record.ts";
import type { Webhook, WebhookOutcome } from "../ports/webhook.ts";
import type { TransactionCheck, Verdict } from "./transaction_door.ts";

/** What becomes of the questions. */
export type WebhookParts = {
  readonly webhook: Webhook;
  readonly log: Log;
  /** A producer was asked. `verdict` `null`: it does not know, or did not say. */
  readonly onAsked: (check: TransactionCheck, verdict: Verdict | null) => void;
};

type Line = {
  active: number;
  /** Transaction id → what is to be asked, oldest first. Bounded by `webhooksWaitingPerHostMax`. */
  readonly waiting: Map<string, { readonly check: TransactionCheck; readonly url: string }>;
};

/** The lines, and how many calls are under way. */
export class Webhooks {
  readonly #parts: WebhookParts;
  /** Host → its line; a line that is empty and idle is forgotten. */
  readonly #lines = new Map<string, Line>();
  #active = 0;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /** Asks when it is the host's turn. Too many for one host: it is asked at the next interval. */
  ask(check: TransactionCheck, url: string): void {
    const host = URL.parse(url)?.host ?? "";
    const line = this.#lines.get(host) ?? { active: 0, waiting: new Map() };
    this.#lines.set(host, line);
    if (line.waiting.size < limits.webhooksWaitingPerHostMax) {
      line.waiting.set(check.transactionId, { check, url });
    }
    this.#go();
  }

  #go(): void {
    for (const [host, line] of this.#lines) {
      while (
        line.waiting.size > 0 && line.active < limits.webhooksPerHostMax &&
        this.#active < limits.webhooksMax
      ) {
        this.#start(host, line);
      }
    }
  }

  #start(host: string, line: Line): void {
    const [first] = line.waiting;
    if (first === undefined) return;
    const [transactionId, { check, url }] = first;
    line.waiting.delete(transactionId);
    line.active++;
    this.#active++;
    void this.#post(check, url).finally(() => {
      line.active--;
      this.#active--;
      // Whoever was served goes to the back, so that all hosts have their turn.
      this.#lines.delete(host);
      if (line.active > 0 || line.waiting.size > 0) this.#lines.set(host, line);
      this.#go();
    });
  }

  async #post(check: TransactionCheck, url: string): Promise<void> {
    const outcome = await this.#parts.webhook.post(url, JSON.stringify(bodyOf(check)));
    if (outcome.kind !== "answered") {
      const { kind, reason } = outcome;
      const fields = { transactionId: check.transactionId, url, outcome: kind, reason };
      this.#parts.log.warn("producer did not answer its webhook", fields);
      if (kind === "unreached") return;
    }
    this.#parts.onAsked(check, verdictOf(outcome));
  }
}

/** `{"verdict": "commit" | "rollback"}` with a good status; all else is no verdict. */
function verdictOf(outcome: WebhookOutcome): Verdict | null {
  if (outcome.kind !== "answered" || outcome.status < 200 || outcome.status > 299) return null;
  try {
    const answer = JSON.parse(outcome.body) as { readonly verdict?: unknown } | null;
    const verdict = answer?.verdict;
    return verdict === "commit" || verdict === "rollback" ? verdict : null;
  } catch {
    // Words that are no JSON are no verdict; the producer is asked again.
    return null;
  }
}

/** The question as JSON. */
function bodyOf(check: TransactionCheck): Readonly<Record<string, unknown>> {
  const { record, physicalOffset: _physicalOffset, ...told } = check;
  const fields = readRecord(record);
  const properties = decodeProperties(fields.properties);
  const { buffer, byteOffset, byteLength } = fields.body;
  return {
    ...told,
    tag: properties.get(propertyNames.tags),
    keys: properties.get(propertyNames.keys)?.split(" ") ?? [],
    properties: Object.fromEntries(properties),
    bodyBase64: Buffer.from(buffer, byteOffset, byteLength).toString("base64"),
  };
}
