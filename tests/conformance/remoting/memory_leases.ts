/** Leases of the test broker: what was popped, until when, and how often. @module */
import type {
  LeaseName,
  ReceiptVerdict,
  ReceivedMessage,
  ReceiveRequest,
  WatchRequest,
} from "../../../src/broker/broker.ts";
import type { ManualClock } from "../../../src/base/clock.ts";
import { matches } from "./memory_messages.ts";

type Queue = { readonly records: readonly Uint8Array[] };
type Delivery = { lease: number; attempt: number; untilMs: number };
/** One group in one queue. */
type Place = { next: number; readonly open: Map<number, Delivery> };
type Waiter = { request: ReceiveRequest; dueMs: number; answer: (f: ReceivedMessage[]) => void };
type Watching = { request: WatchRequest; dueMs: number; answer: (found: boolean) => void };

/** Hands messages out and takes verdicts; the queues belong to the broker. */
export class MemoryLeases {
  readonly receives: ReceiveRequest[] = [];
  readonly waiters = new Set<Waiter>();
  readonly #watching = new Set<Watching>();
  readonly #clock: ManualClock;
  readonly #queueOf: (topic: string, queueId: number) => Queue | undefined;
  readonly #places = new Map<string, Place>();
  #lastLease = 0;

  constructor(
    clock: ManualClock,
    queueOf: (topic: string, queueId: number) => Queue | undefined,
  ) {
    this.#clock = clock;
    this.#queueOf = queueOf;
  }

  async receive(request: ReceiveRequest): Promise<ReceivedMessage[]> {
    this.receives.push(request);
    const found = this.#lease(request);
    if (found.length > 0 || request.waitMs === 0) return found;
    return await new Promise((answer) => {
      const waiter = { request, dueMs: this.#clock.monotonicMs() + request.waitMs, answer };
      this.waiters.add(waiter);
      request.signal?.addEventListener("abort", () => {
        this.waiters.delete(waiter);
        answer([]);
      });
    });
  }

  async watch(request: WatchRequest): Promise<boolean> {
    await Promise.resolve();
    if (this.#hasWork(request) || request.waitMs === 0) return this.#hasWork(request);
    return await new Promise((answer) => {
      const watching = { request, dueMs: this.#clock.monotonicMs() + request.waitMs, answer };
      this.#watching.add(watching);
      request.signal?.addEventListener("abort", () => {
        this.#watching.delete(watching);
        answer(false);
      });
    });
  }

  /** Something was sent, or time passed. */
  wake(): void {
    for (const watching of [...this.#watching]) {
      const found = this.#hasWork(watching.request);
      if (!found && watching.dueMs > this.#clock.monotonicMs()) continue;
      this.#watching.delete(watching);
      watching.answer(found);
    }
    for (const waiter of [...this.waiters]) {
      const found = this.#lease(waiter.request);
      if (found.length === 0 && waiter.dueMs > this.#clock.monotonicMs()) continue;
      this.waiters.delete(waiter);
      waiter.answer(found);
    }
  }

  receiptOf(group: string, { topic, queueId, offset, lease }: LeaseName): string {
    return `${group} ${topic} ${queueId} ${offset} ${lease}`;
  }

  /** Open deliveries of a group, as "queue/offset attempt". */
  openOf(group: string, topic: string): string[] {
    return [...this.#places].flatMap(([key, place]) => {
      if (!key.startsWith(`${group} ${topic} `)) return [];
      return [...place.open].map(([offset, { attempt }]) =>
        `${key.split(" ")[2]}/${offset} ${attempt}`
      );
    });
  }

  settle(receipt: string, work: (place: Place, offset: number) => void): ReceiptVerdict {
    const [group, topic, queueId, offset, lease] = receipt.split(" ");
    const place = this.#places.get(`${group} ${topic} ${queueId}`);
    const open = place?.open.get(Number(offset));
    if (place === undefined || Number(offset) >= place.next) return { receipt, verdict: "invalid" };
    if (open === undefined) return { receipt, verdict: "done" };
    if (open.lease !== Number(lease)) return { receipt, verdict: "expired" };
    work(place, Number(offset));
    return { receipt, verdict: "done" };
  }

  async ack(receipts: readonly string[]): Promise<ReceiptVerdict[]> {
    await Promise.resolve();
    return receipts.map((receipt) =>
      this.settle(receipt, (place, offset) => place.open.delete(offset))
    );
  }

  async extend(receipts: readonly string[], invisibleMs: number) {
    await Promise.resolve();
    const invisibleUntilMs = this.#clock.wallMs() + invisibleMs;
    return receipts.map((receipt) => {
      const verdict = this.settle(receipt, (place, offset) => {
        const open = place.open.get(offset);
        if (open !== undefined) open.untilMs = this.#clock.monotonicMs() + invisibleMs;
      });
      return { ...verdict, invisibleUntilMs };
    });
  }

  #hasWork({ group, topic, queueId: wanted }: WatchRequest): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (let queueId = 0; this.#queueOf(topic, queueId) !== undefined; queueId++) {
      if (wanted !== undefined && wanted !== queueId) continue;
      const place = this.#places.get(`${group} ${topic} ${queueId}`);
      if ((place?.next ?? 0) < (this.#queueOf(topic, queueId)?.records.length ?? 0)) return true;
      if (Array.from(place?.open.values() ?? []).some(({ untilMs }) => untilMs <= nowMs)) {
        return true;
      }
    }
    return false;
  }

  #lease(request: ReceiveRequest): ReceivedMessage[] {
    const found: ReceivedMessage[] = [];
    const { topic } = request;
    for (let queueId = 0; this.#queueOf(topic, queueId) !== undefined; queueId++) {
      if (request.queueId === undefined || request.queueId === queueId) {
        this.#leaseQueue(request, queueId, found);
      }
    }
    return found;
  }

  #leaseQueue(request: ReceiveRequest, queueId: number, found: ReceivedMessage[]): void {
    const { group, topic, messagesMax, filter, invisibleMs } = request;
    const key = `${group} ${topic} ${queueId}`;
    const place = this.#places.get(key) ?? { next: 0, open: new Map<number, Delivery>() };
    this.#places.set(key, place);
    const records = this.#queueOf(topic, queueId)?.records ?? [];
    const nowMs = this.#clock.monotonicMs();
    const give = (offset: number, attempt: number) => {
      // As the shards do: numbers count up from the clock.
      this.#lastLease = Math.max(this.#lastLease + 1, this.#clock.wallMs() * 1024);
      const lease = this.#lastLease;
      place.open.set(offset, { lease, attempt, untilMs: nowMs + invisibleMs });
      const receipt = this.receiptOf(group, { topic, queueId, offset, lease });
      const invisibleUntilMs = this.#clock.wallMs() + invisibleMs;
      const record = records[offset] ?? new Uint8Array(0);
      found.push({ queueId, offset, attempt, invisibleUntilMs, lease, receipt, record });
    };
    for (const [offset, { attempt, untilMs }] of place.open) {
      if (untilMs <= nowMs && found.length < messagesMax) give(offset, attempt + 1);
    }
    for (; place.next < records.length && found.length < messagesMax; place.next++) {
      const record = records[place.next];
      if (record !== undefined && matches(filter, record)) give(place.next, 1);
    }
  }
}
