/**
 * Simulated producers of transactions: they prepare half messages and decide them at once, late,
 * more than once or only when they are asked; one operator looks after what was asked too often.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type {
  PreparedTransaction,
  TransactionCheck,
  Verdict,
} from "../../src/broker/transaction_door.ts";
import { producersHost } from "./webhook_host.ts";
import { attempt, type ClientParts, dialled, drawMessage, newMessage, seen } from "./clients.ts";
import type { Outcome } from "./events.ts";
import type { Names } from "./producers.ts";
import { strongTopic } from "./timer_clients.ts";

/** Half messages by id: how to name them, and what their producer has in mind. */
export class Halves {
  readonly transactionIds = new Map<string, string>();
  readonly #verdicts = new Map<string, Verdict>();

  decide(id: string, verdict: Verdict): void {
    this.#verdicts.set(id, verdict);
  }

  /** What a producer that is asked says; it does not remember what was never answered to it. */
  verdictOf(id: string): Verdict {
    return this.#verdicts.get(id) ?? "rollback";
  }
}

/** Between two looks of a producer, or an operator, in the calm that follows the storm. */
const lookMs = 1_000;

/** Begins transactions until the storm is over. */
export async function runTransactor(
  parts: ClientParts,
  group: string,
  prng: Prng,
  names: Names,
  halves: Halves,
): Promise<void> {
  const { options, scheduler, world } = parts;
  for (let count = 0; count < options.sends && !world.isCalm; count++) {
    const id = `x${++names.messages}`;
    const prepared = await prepare(parts, group, prng, id);
    if (prepared !== null) {
      halves.transactionIds.set(id, prepared.transactionId);
      const verdict = prng.pick(["commit", "commit", "rollback"] as const);
      halves.decide(id, verdict);
      // Some are left to be asked about.
      if (prng.chance(0.5)) {
        await scheduler.sleep(prng.pick([0, 5, 2_000]));
        await settle(parts, group, id, prepared.transactionId, verdict);
      }
      if (prng.chance(0.2)) await settleAgain(parts, group, prng, id, halves);
    }
    await scheduler.sleep(prng.int(Math.ceil(options.stormMs / options.sends)));
  }
}

async function prepare(
  parts: ClientParts,
  producerGroup: string,
  prng: Prng,
  id: string,
): Promise<PreparedTransaction | null> {
  const { scheduler, journal, options } = parts;
  const drawn = drawMessage(parts, prng, strongTopic);
  const made = newMessage(parts, { ...drawn, id, how: "transaction", ownId: prng.chance(0.5) });
  const delayMs = prng.chance(0.3) ? prng.int(8_000) : null;
  const timing = delayMs === null ? {} : { timing: { deliverAtMs: null, delayMs, timerKey: null } };
  const keyed = drawn.key === null ? {} : { shardingKey: drawn.key };
  const askedMs = scheduler.clock.wallMs();
  const result = await attempt(parts, `prepare ${id}`, (broker) =>
    broker.transactions.prepare({
      topic: strongTopic,
      queueId: null,
      ...keyed,
      storeHost: dialled,
      producerGroup,
      message: { ...made, ...timing },
      checkUrl: options.webhooks && prng.chance(0.5) ? `http://${producersHost}/checks` : null,
      immunityMs: prng.pick([null, 100, 3_000]),
    }));
  const prepared = "answer" in result ? result.answer : null;
  const outcome: Outcome = "answer" in result ? "done" : result.outcome;
  const asked = Math.min(askedMs, scheduler.clock.wallMs()) - (options.clockJumps ? 8_000 : 0);
  const earliestMs = prepared?.deliverAtMs ?? (delayMs === null ? 0 : asked + delayMs);
  journal.note({ kind: "transaction-prepared", id, outcome, earliestMs });
  return prepared;
}

/** Says what became of a transaction. */
export async function settle(
  parts: ClientParts,
  group: string | null,
  id: string,
  transactionId: string,
  verdict: Verdict,
): Promise<void> {
  const { journal } = parts;
  journal.note({ kind: "transaction-asked", id, verdict });
  const result = await attempt(parts, `${verdict} of ${id}`, (broker) => {
    return broker.transactions.settle(transactionId, verdict, group);
  });
  if (!("answer" in result)) return;
  const { state, first } = result.answer;
  journal.note({ kind: "transaction-settled", id, state, first });
}

/** One of all, whoever began it: with its producer's verdict, or the opposite one. */
async function settleAgain(
  parts: ClientParts,
  group: string,
  prng: Prng,
  id: string,
  halves: Halves,
): Promise<void> {
  const transactionId = halves.transactionIds.get(id);
  if (transactionId === undefined) return;
  const verdict = prng.pick(["commit", "rollback"] as const);
  await settle(parts, group, id, transactionId, verdict);
}

/** Answers the questions of a group; it may be away for a while. */
export async function runCheckAnswers(
  parts: ClientParts,
  group: string,
  prng: Prng,
  halves: Halves,
): Promise<void> {
  const { scheduler, world } = parts;
  while (!parts.isOver()) {
    if (!world.isCalm && prng.chance(0.3)) await scheduler.sleep(prng.int(10_000));
    const checks = await collect(parts, group, prng);
    for (const check of checks) {
      const id = noteCheck(parts, check);
      // A producer may not know yet; in the end it does.
      if (!world.isCalm && prng.chance(0.3)) continue;
      await settle(parts, group, id, check.transactionId, halves.verdictOf(id));
    }
    await scheduler.sleep(world.isCalm ? lookMs : prng.int(500));
  }
}

function noteCheck({ journal }: ClientParts, { record, check }: TransactionCheck): string {
  const { id } = seen(record);
  journal.note({ kind: "transaction-checked", by: "poll", id, check });
  return id;
}

async function collect(
  parts: ClientParts,
  producerGroup: string,
  prng: Prng,
): Promise<readonly TransactionCheck[]> {
  const waitMs = prng.pick([0, 1_000]);
  const result = await attempt(parts, `checks of ${producerGroup}`, (broker) => {
    const signal = parts.world.gone;
    const request = { producerGroup, checksMax: prng.between(1, 8), waitMs };
    return broker.transactions.collectChecks(
      signal === undefined ? request : { ...request, signal },
    );
  });
  return "answer" in result ? result.answer : [];
}

/** Looks for parked transactions, and arms or settles them. */
export async function runTransactionOperator(
  parts: ClientParts,
  prng: Prng,
  halves: Halves,
): Promise<void> {
  const { scheduler, world } = parts;
  while (!parts.isOver()) {
    await scheduler.sleep(world.isCalm ? lookMs : prng.between(500, 8_000));
    const parked = await listParked(parts, halves);
    if (parked.length === 0) continue;
    const [first] = parked;
    if (prng.chance(0.3) && first !== undefined) {
      await settle(parts, null, first.id, first.transactionId, halves.verdictOf(first.id));
    } else await rearm(parts, prng.chance(0.5) ? null : parked.map((one) => one.transactionId));
  }
}

async function listParked(
  parts: ClientParts,
  halves: Halves,
): Promise<{ readonly id: string; readonly transactionId: string }[]> {
  const result = await attempt(parts, "parked transactions", (broker) => {
    return broker.transactions.list({ state: "parked", after: null, transactionsMax: 100 });
  });
  if (!("answer" in result)) return [];
  const idOf = new Map([...halves.transactionIds].map(([id, name]) => [name, id]));
  const parked = result.answer.transactions.flatMap(({ transactionId }) => {
    const id = idOf.get(transactionId);
    return id === undefined ? [] : [{ id, transactionId }];
  });
  parts.journal.note({ kind: "transactions-parked", ids: parked.map(({ id }) => id) });
  return parked;
}

async function rearm(parts: ClientParts, transactionIds: readonly string[] | null): Promise<void> {
  parts.journal.note({ kind: "transactions-rearming", all: transactionIds === null });
  const result = await attempt(parts, "rearm of transactions", (broker) => {
    return broker.transactions.rearm(transactionIds);
  });
  const rearmed = "answer" in result ? result.answer : 0;
  parts.journal.note({ kind: "transactions-rearmed", rearmed });
}

/** How each transaction stands, for the checkers; asked while nothing fails. */
export async function findTransactions(parts: ClientParts, halves: Halves): Promise<boolean> {
  let isAllDecided = true;
  for (const [id, transactionId] of halves.transactionIds) {
    const result = await attempt(parts, `transaction ${id}`, (broker) => {
      return broker.transactions.find(transactionId);
    });
    if (!("answer" in result)) continue;
    const state = result.answer?.state ?? null;
    const checks = result.answer?.checks ?? 0;
    isAllDecided &&= state === "committed" || state === "rolled-back";
    parts.journal.note({ kind: "transaction-found", id, state, checks });
  }
  return isAllDecided;
}
