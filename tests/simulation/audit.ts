/** Reads everything that is stored, queue by queue, as any client could. @module */
import type { Broker } from "../../src/broker/broker.ts";
import { everything } from "../../src/model/subscription.ts";
import { type ClientParts, seenAll } from "./clients.ts";
import type { Audit, AuditedQueue, Seen } from "./journal.ts";

/** The contents of all topics that stay, and of the groups' own. */
export async function audit({ world }: ClientParts): Promise<Audit> {
  const broker = await world.broker();
  const queues = new Map<string, AuditedQueue>();
  const names = broker.topics().map(({ name }) => name).filter(isAudited).sort();
  for (const topic of names) {
    const ranges = await broker.queueRanges(topic);
    for (const queueId of ranges.keys()) {
      queues.set(`${topic}/${queueId}`, await readQueue(broker, topic, queueId));
    }
  }
  return queues;
}

/** What is passing may be gone between two questions. */
function isAudited(name: string): boolean {
  return /^topic-|^%(RETRY|DLQ)%(group|readers)-/.test(name);
}

async function readQueue(broker: Broker, topic: string, queueId: number): Promise<AuditedQueue> {
  const messages: Seen[] = [];
  let offset = 0;
  for (;;) {
    const pulled = await broker.pull({
      topic,
      queueId,
      offset,
      messagesMax: 32,
      bytesMax: 1_000_000,
      filter: everything,
      waitMs: 0,
    });
    messages.push(...seenAll(pulled.records));
    const { outcome, nextOffset, minOffset: min, maxOffset: max } = pulled;
    if (outcome === "empty") {
      // Retention may have gone on while this was reading.
      const left = messages.filter((message) => message.offset >= min);
      return { topic, queueId, min, max, messages: left };
    }
    offset = nextOffset;
  }
}
