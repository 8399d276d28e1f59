import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { utf8 } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { UnreachableError } from "../failure.ts";
import type { Message } from "./message.ts";
import { passedOf } from "./offset_map.ts";
import { type CopyParts, QueueCopy, type Skipped } from "./queue_copy.ts";
import type { QueueState } from "./state.ts";
import type { Sent } from "./target.ts";

const address = { host: "test", port: 1 };

function message(offset: number, text = `m${offset}`, properties = ""): Message {
  const body = utf8(text);
  const bodyCrc = crc32(body) & 0x7fffffff;
  const fixed = { queueId: 0, flag: 0, sysFlag: 0, bornMs: 1, reconsumeTimes: 0 };
  return { offset, ...fixed, bodyCrc, body, properties };
}

function from(first: number, end: number): Message[] {
  return Array.from({ length: end - first }, (_, at) => message(first + at));
}

function stateFrom(firstOffset: number, targetBase = 0): QueueState {
  return {
    topic: "t",
    broker: "b",
    queueId: 0,
    targetQueueId: 0,
    firstOffset,
    next: firstOffset,
    targetBase,
    targetNext: targetBase,
    stretches: [],
    skipped: 0,
    digest: 0,
  };
}

/** A queue in memory. `onSend` may take part of a batch, or spoil its answers. */
class FakeTarget {
  readonly held: Message[] = [];
  readonly address = address;
  onSend: (messages: readonly Message[]) => Sent[] = (messages) => this.store(messages);

  store(messages: readonly Message[]): Sent[] {
    return messages.map((each) => {
      this.held.push({ ...each, offset: this.held.length });
      return { kind: "stored", offset: this.held.length - 1 };
    });
  }

  send(_queue: unknown, messages: readonly Message[]): Promise<Sent[]> {
    return new Promise((resolve) => resolve(this.onSend(messages)));
  }

  pull(_queue: unknown, offset: number) {
    const messages = this.held.slice(offset, offset + 3);
    return Promise.resolve({ messages, next: offset + messages.length });
  }

  ranges() {
    return Promise.resolve([{ queueId: 0, minOffset: 0, maxOffset: this.held.length }]);
  }

  get texts(): string[] {
    return this.held.map(({ body }) => new TextDecoder().decode(body));
  }
}

/** Hands out pieces of at most four messages, and passes over holes as brokers do. */
function sourceOf(messages: readonly Message[]) {
  return {
    pull: (_queue: unknown, offset: number) => {
      const found = messages.filter((each) => each.offset >= offset).slice(0, 4);
      const [first] = found;
      if (first !== undefined && first.offset > offset) {
        return Promise.resolve({ messages: [], next: first.offset });
      }
      return Promise.resolve({ messages: found, next: (found.at(-1)?.offset ?? offset) + 1 });
    },
  };
}

function copyOf(state: QueueState, messages: readonly Message[], target: FakeTarget) {
  const skipped: Skipped[] = [];
  const counts = { copied: 0, found: 0 };
  const parts: CopyParts = {
    host: fakeHost([]),
    source: sourceOf(messages),
    target,
    pace: { take: () => Promise.resolve() },
    giveUpMs: 1000,
    stop: new AbortController().signal,
    onCopied: (count) => counts.copied += count,
    onFound: () => counts.found++,
    onSkipped: (_state, each) => skipped.push(each),
    onTrouble: () => {},
  };
  return { copy: new QueueCopy(state, parts), skipped, counts };
}

test("QueueCopy.run() copies in order from where the source begins, over its holes", async () => {
  const state = stateFrom(40);
  const target = new FakeTarget();
  const messages = [...from(40, 47), ...from(60, 63)];

  await copyOf(state, messages, target).copy.run(63);

  assert.deepEqual(target.texts, messages.map(({ offset }) => `m${offset}`));
  assert.deepEqual(state.stretches, [[40, 0, 7], [60, 7, 3]]);
  assert.deepEqual(passedOf(state), { copied: 10, missing: 13, others: 0 });
  assert.equal(state.next, 63);
});

test("QueueCopy.run() sends again only what a lost connection did not bring", async () => {
  const state = stateFrom(0);
  const target = new FakeTarget();
  let losses = 0;
  target.onSend = (messages) => {
    if (losses++ % 2 === 1) return target.store(messages);
    target.store(messages.slice(0, losses % 4));
    throw new UnreachableError("the connection was lost", true);
  };
  const { copy, counts } = copyOf(state, from(0, 20), target);

  await copy.run(20);

  assert.deepEqual(target.texts, from(0, 20).map(({ offset }) => `m${offset}`));
  assert.ok(counts.found > 0, "some were found at the target");
  assert.equal(counts.found + counts.copied, 20);
});

test("QueueCopy.run() finds what a killed run had sent, also among others'", async () => {
  const state = stateFrom(0);
  const target = new FakeTarget();
  target.store([message(0), message(9, "somebody else's"), message(1), message(2)]);
  const { copy, counts } = copyOf(state, from(0, 6), target);

  await copy.run(6);

  assert.deepEqual(target.texts, ["m0", "somebody else's", "m1", "m2", "m3", "m4", "m5"]);
  assert.deepEqual(counts, { copied: 3, found: 3 });
  assert.deepEqual(state.stretches, [[0, 0, 1], [1, 2, 5]]);
});

test("QueueCopy.run() tells two messages of one key and body apart by their order", async () => {
  const twins = [0, 1, 2].map((offset) => message(offset, "twin", "UNIQ_KEY\x01K\x02"));
  const state = stateFrom(0);
  const target = new FakeTarget();
  target.store(twins.slice(0, 2));

  await copyOf(state, twins, target).copy.run(3);

  assert.equal(target.held.length, 3);
});

test("QueueCopy.run() skips what the target cannot hold, once, and goes on", async () => {
  const large = { ...message(1), body: new Uint8Array(limits.bodyBytesMax + 1) };
  const state = stateFrom(0);
  const target = new FakeTarget();
  let sends = 0;
  target.onSend = (messages) => {
    if (sends++ === 0) throw new UnreachableError("the connection was lost", true);
    return target.store(messages);
  };
  const { copy, skipped } = copyOf(state, [message(0), large, message(2)], target);

  await copy.run(3);

  assert.deepEqual(target.texts, ["m0", "m2"]);
  assert.equal(state.skipped, 1);
  assert.deepEqual(skipped.map(({ offset }) => offset), [1]);
  assert.match(skipped[0]?.why ?? "", /more than 4194304/);
});

test("QueueCopy.run() keeps what was acknowledged before a refusal, and says why", async () => {
  const state = stateFrom(0);
  const target = new FakeTarget();
  const answer = { code: 16, remark: "not writable", fields: {}, body: utf8("") };
  target.onSend = (messages) => [
    ...target.store(messages.slice(0, 2)),
    ...messages.slice(2).map((): Sent => ({ kind: "refused", answer })),
  ];

  await assert.rejects(copyOf(state, from(0, 4), target).copy.run(4), /code 16: not writable/);

  assert.equal(state.next, 2);
  assert.deepEqual(state.stretches, [[0, 0, 2]]);
});

test("QueueCopy.run() ends a queue whose order the target broke", async () => {
  const target = new FakeTarget();
  const answer = { code: 2, remark: "busy", fields: {}, body: utf8("") };
  target.onSend = (messages) => [
    { kind: "refused", answer },
    ...target.store(messages.slice(1)),
  ];

  const run = copyOf(stateFrom(0), from(0, 4), target).copy.run(4);

  await assert.rejects(run, /stored later ones: their order is lost/);
});

test("QueueCopy.run() refuses a topic that was made anew or knows ids again", async () => {
  const ahead = { ...stateFrom(0), next: 3, targetNext: 3, stretches: [[0, 0, 3]] };
  const anew = copyOf(ahead as QueueState, from(0, 6), new FakeTarget()).copy.run(6);
  await assert.rejects(anew, /ends at 0 at the target.*its topic was made anew/);
  const shrunk = copyOf(ahead as QueueState, from(0, 2), new FakeTarget()).copy.run(2);
  await assert.rejects(shrunk, /ends at 2 at the source.*its topic was made anew/);

  const target = new FakeTarget();
  target.onSend = (messages) => messages.map(() => ({ kind: "stored", offset: 0 }));
  const repeats = copyOf(stateFrom(0), from(0, 4), target).copy.run(4);
  await assert.rejects(repeats, /dedupe=all/);
});
