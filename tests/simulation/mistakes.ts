/**
 * Mistakes made in the code under test while one run lasts, to see that the checkers see them.
 *
 * @module
 */
import { Deliveries } from "../../src/core/deliveries.ts";
import { OrderWindow } from "../../src/core/order_window.ts";
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
  try {
    if (mistake !== null) makeMistake(mistake);
    return await run();
  } finally {
    Object.assign(Deliveries.prototype, { acknowledge, ready, bury, restore });
    Object.assign(OrderWindow.prototype, { isBlocked, isFirst });
  }
}

function makeMistake(mistake: CodeMistake): void {
  const { acknowledge, ready, restore } = Deliveries.prototype;
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
  }
}
