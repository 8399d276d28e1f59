import assert from "node:assert/strict";
import { test } from "node:test";
import { portPair, settle } from "../../tests/support/thread_ports.ts";
import { LinkClient } from "../link/client.ts";
import { type CoordinatorNews, coordinatorOperations } from "../link/coordinator_messages.ts";
import { LinkServer } from "../link/server.ts";
import { BrokerError } from "../model/errors.ts";
import { Members } from "./members.ts";

/** A coordinator that answers every group's ids from one list, when it is told to. */
class ScriptedCoordinator {
  ids: readonly string[] = ["a", "b"];
  asked = 0;
  fails = false;
  readonly members: Members;
  readonly #ports = portPair("on-demand");
  readonly #server: LinkServer<typeof coordinatorOperations>;

  constructor() {
    const [front, own] = this.#ports;
    this.#server = new LinkServer(coordinatorOperations, own, () => this.#turn());
    const heard = (news: unknown) => this.members.changed((news as { group: string }).group);
    this.members = new Members(new LinkClient(coordinatorOperations, front, 100, heard));
  }

  /** The members change, and the front is told with the next delivery. */
  change(ids: readonly string[]): void {
    this.ids = ids;
    this.#server.tell({ kind: "members", group: "g", connections: [] } satisfies CoordinatorNews);
    this.#server.post();
  }

  async run<T>(answer: Promise<T>): Promise<T> {
    await settle(...this.#ports);
    return await answer;
  }

  #turn(): void {
    for (const { name, id } of this.#server.take()) {
      assert.equal(name, "consumerIds");
      this.asked++;
      if (this.fails) this.#server.refuse(id, new BrokerError("too_busy", "not now"));
      else this.#server.answer("consumerIds", id, this.ids);
    }
    this.#server.post();
  }
}

test("Members.consumerIds() asks once for a crowd, and once until the group changes", async () => {
  const coordinator = new ScriptedCoordinator();
  const { members } = coordinator;
  const crowd = await coordinator.run(Promise.all([1, 2, 3].map(() => members.consumerIds("g"))));
  const later = await coordinator.run(members.consumerIds("g"));
  assert.deepEqual([crowd, later], [[["a", "b"], ["a", "b"], ["a", "b"]], ["a", "b"]]);
  assert.equal(coordinator.asked, 1);

  coordinator.change(["b"]);
  await coordinator.run(Promise.resolve());
  assert.deepEqual(await coordinator.run(members.consumerIds("g")), ["b"]);
  assert.equal(coordinator.asked, 2);
});

test("Members.consumerIds() does not keep an answer that a change overtook", async () => {
  const coordinator = new ScriptedCoordinator();
  const early = coordinator.members.consumerIds("g");
  coordinator.members.changed("g");
  assert.deepEqual(await coordinator.run(early), ["a", "b"]);

  coordinator.ids = ["c"];
  assert.deepEqual(await coordinator.run(coordinator.members.consumerIds("g")), ["c"]);
});

test("Members.consumerIds() keeps neither refusals nor groups without members", async () => {
  const coordinator = new ScriptedCoordinator();
  const { members } = coordinator;
  coordinator.fails = true;
  const refused = assert.rejects(members.consumerIds("g"), BrokerError);
  await coordinator.run(refused);

  coordinator.fails = false;
  coordinator.ids = [];
  assert.deepEqual(await coordinator.run(members.consumerIds("g")), []);
  coordinator.ids = ["a"];
  assert.deepEqual(await coordinator.run(members.consumerIds("g")), ["a"]);
  assert.equal(coordinator.asked, 3);
});
