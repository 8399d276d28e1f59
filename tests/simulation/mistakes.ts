/**
 * Mistakes made in the code under test while one run lasts, to see that the checkers see them.
 *
 * @module
 */
import { Deliveries } from "../../src/core/deliveries.ts";
import { Offsets } from "../../src/broker/offsets.ts";
import { ReaderKeys } from "../../src/broker/reader_keys.ts";
import { Redrives } from "../../src/broker/redrives.ts";
import { OrderWindow } from "../../src/core/order_window.ts";
import { RecentIds } from "../../src/core/recent_ids.ts";
import { type AskMistake, isAskMistake, mistakeAsks } from "./mistaken_asks.ts";
import type { CodeMistake } from "./options.ts";

const earlyMs = 2_000;
/** Longer than a run: a message that is due already would be buried over and over in one turn. */
const againMs = 30_000;

/** Runs with the mistake in place, and takes it back. Runs with mistakes do not overlap. */
export async function withMistake<T>(
  mistake: CodeMistake | null,
  run: () => Promise<T>,
): Promise<T> {
  const { acknowledge, ready, bury, restore } = Deliveries.prototype;
  const { isBlocked, isFirst } = OrderWindow.prototype;
  const { find } = RecentIds.prototype;
  const { begin } = Redrives.prototype;
  const { of } = ReaderKeys.prototype;
  const { clone } = Offsets.prototype;
  let takeBack = () => {};
  try {
    if (mistake !== null && isAskMistake(mistake)) takeBack = mistakeAsks(mistake);
    else if (mistake !== null) makeMistake(mistake);
    return await run();
  } finally {
    takeBack();
    Object.assign(RecentIds.prototype, { find });
    Object.assign(Redrives.prototype, { begin });
    Object.assign(ReaderKeys.prototype, { of });
    Object.assign(Offsets.prototype, { clone });
    Object.assign(Deliveries.prototype, { acknowledge, ready, bury, restore });
    Object.assign(OrderWindow.prototype, { isBlocked, isFirst });
  }
}

function makeMistake(mistake: Exclude<CodeMistake, AskMistake>): void {
  const { acknowledge, ready, restore } = Deliveries.prototype;
  const { begin } = Redrives.prototype;
  const { of } = ReaderKeys.prototype;
  switch (mistake) {
    case "acknowledges by an old receipt":
      Deliveries.prototype.acknowledge = function (offset, lease) {
        return acknowledge.call(this, offset, this.open(offset)?.lease ?? lease);
      };
      return;
    case "hands out before the time is over":
      Deliveries.prototype.ready = function (nowMs) {
        return ready.call(this, nowMs + earlyMs);
      };
      return;
    case "never buries the dead":
      Deliveries.prototype.bury = function (offset) {
        const open = this.open(offset);
        if (open !== undefined) this.postpone(open, open.untilMs + againMs);
      };
      return;
    case "lets a second message of a key out":
      OrderWindow.prototype.isBlocked = () => false;
      OrderWindow.prototype.isFirst = () => true;
      return;
    case "drops held messages when it reads its tables":
      Deliveries.prototype.restore = function (chunk, entries) {
        restore.call(this, chunk, entries);
        for (const { offset, attempts } of [...this.all()]) if (attempts === 0) this.bury(offset);
      };
      return;
    case "clones to the beginning":
      Offsets.prototype.clone = function (_from, to, topic, by) {
        return this.reset(to, topic, { kind: "earliest" }, by);
      };
      return;
    case "gives all screens one place":
      ReaderKeys.prototype.of = function (group) {
        return of.call(this, group, "everybody");
      };
      return;
    case "forgets the ids it has seen":
      RecentIds.prototype.find = () => undefined;
      return;
    case "sends letters back faster than it was told":
      Redrives.prototype.begin = function (group, stacks, perSecond) {
        return begin.call(this, group, stacks, perSecond * 20);
      };
  }
}
