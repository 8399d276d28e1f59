/**
 * What a reset or clone threw away of a group's place in a queue, kept with its event.
 *
 *     f64 next, { f64 offset, f64 attempts, f64 untilMs }*      only `next` when too much is open
 *
 * @module
 */
import { ByteReader, ByteWriter } from "../../src/base/bytes.ts";
import { limits } from "../../src/base/limits.ts";
import type { Deliveries, OpenDelivery } from "../../src/core/deliveries.ts";

/** The place as undoing puts it back. Leases are not given back. */
type Snapshot = { readonly next: number; readonly open: readonly OpenDelivery[] };

/** The place as it is now. */
export function snapshotOf(deliveries: Deliveries): Uint8Array {
  const writer = new ByteWriter(256);
  writer.f64(deliveries.next);
  if (deliveries.openCount <= limits.undoneOpenMax) {
    for (const { offset, attempts, untilMs } of deliveries.all()) {
      writer.f64(offset);
      writer.f64(attempts);
      writer.f64(untilMs);
    }
  }
  return writer.view();
}

/** Puts the place back. `committed`: the first offset that was not finished then. */
export function restoreSnapshot(
  deliveries: Deliveries,
  before: Uint8Array,
  committed: number,
): void {
  const { next, open } = readSnapshot(before, committed);
  deliveries.reset(next);
  for (const delivery of open) deliveries.reopen(delivery);
}

/** Whether the message at `offset` is still to be finished where the place is put back so. */
export function isUnfinishedIn(before: Uint8Array, committed: number, offset: number): boolean {
  const { next, open } = readSnapshot(before, committed);
  return offset >= next || open.some((delivery) => delivery.offset === offset);
}

function readSnapshot(before: Uint8Array, committed: number): Snapshot {
  const reader = new ByteReader(before);
  const next = reader.left >= 8 ? reader.f64() : committed;
  const open: OpenDelivery[] = [];
  while (reader.left >= 24) {
    const offset = reader.f64();
    const attempts = reader.f64();
    open.push({ offset, attempts, untilMs: reader.f64(), lease: 0 });
  }
  // Without the open ones, everything from the first unfinished message on is handed out again.
  return { next: open.length === 0 ? Math.min(next, committed) : next, open };
}
