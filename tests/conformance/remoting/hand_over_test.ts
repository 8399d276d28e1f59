/** Protocol 7.1, 7.2 and 9: the queues of a group go over when a member leaves or joins. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { allocateQueues } from "../../../src/protocol/remoting/allocate_queues.ts";
import { inWorld, type WholeClient, type WholeWorld } from "./whole_world.ts";

/** Of topic `orders`. */
const queueCount = 4;
/** How long a hand-over may take. Clients that are not told look every 20 s by themselves. */
const handOverMsMax = 5_000;

/** A consumer that shares the queues as Java's does: when it begins, and when it is told to. */
class Member {
  readonly client: WholeClient;
  readonly clientId: string;
  owned: readonly number[] = [];
  #heard = 0;

  constructor(client: WholeClient, clientId: string) {
    this.client = client;
    this.clientId = clientId;
  }

  async join(): Promise<void> {
    const subscriptionDataSet = [{ topic: "orders", subString: "*", subVersion: 1 }];
    const consumerDataSet = [{ groupName: "readers", subscriptionDataSet }];
    const body = utf8(JSON.stringify({ clientID: this.clientId, consumerDataSet }));
    assert.equal((await this.client.call(34, {}, { body })).code, 0);
  }

  /** Asks who is there, if it was told since that this changed. */
  async rebalance(): Promise<void> {
    const told = this.client.asked(40);
    if (told.length === this.#heard) return;
    this.#heard = told.length;
    assert.equal(told.at(-1)?.extFields["consumerGroup"], "readers");
    const answer = await this.client.call(38, { consumerGroup: "readers" });
    const { consumerIdList } = JSON.parse(textOf(answer.body));
    this.owned = allocateQueues("AVG", queueCount, consumerIdList, this.clientId);
  }
}

/** Lets every member act on what it was told, which takes no time. Answers who owns what. */
async function shared(world: WholeWorld, members: readonly Member[]): Promise<string> {
  const beganMs = world.nowMs;
  await world.house.settle();
  for (const member of members) await member.rebalance();
  assert.ok(world.nowMs - beganMs < handOverMsMax, `it took ${world.nowMs - beganMs} ms`);
  return members.map(({ clientId, owned }) => `${clientId}: ${owned.join(" ")}`).join("; ");
}

async function twoMembers(world: WholeWorld): Promise<readonly [Member, Member]> {
  const members = [new Member(world.connect(), "a"), new Member(world.connect(), "b")] as const;
  for (const member of members) await member.join();
  return members;
}

test("9 codes 34, 38 and 40: a member that joins takes its share at once", async () => {
  await inWorld(async (world) => {
    const first = new Member(world.connect(), "a");
    await first.join();
    assert.equal(await shared(world, [first]), "a: 0 1 2 3");

    const second = new Member(world.connect(), "b");
    await second.join();

    assert.equal(await shared(world, [first, second]), "a: 0 1; b: 2 3");
  });
});

test("9 codes 35, 38 and 40: what a member had that leaves goes over at once", async () => {
  await inWorld(async (world) => {
    const [first, second] = await twoMembers(world);
    assert.equal(await shared(world, [first, second]), "a: 0 1; b: 2 3");

    await second.client.call(35, { clientID: "b", consumerGroup: "readers" });

    assert.equal(await shared(world, [first]), "a: 0 1 2 3");
  });
});

test("9 codes 38 and 40: what a member had whose connection is lost goes over", async () => {
  await inWorld(async (world) => {
    const [first, second] = await twoMembers(world);
    assert.equal(await shared(world, [first, second]), "a: 0 1; b: 2 3");

    second.client.connection.destroy();

    assert.equal(await shared(world, [first]), "a: 0 1 2 3");
  });
});

test("9 codes 38 and 40: a member that is gone without a word leaves in 120 s", async () => {
  await inWorld(async (world) => {
    const [first, second] = await twoMembers(world);
    await shared(world, [first, second]);
    for (let passedMs = 0; passedMs < 120_000; passedMs += 30_000) {
      await first.join();
      await world.house.pass(30_000);
    }

    assert.equal(await shared(world, [first]), "a: 0 1 2 3");
  });
});
