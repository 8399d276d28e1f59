/**
 * Everything that is stored, queue by queue: as the disks have it, and as any client can read it,
 * which leaves out what has expired.
 *
 * @module
 */
import type { Broker } from "../../src/broker/broker.ts";
import { deathFacts } from "../../src/model/dead_letter.ts";
import { everything } from "../../src/model/subscription.ts";
import { type ClientParts, seen, seenAll } from "./clients.ts";
import type { Audit, AuditedQueue, Seen } from "./events.ts";

/** What the disks hold of all topics that stay, and of the groups' own. */
export function auditDisks({ world }: ClientParts): Audit {
  const queues = new Map<string, AuditedQueue>();
  for (const { topic, queueId, min, max, records } of world.storedQueues()) {
    if (!isAudited(topic)) continue;
    const messages = records.map(stored);
    queues.set(`${topic}/${queueId}`, { topic, queueId, min, max, messages });
  }
  return queues;
}

/** What each record of a disk says: many looks see the same ones. */
const known = new WeakMap<Uint8Array, Seen>();

/** A record of a disk. */
export function stored(record: Uint8Array): Seen {
  const before = known.get(record);
  if (before !== undefined) return before;
  const plain = seen(record);
  const message = plain.topic.startsWith("%DLQ%") ? letter(plain, record) : plain;
  known.set(record, message);
  return message;
}

/** A dead letter, with where it died. */
function letter(plain: Seen, record: Uint8Array): Seen {
  const { originTopic, originQueueId, originOffset } = deathFacts(record);
  const origin = { topic: originTopic, queueId: originQueueId ?? -1, offset: originOffset ?? -1 };
  return { ...plain, origin };
}

/** How often each message is in dead letters: so often it may have been sent back from there. */
export function deathsOf(audit: Audit): ReadonlyMap<string, number> {
  const deaths = new Map<string, number>();
  for (const { topic, messages } of audit.values()) {
    if (!topic.startsWith("%DLQ%")) continue;
    for (const { id } of messages) deaths.set(id, (deaths.get(id) ?? 0) + 1);
  }
  return deaths;
}

/** The same as a client reads it. */
export async function readAll({ world }: ClientParts): Promise<Audit> {
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
  return /^topic-|^%(RETRY|DLQ)%(group|readers|late)-/.test(name);
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
