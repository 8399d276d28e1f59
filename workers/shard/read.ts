/** Operations that change nothing: pulls, look-ups, ranges. @module */
import { limits } from "../../src/base/limits.ts";
import type { FindAsk, PullAsk, PullHead, PullOutcome } from "../../src/link/shard_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import { recordStoredMs } from "../../src/model/record.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import { isExpired, mayExpire } from "./expiry.ts";
import { judgedEntries } from "./judge.ts";

const nothing = new Uint8Array(0);

/** What a pull reads of a store. */
export type PullStore = Pick<ShardStore, "entries" | "records" | "minOffset" | "maxOffset">;

/** A pull's answer. */
export type PullAnswer = {
  readonly head: PullHead;
  readonly blob: Uint8Array;
  /** Messages left out because their time was over. */
  readonly expired: number;
};

/** Reads a queue from `ask.offset` as far as the asked bounds allow. At least one record fits. */
export function readPull(store: PullStore, ask: PullAsk, nowMs: number): PullAnswer {
  const minOffset = store.minOffset(ask.queueKey);
  const maxOffset = store.maxOffset(ask.queueKey);
  const answer = (
    outcome: PullOutcome,
    nextOffset: number,
    blob: Uint8Array,
    count: number,
    expired = 0,
  ) => ({ head: { outcome, nextOffset, minOffset, maxOffset, count }, blob, expired });
  if (ask.offset < minOffset) return answer("outside", minOffset, nothing, 0);
  if (ask.offset > maxOffset) return answer("outside", maxOffset, nothing, 0);
  if (ask.offset === maxOffset) return answer("empty", maxOffset, nothing, 0);

  const { positions, nextOffset } = scan(store, ask);
  if (positions.length === 0) return answer("filtered", nextOffset, nothing, 0);
  const records = readTogether(store, positions);
  // Damage stops only who begins with it: what lies before is handed out first.
  if (records === null) {
    return readPull(store, { ...ask, messagesMax: positions.length >> 1 }, nowMs);
  }
  const blob = join(records);
  if (ask.ttlMs === null && !mayExpire(blob)) {
    return answer("found", nextOffset, blob, positions.length);
  }
  const alive = records.filter((record) => !isExpired(record, ask.ttlMs, nowMs));
  const expired = records.length - alive.length;
  if (alive.length === 0) return answer("filtered", nextOffset, nothing, 0, expired);
  return answer("found", nextOffset, expired === 0 ? blob : join(alive), alive.length, expired);
}

/** `null`: one of several is damaged. @throws {StorageError} `damaged`: the only one is. */
function readTogether(store: PullStore, positions: readonly number[]): Uint8Array[] | null {
  try {
    return store.records(positions);
  } catch (thrown) {
    const isDamaged = thrown instanceof StorageError && thrown.fault === "damaged";
    if (!isDamaged || positions.length === 1) throw thrown;
    return null;
  }
}

/** Ends early, with what it found or "filtered", so that others have their turn. */
function scan(store: PullStore, ask: PullAsk): { positions: number[]; nextOffset: number } {
  const { queueKey, filter } = ask;
  const positions: number[] = [];
  let bytes = 0;
  let readBytes = 0;
  let next = ask.offset;
  const scanEnd = ask.offset + limits.filterScanEntriesMax;
  while (next < scanEnd && readBytes < limits.filterScanBytesMax) {
    const room = ask.messagesMax - positions.length;
    const judged = judgedEntries(store, filter, { queueKey, offset: next, room });
    if (judged.entries.length === 0) break;
    readBytes += judged.readBytes;
    for (let index = 0; index < judged.entries.length; index++) {
      const entry = judged.entries[index]!;
      // Damage stops only who begins with it: what lies before is handed out first.
      if (next > ask.offset && judged.isUnreadable(index)) return { positions, nextOffset: next };
      const wanted = judged.wants(index);
      if (wanted && positions.length > 0 && bytes + entry.bytes > ask.bytesMax) {
        return { positions, nextOffset: next };
      }
      next = entry.queueOffset + 1;
      if (!wanted) continue;
      positions.push(entry.position);
      bytes += entry.bytes;
      if (positions.length >= ask.messagesMax) return { positions, nextOffset: next };
    }
  }
  return { positions, nextOffset: next };
}

/** A stored record, and the queue it is in. */
export type FoundRecord = { readonly queueKey: number; readonly record: Uint8Array };

/** Finds stored records. The caller compares ids and keys: the index only knows hashes. */
export function readFind(store: ShardStore, ask: FindAsk): FoundRecord[] {
  if (ask.by === "position") return recordsAt(store, [ask.position]);
  if (ask.by === "key") return recordsAt(store, store.findByKey(ask.key, ask.messagesMax));
  const { queueKey } = ask;
  const found: FoundRecord[] = [];
  let next = Math.max(store.offsetAtTime(ask.queueKey, ask.fromMs), store.minOffset(ask.queueKey));
  while (found.length < ask.messagesMax) {
    const entries = store.entries(ask.queueKey, next, Math.min(256, ask.messagesMax));
    if (entries.length === 0) break;
    for (const record of store.records(entries.map((entry) => entry.position))) {
      if (!isPresent(record)) continue;
      if (recordStoredMs(record, 0) > ask.toMs || found.length >= ask.messagesMax) return found;
      found.push({ queueKey, record });
    }
    next = (entries.at(-1)?.queueOffset ?? next) + 1;
  }
  return found;
}

function recordsAt(store: ShardStore, positions: readonly number[]): FoundRecord[] {
  const records = store.records(positions);
  return positions.flatMap((position, index) => {
    const [record, queueKey] = [records[index], store.queueKeyAt(position)];
    return record === undefined || queueKey === null || !isPresent(record)
      ? []
      : [{ queueKey, record }];
  });
}

/** Joins records into bytes of their own: the store's views end with the next commit. */
export function join(records: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const record of records) bytes += record.length;
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const record of records) {
    joined.set(record, at);
    at += record.length;
  }
  return joined;
}

function isPresent(record: Uint8Array): boolean {
  return record.length > 0;
}
