import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { Consuming } from "./heartbeat.ts";
import { Membership } from "./membership.ts";

type Who = { id: string; on: number; producers?: string[] };

function wish(topic: string, text = "*", version = 1) {
  return { topic, expression: { language: "TAG", text }, version } as const;
}

function beatOf({ id, on, producers = [] }: Who, ...consumers: Consuming[]) {
  const from = { address: "127.0.0.1:1", language: "JAVA", version: 479 };
  return { clientId: id, connection: on, ...from, producerGroups: producers, consumers };
}

function inGroup(group: string, ...subscriptions: Consuming["subscriptions"]): Consuming {
  return { group, subscriptions };
}

function clientsOf(members: Membership<Consuming>, group: string): string[] {
  return members.consumers(group).map(({ clientId, connection }) => `${clientId}@${connection}`);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "none";
}

test("Membership keeps a member for 120 s of silence, and not a millisecond more", () => {
  const members = new Membership<Consuming>();
  members.heartbeat(beatOf({ id: "a", on: 1 }, inGroup("g", wish("t"))), 7, 1_000);

  assert.equal(members.nextExpiryMs(), 121_000);
  assert.deepEqual(members.expire(120_999), []);
  assert.deepEqual(clientsOf(members, "g"), ["a@1"]);
  assert.deepEqual(members.expire(121_000), ["g"]);
  assert.deepEqual(clientsOf(members, "g"), []);
  assert.equal(members.nextExpiryMs(), null);
});

test("Membership.heartbeat() begins the silence anew", () => {
  const members = new Membership<Consuming>();
  const beat = beatOf({ id: "a", on: 1, producers: ["p"] }, inGroup("g", wish("t")));
  members.heartbeat(beat, 0, 0);
  members.heartbeat(beat, 0, 100_000);

  assert.deepEqual(members.expire(219_999), []);
  assert.equal(members.size, 2);
  assert.deepEqual(members.expire(220_000), ["g"]);
  assert.equal(members.size, 0);
});

test("Membership.repeat() begins the silence anew, and shows when it was", () => {
  const members = new Membership<Consuming>();
  const consuming = inGroup("g", wish("t"));
  members.heartbeat(beatOf({ id: "a", on: 1, producers: ["p"] }, consuming), 0, 0);
  members.heartbeat(beatOf({ id: "b", on: 2 }, consuming), 0, 50_000);
  const again = { clientId: "a", connection: 1, groupCount: 2 };

  assert.deepEqual(members.repeat(again, { wallMs: 7, monotonicMs: 100_000 }), [consuming]);
  assert.equal(members.nextExpiryMs(), 170_000);
  assert.deepEqual(members.expire(219_999), ["g"]);
  assert.deepEqual(clientsOf(members, "g"), ["a@1"]);
  assert.deepEqual(members.consumers("g").map(({ heardMs }) => heardMs), [7]);
  assert.deepEqual(members.expire(220_000), ["g"]);
});

test("Membership.repeat() knows nobody it would have to guess at", () => {
  const members = new Membership<Consuming>();
  members.heartbeat(beatOf({ id: "a", on: 1, producers: ["p"] }, inGroup("g", wish("t"))), 0, 0);
  const heard = { wallMs: 1, monotonicMs: 1 };
  const repeat = (clientId: string, connection: number, groupCount: number) =>
    members.repeat({ clientId, connection, groupCount }, heard);

  assert.deepEqual([repeat("a", 1, 1), repeat("a", 2, 2), repeat("b", 1, 2)], [null, null, null]);
  assert.equal(members.nextExpiryMs(), 120_000);
  members.heartbeat(beatOf({ id: "a", on: 2 }, inGroup("g", wish("t"))), 0, 0);
  assert.equal(repeat("a", 1, 2), null);
});

test("Membership.heartbeat() tells of a new member once, and of changed wishes", () => {
  const members = new Membership<Consuming>();
  const beat = (...wishes: Consuming["subscriptions"]) =>
    members.heartbeat(beatOf({ id: "a", on: 1 }, inGroup("g", ...wishes)), 0, 0);

  const outcomes = [
    beat(wish("t"), wish("u")),
    beat(wish("u"), wish("t")),
    beat(wish("u", "A"), wish("t")),
    beat(wish("t")),
  ].map(({ changedGroups, subscriptionsChanged }) => [changedGroups, subscriptionsChanged]);

  assert.deepEqual(outcomes, [[["g"], true], [[], false], [["g"], true], [["g"], true]]);
});

test("Membership.heartbeat() with a newer version of the same wish moves nobody", () => {
  const members = new Membership<Consuming>();
  const beat = (version: number) =>
    members.heartbeat(
      beatOf({ id: "a", on: 1 }, inGroup("g", wish("t", "*", version))),
      0,
      0,
    );
  beat(1);

  assert.deepEqual(beat(2).changedGroups, []);
  assert.equal(members.newestSubscriptions("g").get("t")?.version, 2);
});

test("Membership.disconnect() takes all clients of the connection away at once", () => {
  const members = new Membership<Consuming>();
  members.heartbeat(beatOf({ id: "a", on: 1, producers: ["p"] }, inGroup("g")), 0, 0);
  members.heartbeat(beatOf({ id: "b", on: 1 }, inGroup("h")), 0, 0);
  members.heartbeat(beatOf({ id: "c", on: 2 }, inGroup("g")), 0, 0);

  assert.deepEqual(members.disconnect(1), ["g", "h"]);
  assert.deepEqual([clientsOf(members, "g"), clientsOf(members, "h")], [["c@2"], []]);
  assert.deepEqual(members.producers(null), []);
  assert.deepEqual(members.disconnect(1), []);
});

test("Membership.unregister() leaves the named role, or all of them", () => {
  const members = new Membership<Consuming>();
  const beat = beatOf({ id: "a", on: 1, producers: ["g"] }, inGroup("g"), inGroup("h"));
  members.heartbeat(beat, 0, 0);

  assert.deepEqual(members.unregister("a", 1, null, "g"), ["g"]);
  assert.equal(members.producers("g").length, 1);
  assert.deepEqual(members.unregister("a", 1, "g", null), []);
  assert.equal(members.producers("g").length, 0);
  assert.deepEqual(members.unregister("a", 2, null, null), []);
  assert.deepEqual(members.unregister("a", 1, null, null), ["h"]);
});

test("Membership.heartbeat() from a second connection wins; the first one's end is no news", () => {
  const members = new Membership<Consuming>();
  members.heartbeat(beatOf({ id: "a", on: 1 }, inGroup("g", wish("t"))), 0, 0);
  const outcome = members.heartbeat(beatOf({ id: "a", on: 2 }, inGroup("g", wish("t"))), 0, 5);

  assert.deepEqual(outcome.displaced, [
    { clientId: "a", group: "g", from: 1, to: 2, duplicate: false },
  ]);
  assert.deepEqual(outcome.changedGroups, ["g"]);
  assert.deepEqual(clientsOf(members, "g"), ["a@2"]);
  assert.deepEqual(members.disconnect(1), []);
  assert.deepEqual(clientsOf(members, "g"), ["a@2"]);
});

test("Membership.heartbeat() calls an id used twice when the older connection returns", () => {
  const members = new Membership<Consuming>();
  for (const on of [1, 2]) members.heartbeat(beatOf({ id: "a", on }, inGroup("g")), 0, 0);
  const { displaced } = members.heartbeat(beatOf({ id: "a", on: 1 }, inGroup("g")), 0, 0);

  assert.deepEqual(displaced.map(({ duplicate }) => duplicate), [true]);
});

test("Membership.newestSubscriptions() prefers the version, then who was heard last", () => {
  const members = new Membership<Consuming>();
  const beat = (id: string, on: number, text: string, version: number) =>
    members.heartbeat(beatOf({ id, on }, inGroup("g", wish("t", text, version))), 0, 0);
  const newest = () => members.newestSubscriptions("g").get("t")?.expression.text;

  beat("a", 1, "A", 5);
  beat("b", 2, "B", 4);
  assert.equal(newest(), "A");
  beat("c", 3, "C", 5);
  assert.equal(newest(), "C");
  beat("a", 1, "A", 5);
  assert.equal(newest(), "A");
  members.disconnect(1);
  assert.equal(newest(), "C");
});

test("Membership.disagreements() names topics that not all members want alike", () => {
  const members = new Membership<Consuming>();
  const both = [wish("same"), wish("other", "A")];
  members.heartbeat(beatOf({ id: "a", on: 1 }, inGroup("g", ...both, wish("only"))), 0, 0);
  assert.deepEqual(members.disagreements("g"), []);
  members.heartbeat(
    beatOf({ id: "b", on: 2 }, inGroup("g", wish("same"), wish("other", "B"))),
    0,
    0,
  );

  assert.deepEqual(members.disagreements("g"), ["other", "only"]);
});

test("Membership.connectionsOf() names each connection once", () => {
  const members = new Membership<Consuming>();
  for (const [id, on] of [["a", 1], ["b", 1], ["c", 2]] as const) {
    members.heartbeat(beatOf({ id, on }, inGroup("g")), 0, 0);
  }
  assert.deepEqual(members.connectionsOf("g"), [1, 2]);
  assert.deepEqual(members.connectionsOf("nobody"), []);
});

test("Membership.forgetGroup() sends its consumers away and leaves its producers", () => {
  const members = new Membership<Consuming>();
  members.heartbeat(beatOf({ id: "a", on: 1, producers: ["g"] }, inGroup("g")), 0, 0);

  assert.equal(members.forgetGroup("g"), true);
  assert.equal(members.forgetGroup("g"), false);
  assert.deepEqual([members.consumers("g").length, members.producers("g").length], [0, 1]);
});

test("Membership.heartbeat() that is refused leaves nothing behind", () => {
  const members = new Membership<Consuming>();
  const beat = beatOf({ id: "a", on: 1 }, inGroup("fine"), inGroup("not fine"));

  assert.equal(codeOf(() => members.heartbeat(beat, 0, 0)), "invalid_argument");
  assert.equal(members.size, 0);
});

test("Membership.heartbeat() admits groupMembersMax members to a group, and no more", () => {
  const members = new Membership<Consuming>();
  const beat = (number: number) =>
    members.heartbeat(beatOf({ id: `c${number}`, on: number }, inGroup("g")), 0, 0);
  for (let number = 1; number <= limits.groupMembersMax; number++) beat(number);

  assert.equal(codeOf(() => beat(limits.groupMembersMax + 1)), "limit_exceeded");
  assert.equal(codeOf(() => beat(1)), "none");
});
