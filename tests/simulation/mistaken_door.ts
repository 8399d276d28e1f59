/** Mistakes in what the door decides. @module */
import type { Reply } from "../../src/broker/broker.ts";
import { Checks } from "../../src/broker/checks.ts";
import { QueueChooser } from "../../src/broker/choose_queue.ts";
import { FormerPlaces } from "../../src/broker/former_places.ts";
import { Offsets } from "../../src/broker/offsets.ts";
import { ReaderKeys } from "../../src/broker/reader_keys.ts";
import { Redrives } from "../../src/broker/redrives.ts";
import { Replies } from "../../src/broker/replies.ts";

/** How each is made; whoever makes one puts the methods back. */
export const doorMistakes = {
  "clones to the beginning": () => {
    Offsets.prototype.clone = function (_from, to, topic, by) {
      return this.reset(to, topic, { kind: "earliest" }, by);
    };
  },
  "leads timer keys by the number of queues": () => {
    const { choose } = QueueChooser.prototype;
    QueueChooser.prototype.choose = function (topic, wish, knownId) {
      return choose.call(this, { ...topic, timerQueues: topic.queueRefs.length }, wish, knownId);
    };
  },
  "asks no former place": () => {
    FormerPlaces.prototype.shardsOf = () => [];
  },
  "keeps to its place when the topic grew meanwhile": () => {
    FormerPlaces.prototype.hasChanged = () => false;
  },
  "looks for no pending timer": () => {
    FormerPlaces.prototype.pendingQueueKey = () => Promise.resolve(null);
  },
  "gives all screens one place": () => {
    const { of } = ReaderKeys.prototype;
    ReaderKeys.prototype.of = function (group) {
      return of.call(this, group, "everybody");
    };
  },
  "sends letters back faster than it was told": () => {
    const { begin } = Redrives.prototype;
    Redrives.prototype.begin = function (group, stacks, perSecond) {
      return begin.call(this, group, stacks, perSecond * 20);
    };
  },
  "counts questions over connections nobody has": () => {
    const { listen } = Checks.prototype;
    Checks.prototype.listen = function (listener) {
      return listen.call(this, async (check) => (await listener(check)) || true);
    };
  },
  "takes a second reply": () => {
    const { answer } = Replies.prototype;
    Replies.prototype.answer = async function (reply) {
      await answer.call(this, reply).catch(() => null);
    };
  },
  "gives a reply to another request": () => {
    const { answer } = Replies.prototype;
    let last: Reply | null = null;
    Replies.prototype.answer = function (reply) {
      const { body } = last ?? reply;
      last = reply;
      return answer.call(this, { ...reply, body });
    };
  },
  "waits for replies beyond their time": () => {
    const { wait } = Replies.prototype;
    Replies.prototype.wait = function (request, send) {
      return wait.call(this, { ...request, timeoutMs: request.timeoutMs * 2 }, send);
    };
  },
} as const;

/** One of these. */
export type DoorMistake = keyof typeof doorMistakes;
