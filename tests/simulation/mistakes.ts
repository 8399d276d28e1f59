/**
 * Mistakes made in the code under test while one run lasts, to see that the checkers see them.
 *
 * @module
 */
import { Checks } from "../../src/broker/checks.ts";
import { QueueChooser } from "../../src/broker/choose_queue.ts";
import { FormerPlaces } from "../../src/broker/former_places.ts";
import { Offsets } from "../../src/broker/offsets.ts";
import { ReaderKeys } from "../../src/broker/reader_keys.ts";
import { Redrives } from "../../src/broker/redrives.ts";
import { Replies } from "../../src/broker/replies.ts";
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { Deliveries } from "../../src/core/deliveries.ts";
import { OrderWindow } from "../../src/core/order_window.ts";
import { RecentIds } from "../../src/core/recent_ids.ts";
import { Drops } from "../../workers/shard/drops.ts";
import { type AskMistake, mistakeAsks } from "./mistaken_asks.ts";
import { type DoorMistake, doorMistakes } from "./mistaken_door.ts";
import { type ShardMistake, shardMistakes } from "./mistaken_shard.ts";
import type { WebhookMistake } from "./webhook_host.ts";

/** A mistake made on purpose in the code under test. */
export type CodeMistake = AskMistake | DoorMistake | ShardMistake | WebhookMistake;

/** Whose methods mistakes replace. */
const classes = [
  Checks,
  Deliveries,
  Drops,
  FormerPlaces,
  Offsets,
  OrderWindow,
  QueueChooser,
  ReaderKeys,
  RecentIds,
  Redrives,
  Replies,
  ShardRouter,
];

/** Runs with the mistake in place, and takes it back. Runs with mistakes do not overlap. */
export async function withMistake<T>(
  mistake: CodeMistake | null,
  run: () => Promise<T>,
): Promise<T> {
  if (mistake === null) return await run();
  const before = classes.map(({ prototype }) => Object.getOwnPropertyDescriptors(prototype));
  try {
    makeMistake(mistake);
    return await run();
  } finally {
    classes.forEach(({ prototype }, at) => Object.defineProperties(prototype, before[at] ?? {}));
  }
}

function makeMistake(mistake: CodeMistake): void {
  const { [mistake]: make } = { ...shardMistakes, ...doorMistakes } as Readonly<
    Partial<Record<CodeMistake, () => void>>
  >;
  if (make !== undefined) make();
  else mistakeAsks(mistake);
}
