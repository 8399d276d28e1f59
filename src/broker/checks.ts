/**
 * Questions about half messages, from the shards to whoever can ask the producer:
 *
 *     shard ──checks──▶ its URL, by webhook ──verdict──▶ settled
 *                   ├─▶ a producer that polls for its group's questions
 *                   ├─▶ a protocol that has the producer connected
 *                   └─▶ the room, until a producer comes for it
 *
 * Only what was really asked is counted. Nobody to ask: the shard tries again after an interval.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { asBrokerError } from "../model/errors.ts";
import { packHalfOffset } from "../model/message_id.ts";
import type { HalfCheck } from "../link/transaction_messages.ts";
import type { Signer } from "../ports/signer.ts";
import type { Timers } from "../ports/timers.ts";
import type { Webhook } from "../ports/webhook.ts";
import { CheckRoom } from "./check_room.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";
import type {
  CheckListener,
  CollectRequest,
  TransactionCheck,
  Verdict,
} from "./transaction_door.ts";
import { readTransactionId, transactionIdOf } from "./transaction_ids.ts";
import { Webhooks } from "./webhooks.ts";

/** What asking is made of. `webhook` `null`: nobody is asked by webhook. */
export type ChecksParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly webhook: Webhook | null;
  /** Until a half message is asked about again. */
  readonly intervalMs: number;
};

/** Hands each question to whoever can ask it, and tells the shard which were asked. */
export class Checks {
  readonly #parts: ChecksParts;
  readonly #room: CheckRoom;
  readonly #webhooks: Webhooks | null;
  /** One for each protocol. */
  readonly #listeners = new Set<CheckListener>();

  constructor(parts: ChecksParts) {
    const { clock, timers, log, webhook, intervalMs } = parts;
    this.#parts = parts;
    const onTaken = (checks: readonly TransactionCheck[]) => this.#count(checks);
    this.#room = new CheckRoom({ clock, timers, keepMs: intervalMs, onTaken });
    const onAsked = (check: TransactionCheck, verdict: Verdict | null) => {
      // Whoever gave a verdict was asked as well; first, because what is settled is not counted.
      this.#count([check]);
      if (verdict !== null) this.#settle(check, verdict);
    };
    this.#webhooks = webhook === null ? null : new Webhooks({ webhook, log, onAsked });
  }

  /** A shard's questions. */
  heard(shard: number, halves: readonly HalfCheck[]): void {
    const gathered: TransactionCheck[] = [];
    for (const half of halves) {
      const check = this.#checkOf(shard, half);
      // Its topic is gone, and so will the half message be.
      if (check === null) continue;
      if (half.checkUrl === null) gathered.push(check);
      else this.#webhooks?.ask(check, half.checkUrl);
    }
    for (const check of gathered) this.#room.add(check);
    for (const group of new Set(gathered.map(({ producerGroup }) => producerGroup))) {
      this.#room.serve(group);
    }
    for (const check of gathered) void this.#offer(check);
  }

  /** The questions of a group, for a producer that comes for them. */
  collect(request: CollectRequest): Promise<TransactionCheck[]> {
    return this.#room.collect(request);
  }

  /** Answers the producers that wait for questions: the broker stops. */
  close(): void {
    this.#room.close();
  }

  listen(listener: CheckListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks the protocols, one after the other, unless a poll has taken the question. */
  async #offer(check: TransactionCheck): Promise<void> {
    for (const listener of this.#listeners) {
      if (!this.#room.remove(check.transactionId)) return;
      if (await this.#isAsked(listener, check)) {
        this.#count([check]);
        return;
      }
      this.#room.add(check);
    }
  }

  async #isAsked(listener: CheckListener, check: TransactionCheck): Promise<boolean> {
    try {
      return await listener(check);
    } catch (thrown) {
      const reason = asBrokerError(thrown).message;
      this.#parts.log.warn("producer could not be asked", { reason });
      return false;
    }
  }

  #checkOf(shard: number, half: HalfCheck): TransactionCheck | null {
    const { signer, view } = this.#parts;
    const { id, producerGroup, messageId, createdMs } = half;
    const queue = view.queue(half.queueKey);
    if (queue === undefined) return null;
    return {
      transactionId: transactionIdOf(signer, { shard, id }),
      physicalOffset: packHalfOffset(shard, id),
      topic: queue.topic.name,
      queueId: queue.queueId,
      producerGroup,
      messageId,
      createdMs,
      check: half.checks + 1,
      record: Buffer.from(half.record, "base64"),
    };
  }

  /** Tells the shards which producers were really asked. */
  #count(checks: readonly TransactionCheck[]): void {
    const { router, signer, intervalMs } = this.#parts;
    const refs = checks.map(({ transactionId }) => readTransactionId(signer, transactionId));
    for (const [shard, ofShard] of Map.groupBy(refs, (ref) => ref.shard)) {
      const ids = ofShard.map(({ id }) => id);
      // Not counted means asked once more: that is no loss.
      router.ask(shard, "checked", { ids, intervalMs }).catch((thrown) => this.#note(thrown));
    }
  }

  #settle(check: TransactionCheck, verdict: Verdict): void {
    const { router, signer } = this.#parts;
    const { shard, id } = readTransactionId(signer, check.transactionId);
    const { producerGroup } = check;
    const settled = router.ask(shard, "settleHalf", { id, verdict, producerGroup });
    settled.catch((thrown) => this.#note(thrown));
  }

  #note(thrown: unknown): void {
    const { message } = asBrokerError(thrown);
    this.#parts.log.warn("what became of a question was not noted", { reason: message });
  }
}
