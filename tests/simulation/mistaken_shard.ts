/** Mistakes in what a shard decides. @module */
import { Deliveries } from "../../src/core/deliveries.ts";
import { OrderWindow } from "../../src/core/order_window.ts";
import { RecentIds } from "../../src/core/recent_ids.ts";
import { Drops } from "../../workers/shard/drops.ts";

const earlyMs = 2_000;
/** Longer than a run: a message that is due already would be buried over and over in one turn. */
const againMs = 30_000;

/** How each is made; whoever makes one puts the methods back. */
export const shardMistakes = {
  "acknowledges by an old receipt": () => {
    const { acknowledge } = Deliveries.prototype;
    Deliveries.prototype.acknowledge = function (offset, lease) {
      return acknowledge.call(this, offset, this.open(offset)?.lease ?? lease);
    };
  },
  "hands out before the time is over": () => {
    const { ready } = Deliveries.prototype;
    Deliveries.prototype.ready = function (nowMs) {
      return ready.call(this, nowMs + earlyMs);
    };
  },
  "never buries the dead": () => {
    Deliveries.prototype.bury = function (offset) {
      const open = this.open(offset);
      if (open !== undefined) this.postpone(open, open.untilMs + againMs);
    };
  },
  "lets a second message of a key out": () => {
    OrderWindow.prototype.isBlocked = () => false;
    OrderWindow.prototype.isFirst = () => true;
  },
  "drops held messages when it reads its tables": () => {
    const { restore } = Deliveries.prototype;
    Deliveries.prototype.restore = function (chunk, entries) {
      restore.call(this, chunk, entries);
      for (const { offset, attempts } of [...this.all()]) if (attempts === 0) this.bury(offset);
    };
  },
  "takes what it has begun to drop for dropped": () => {
    const { step } = Drops.prototype;
    Drops.prototype.step = function (store, state, isBusy) {
      const all = store.dropQueues.bind(store);
      store.dropQueues = (queueKeys, rowsMax) => ({ ...all(queueKeys, rowsMax), more: false });
      try {
        return step.call(this, store, state, isBusy);
      } finally {
        store.dropQueues = all;
      }
    };
  },
  "forgets the ids it has seen": () => {
    RecentIds.prototype.find = () => undefined;
  },
} as const;

/** One of these. */
export type ShardMistake = keyof typeof shardMistakes;
