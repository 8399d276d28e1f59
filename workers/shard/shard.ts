/**
 * The shard: it works in turns.
 *
 *     arrivals, wake-ups, due times ─▶ plan ─▶ one commit ─▶ replies ─▶ wake who waited
 *
 * Everything that arrived while the last commit ran is decided together and committed together. A
 * reply is given after the commit it depends on, or not at all.
 *
 *     ok ◀──room again──▶ refusing (sends only)
 *      └──write or fsync failed──▶ stopped ──re-opened and verified──▶ ok or damaged
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import type { ShardOperations } from "../../src/link/shard_messages.ts";
import type {
  ShardFrontNews,
  ShardHealth,
  ShardNews,
} from "../../src/link/coordinator_messages.ts";
import type { HalfCheck } from "../../src/link/transaction_messages.ts";
import type { LinkServer } from "../../src/link/server.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { answerQuestion } from "./answers.ts";
import type { DiskGuard } from "./disk_guard.ts";
import { TurnDraft } from "./draft.ts";
import { Drops } from "./drops.ts";
import { type CheckPolicy, defaultCheckPolicy, nextDueMs, planChecks, planRelease } from "./due.ts";
import { Parking } from "./parking.ts";
import { type Arrival, isWork, type Planned, planWork, type Work, type WorkName } from "./plan.ts";
import { type Room, takesRoom } from "./room.ts";
import { ShardState } from "./state.ts";
import { ShardTallies } from "./tallies.ts";
import { Upkeep } from "./upkeep.ts";

/** What a shard is made of. `openStore` is called again after a failed write. */
export type ShardParts = {
  readonly number: number;
  readonly openStore: () => ShardStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly guard: DiskGuard;
  readonly log: Log;
  readonly tellCoordinator: (news: ShardNews) => void;
  /** How often producers are asked about half messages; RocketMQ's ways unless told. */
  readonly checks?: CheckPolicy;
};

type Condition = { readonly state: ShardHealth["state"]; readonly reason: string };

/** How long messages that are due wait for room on a full disk before they are tried again. */
const releaseAgainMs = 500;
/** Not rung for so long after its alarm, a shard looks by itself. */
const ringLateMs = 50;
/** How exact a timer is. */
const timerMs = 1;
/** How long a stopped shard waits before it tries to open its store again. */
const reopenMs = 1_000;

/**
 * One shard: the only writer of its store. It lives as long as its thread; a mistake in it ends the
 * thread, and the front starts another.
 */
export class Shard {
  /** Resolved when the shard was asked to drain, and its store is closed. */
  readonly drained: Promise<void>;
  readonly #parts: ShardParts;
  readonly #server: LinkServer<ShardOperations>;
  readonly #tallies: ShardTallies;
  readonly #parking: Parking;
  readonly #upkeep: Upkeep;
  readonly #drops: Drops;
  #store: ShardStore;
  readonly #state: ShardState;
  #condition: Condition = { state: "ok", reason: "" };
  #rung = true;
  #turnPlanned = false;
  /** The timer that leads to the next turn if nothing else does. */
  #alarmClock: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #draining = false;
  #alarmMs: number | null = null;
  #setDrained: () => void = () => {};

  /** `server` must call `arrived` whenever something came in. */
  constructor(parts: ShardParts, server: LinkServer<ShardOperations>) {
    this.#parts = parts;
    this.#server = server;
    this.drained = new Promise((resolve) => (this.#setDrained = resolve));
    this.#store = parts.openStore();
    this.#state = new ShardState(this.#store);
    this.#tallies = new ShardTallies(this.#state.damage);
    this.#parking = new Parking(server, parts.clock, this.#tallies, this.#state);
    this.#upkeep = new Upkeep(parts.guard, parts.clock);
    this.#drops = new Drops(parts.clock, parts.log);
    this.#noteRecovery();
    this.arrived();
  }

  /** Something arrived: a turn follows soon, with all that comes until then. */
  arrived(): void {
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    this.#parts.timers.immediate(() => this.turn());
  }

  /** News of the coordinator. */
  heard(news: ShardNews): void {
    if (news.kind === "ring") {
      this.#rung = true;
      this.#alarmMs = null;
    } else if (news.kind === "retention") this.#upkeep.setRules(news.rules);
    else if (news.kind === "existing") this.#drops.heard(news);
    this.arrived();
  }

  /** One turn. Called by the timers only, and by a simulation in their place. */
  turn(): void {
    this.#turnPlanned = false;
    this.#tallies.turns++;
    const asked = this.#server.take();
    if (this.#isStopped) this.#refuseAll(asked);
    else this.#work(asked);
    this.#server.post();
    this.#planWakeUp();
  }

  #work(asked: readonly Arrival[]): void {
    const nowMs = this.#parts.clock.wallMs();
    const work = this.#parking.takeWoken();
    const questions: Exclude<Arrival, { name: WorkName }>[] = [];
    for (const one of asked) {
      if (isWork(one)) work.push(one);
      else questions.push(one);
    }
    const grown = this.#commitWork(work, nowMs);
    for (const question of questions) {
      // A write of this very turn may have failed, or the turn may be the last one.
      if (this.#isStopped) this.#refuseAll([question]);
      else this.#answer(question, nowMs);
    }
    if (this.#isStopped) return;
    this.#parking.endDropped();
    const due = this.#state.takeDueQueues(nowMs);
    const woken = [...grown, ...due, ...this.#state.takeUnblocked()];
    if (this.#parking.wake(this.#store, woken)) this.arrived();
    this.#parking.expire(this.#store);
    // Before the housekeeping: a checkpoint takes longer than all the rest of a turn.
    this.#server.post();
    // Who only looks at figures waits gladly.
    this.#keepUp(nowMs, work.length > 0 || questions.some(({ name }) => name !== "stats"));
  }

  get #isStopped(): boolean {
    return this.#condition.state === "stopped";
  }

  /** Plans, commits once, replies. Answers the queues that grew. */
  #commitWork(work: readonly Work[], nowMs: number): Iterable<number> {
    const draft = new TurnDraft(this.#store, this.#parts.number, nowMs);
    const planned = this.#planAll(work, draft, this.#parts.guard.refusing ? "reserve" : "plenty");
    const checks = this.#takeDue(draft);
    try {
      this.#commit(draft);
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      if (thrown.fault === "full" && draft.rows.changed) this.#releaseLater();
      return this.#recoverFrom(thrown, planned.map(({ work }) => work), nowMs);
    }
    for (const one of planned) this.#reply(one);
    if (checks.length > 0) this.#tellFront({ kind: "checks", checks });
    if (draft.rows.changed) this.#setAlarm();
    return draft.grownQueues;
  }

  /** Plans what there is `room` for, and refuses the rest. */
  #planAll(work: readonly Work[], draft: TurnDraft, room: Room): Planned[] {
    const planned: Planned[] = [];
    for (const one of work) {
      const refusal = this.#refusalOf(one, room);
      if (refusal !== null) {
        this.#server.refuse(one.id, refusal);
        continue;
      }
      try {
        const { number } = this.#parts;
        const mayBury = room === "plenty";
        const parts = { draft, state: this.#state, store: this.#store, shard: number, mayBury };
        planned.push(planWork(one, parts, this.#tallies.turns));
      } catch (thrown) {
        this.#server.refuse(one.id, this.#tallies.noted(thrown));
      }
    }
    return planned;
  }

  #refusalOf(work: Work, room: Room): BrokerError | null {
    // A damaged store takes no writes at all: trying would stop the shard, again and again.
    if (this.#condition.state === "damaged") {
      return new BrokerError("storage_damaged", this.#condition.reason);
    }
    const wanted = takesRoom(work);
    if (wanted === "nothing") return null;
    if (this.#draining) return new BrokerError("shutting_down");
    const hasRoom = room === "plenty" || room === "reserve" && wanted === "its own";
    return hasRoom ? null : this.#parts.guard.error();
  }

  /** Makes visible what is due. Answers the questions to be told once the turn is committed. */
  #takeDue(draft: TurnDraft): readonly HalfCheck[] {
    // A host's clock that was set forward is seen here; for the usual case the coordinator rings.
    const overdue = this.#alarmMs !== null && draft.nowMs > this.#alarmMs + ringLateMs;
    if ((!this.#rung && !overdue) || this.#condition.state === "damaged") return [];
    try {
      const released = planRelease(draft, this.#store, this.#state);
      const policy = this.#parts.checks ?? defaultCheckPolicy;
      const due = planChecks(draft, this.#store, this.#state, policy);
      this.#rung = released.more || due.more;
      if (this.#rung) this.arrived();
      else if (!draft.rows.changed) this.#setAlarm();
      return due.checks;
    } catch (thrown) {
      const { message } = this.#tallies.noted(thrown);
      this.#parts.log.error("what is due cannot be read", { reason: message });
      this.#releaseLater();
      return [];
    }
  }

  /** What was due could not be released for want of room: nobody rings for it a second time. */
  #releaseLater(): void {
    this.#rung = false;
    this.#alarmMs = null;
    this.#parts.timers.setTimer(releaseAgainMs, () => {
      this.#rung = true;
      this.arrived();
    });
  }

  #commit(draft: TurnDraft): void {
    const record = draft.finish(this.#state.takeWrites());
    if (record === null) return;
    const startedMs = this.#parts.clock.monotonicMs();
    this.#store.commit(record);
    this.#state.noteIds(draft.newIds, draft.storedMs);
    const tookMs = this.#parts.clock.monotonicMs() - startedMs;
    this.#tallies.committed(draft.messageCount, tookMs);
    // What is not synced to the disk at once pays for nothing that was written before.
    if (record.durability === "power-loss") this.#drops.committed(tookMs);
  }

  /**
   * The commit failed, so nothing of it happened: memory is read back from the tables. On a full
   * disk the turn is tried again without what is new, and then without all that takes room, so that
   * what consumers say is kept while anything can be written. On anything else the shard stops.
   */
  #recoverFrom(fault: StorageError, work: readonly Work[], nowMs: number): Iterable<number> {
    if (fault.fault === "full") {
      this.#parts.guard.full(fault.message);
      this.#noteGuard();
    }
    let [last, left] = [fault, work];
    for (const room of ["reserve", "none"] as const) {
      if (last.fault !== "full") break;
      this.#state.reload(this.#store);
      const draft = new TurnDraft(this.#store, this.#parts.number, nowMs);
      const planned = this.#planAll(left, draft, room);
      left = planned.map((one) => one.work);
      try {
        this.#commit(draft);
      } catch (thrown) {
        if (!(thrown instanceof StorageError)) throw thrown;
        last = thrown;
        continue;
      }
      for (const one of planned) this.#reply(one);
      if (draft.rows.changed) this.#setAlarm();
      return draft.grownQueues;
    }
    if (last.fault === "full") this.#state.reload(this.#store);
    else this.#stop(last);
    for (const { id } of left) this.#server.refuse(id, last);
    return [];
  }

  #reply({ work, reply }: Planned): void {
    try {
      const outcome = reply(this.#server);
      this.#tallies.delivered += outcome.delivered;
      if (outcome.park === null) return;
      this.#parking.receive(work.id, outcome.park, work.waiting);
    } catch (thrown) {
      this.#server.refuse(work.id, this.#tallies.noted(thrown));
    }
  }

  #answer(question: Exclude<Arrival, { name: WorkName }>, nowMs: number): void {
    const { id } = question;
    try {
      if (question.name === "pull") this.#parking.pull(this.#store, id, question.request);
      else if (question.name === "watch") {
        this.#parking.watch(this.#store, id, question.request);
      } else if (question.name === "drain") this.#drain(id);
      else if (question.name === "dropQueues") {
        this.#drops.ask(this.#store, this.#state, question.request.queueKeys);
        this.#server.answer("dropQueues", id, null);
      } else if (question.name === "forget") {
        this.#parking.forget(this.#store, question.request.id);
        this.#server.answer("forget", id, null);
      } else {
        const [store, state, stats] = [this.#store, this.#state, () => this.#stats()];
        answerQuestion(question, this.#server, { store, state, nowMs, stats });
      }
    } catch (thrown) {
      if (thrown instanceof StorageError && thrown.fault === "io") this.#stop(thrown);
      this.#server.refuse(id, this.#tallies.noted(thrown));
    }
  }

  #drain(id: number): void {
    this.#draining = true;
    this.#parking.close(this.#store);
    this.#drops.stop();
    this.#alarmClock?.cancel();
    this.#store.close();
    this.#condition = { state: "stopped", reason: "the broker is stopping" };
    this.#server.answer("drain", id, null);
    this.#setDrained();
  }

  #keepUp(nowMs: number, isBusy: boolean): void {
    const { clock, log } = this.#parts;
    const damage = this.#state.damage.takeNews(clock.monotonicMs());
    if (damage !== null) log.error("stored messages are damaged", { reason: damage });
    const step = this.#upkeep.step(this.#store, this.#state, nowMs);
    this.#drops.charge(step.dropMs);
    if (step.fault !== null) this.#stop(step.fault);
    else if (step.guardChanged) this.#noteGuard();
    if (step.more) this.arrived();
    if (this.#isStopped) return;
    const drop = this.#drops.step(this.#store, this.#state, isBusy);
    // What it found to be deleted, or has dropped by itself.
    if (!this.#isStopped) this.#parking.endDropped();
    if (drop.fault !== null) this.#stop(drop.fault);
    else if (drop.more) this.arrived();
  }

  #setAlarm(): void {
    const dueMs = nextDueMs(this.#store);
    if (dueMs === this.#alarmMs) return;
    this.#alarmMs = dueMs;
    this.#parts.tellCoordinator({ kind: "alarm", dueMs });
  }

  #stats() {
    const counts = { parked: this.#parking.size, openDeliveries: this.#state.openCount() };
    const tallies = this.#tallies.snapshot();
    const { unmatched, expired } = this.#state.passedTotals;
    const passed = { unmatched, expired: expired + this.#tallies.expired };
    const drops = { dropping: this.#drops.queuesLeft, dropped: this.#drops.rowsDropped };
    return {
      ...this.#condition,
      ...this.#store.stats(),
      ...counts,
      ...tallies,
      ...passed,
      ...drops,
      disk: this.#parts.guard.space,
      firstStoredMs: this.#isStopped ? null : this.#store.firstStoredMs(),
    };
  }

  #refuseAll(asked: readonly Arrival[]): void {
    const code = this.#draining ? "shutting_down" : "storage_failed";
    const error = new BrokerError(code, `Cannot serve: ${this.#condition.reason}`);
    for (const { name, id } of asked) {
      if (name === "stats") this.#server.answer("stats", id, this.#stats());
      else if (name === "drain") this.#drainStopped(id);
      else this.#server.refuse(id, error);
    }
  }

  #drainStopped(id: number): void {
    this.#draining = true;
    this.#server.answer("drain", id, null);
    this.#setDrained();
  }

  /**
   * A write failed: what the disk holds is unknown until the store was opened and verified again.
   */
  #stop(fault: StorageError): void {
    if (this.#isStopped) return;
    this.#parts.log.error("shard stopped", { reason: fault.message, cause: String(fault.cause) });
    this.#setCondition({ state: "stopped", reason: fault.message });
    this.#parking.refuseAll(fault);
    this.#drops.stop();
    this.#parts.timers.setTimer(reopenMs, () => this.#reopen());
  }

  #reopen(): void {
    if (this.#draining) return;
    try {
      this.#store.close();
    } catch (thrown) {
      this.#parts.log.warn("closing the failed store failed too", { reason: String(thrown) });
    }
    try {
      this.#store = this.#parts.openStore();
      this.#state.reload(this.#store);
    } catch (thrown) {
      this.#parts.log.error("shard cannot be opened again", { reason: String(thrown) });
      this.#parts.timers.setTimer(reopenMs, () => this.#reopen());
      return;
    }
    this.#setCondition({ state: "ok", reason: "" });
    this.#noteRecovery();
    this.#drops.lookAgain();
    this.#rung = true;
    this.arrived();
  }

  #noteRecovery(): void {
    const { missing, damage, writable, replayedMessages, tookMs } = this.#store.recovery;
    this.#parts.log.info("shard opened", { replayedMessages, tookMs: Math.round(tookMs) });
    if (missing === null && damage === null) return;
    const gone = missing === null
      ? ""
      : `acknowledged messages at positions ${missing.from} to ${missing.to} are missing`;
    const reason = `shard ${this.#parts.number}: ${
      [gone, damage ?? ""].filter(Boolean).join("; ")
    }`;
    if (writable) {
      this.#parts.log.warn("shard was damaged, and goes on with what is left", { reason });
      return;
    }
    this.#parts.log.error("shard is damaged and takes no messages", { reason });
    this.#setCondition({ state: "damaged", reason });
  }

  #noteGuard(): void {
    if (this.#condition.state === "damaged") return;
    const { guard, log } = this.#parts;
    if (guard.refusing) {
      log.error("disk is nearly full, sends are refused", { reason: guard.error().message });
      this.#setCondition({ state: "refusing", reason: guard.error().message });
    } else {
      log.info("disk has room again, sends are accepted", {});
      this.#setCondition({ state: "ok", reason: "" });
    }
  }

  #setCondition(condition: Condition): void {
    this.#condition = condition;
    this.#tellFront({ kind: "health", ...condition });
  }

  #tellFront(news: ShardFrontNews): void {
    this.#server.tell(news);
  }

  /** One timer for all: the next deadline, the next due delivery, the next upkeep. */
  /**
   * A timer that rings earlier than it has to is left: setting another one after every turn costs
   * more than a turn in vain now and then.
   */
  #planWakeUp(): void {
    if (this.#turnPlanned || this.#draining || this.#isStopped) return;
    const { clock, timers } = this.#parts;
    const deadlineMs = this.#parking.nextDeadlineMs();
    const dueMs = this.#state.nextDueMs();
    const waits = [this.#upkeep.nextInMs()];
    const dropInMs = this.#drops.nextInMs();
    if (dropInMs !== null) waits.push(dropInMs);
    if (deadlineMs !== null) waits.push(deadlineMs - clock.monotonicMs());
    if (dueMs !== null) waits.push(dueMs - clock.wallMs());
    const delayMs = Math.max(0, Math.min(...waits));
    const atMs = clock.monotonicMs() + delayMs;
    if (this.#alarmClock !== null && this.#alarmClock.atMs <= atMs + timerMs) return;
    this.#alarmClock?.cancel();
    const cancel = timers.setTimer(Math.ceil(delayMs), () => {
      this.#alarmClock = null;
      this.arrived();
    });
    this.#alarmClock = { atMs, cancel };
  }
}
