import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../../src/base/log.ts";
import { Metrics } from "../../../src/base/metrics.ts";
import { type HttpApp, httpApp } from "../../../src/protocol/http/app.ts";
import { testSigner } from "../../support/http_app.ts";
import { type OneThreadBroker, withBroker } from "../../support/one_thread_broker.ts";
import { plainInfo } from "../../support/request_info.ts";

const group = "/v1/groups/billing";
const inTopic = "/v1/topics/orders/groups/billing";

test("5. a reset with dryRun answers its preview and changes nothing", () =>
  withHouse(async (house) => {
    await house.send("m1", "m2");
    await house.receive();

    const { json } = await house.ask(`POST ${group}/reset`, {
      topic: "orders",
      to: "earliest",
      dryRun: true,
    });

    const preview = [{ queueId: 0, fromOffset: 0, toOffset: 0, replayed: 2, skipped: 0 }];
    assert.deepEqual(json, { preview });
    assert.deepEqual(await house.receive(), []);
  }));

test("5. a reset is taken back once, and both are told", () =>
  withHouse(async (house) => {
    await house.send("m1");
    await house.ask(`POST ${group}/reset`, { topic: "orders", to: "earliest" });
    await house.ask(`POST ${group}/reset`, { topic: "orders", to: "latest" });

    const undone = await house.ask(`POST ${group}/reset/undo`, { topic: "orders" });
    const again = await house.ask(`POST ${group}/reset/undo`, { topic: "orders" });
    const { json } = await house.ask(`GET ${group}/events?topic=orders`);

    assert.equal(undone.json.places[0].committedOffset, 0);
    assert.deepEqual([again.status, again.json.code], [409, "conflict"]);
    const kinds = json.events.map((event: { kind: string; by: string }) => {
      return `${event.kind} by ${event.by}`;
    });
    assert.deepEqual(kinds, ["undo by http", "reset by http", "reset by http"]);
  }));

test("5. a clone stands where the other group is", () =>
  withHouse(async (house) => {
    await house.send("m1", "m2");
    const [first] = await house.receive(1);
    await house.ask(`POST ${inTopic}/ack`, { receipts: [first?.receipt] });
    await house.ask(`PATCH ${group}`, { attemptsMax: 5 });

    const { json } = await house.ask("POST /v1/groups/audit/clone", {
      from: "billing",
      topic: "orders",
    });

    assert.equal(json.places[0].committedOffset, 1);
    const unknown = { from: "biling", topic: "orders" };
    const refused = await house.ask("POST /v1/groups/audit/clone", unknown);
    assert.equal(refused.json.suggestion, "billing");
    const made = await house.ask("GET /v1/groups/audit");
    assert.equal(made.json.settings.attemptsMax, 5);
    const itself = await house.ask("POST /v1/groups/audit/clone", {
      from: "audit",
      topic: "orders",
    });
    assert.equal(itself.json.detail, "Cannot clone group audit from itself");
  }));

test("5. a parked key is listed, and settled once", () =>
  withHouse(async (house) => {
    await house.ask(`PATCH ${group}`, { ordered: true });
    await house.send("m1");
    await house.fail();

    const { json } = await house.ask(`GET ${inTopic}/parked-keys`);
    const place = { queueId: 0, offset: 0 };
    const parked = { ...place, key: "", messageId: "m1", attempts: 1, behind: 0 };
    assert.deepEqual(json, { parkedKeys: [parked] });
    const settled = await house.ask(`POST ${inTopic}/parked-keys/settle`, {
      ...place,
      action: "skip",
    });
    assert.deepEqual(settled.json, { parkedKeys: [] });
    const late = await house.ask(`POST ${inTopic}/parked-keys/settle`, {
      ...place,
      action: "skip",
    });
    assert.equal(late.status, 409);
  }));

test("5. dead letters are listed page by page, read, redriven and purged", () =>
  withHouse(async (house) => {
    await house.send("m1", "m2", "m3");
    await house.fail();

    const first = await house.ask(`GET ${group}/dead-letters?max=2`);
    const rest = await house.ask(`GET ${group}/dead-letters?after=${first.json.next}`);
    assert.deepEqual(ids(first.json).concat(ids(rest.json)), ["m1", "m2", "m3"]);
    assert.deepEqual([first.json.total, rest.json.next], [3, null]);

    const { json: letter } = await house.ask(`GET ${group}/dead-letters/m2`);
    assert.equal(letter.message.body, "m2");
    const story = [letter.originTopic, letter.originOffset, letter.reason, letter.attempts];
    assert.deepEqual(story, ["orders", 1, "attempts-exhausted", 1]);

    const begun = await house.ask(`POST ${group}/dead-letters/redrive`, { messageIds: ["m2"] });
    assert.deepEqual([begun.status, begun.json.state], [202, "running"]);
    await house.broker.pass(1_000);
    const { json: redrive } = await house.ask(`GET ${group}/redrives/${begun.json.id}`);
    assert.deepEqual([redrive.state, redrive.redriven], ["done", 1]);
    assert.deepEqual((await house.receive()).map(({ body }) => body), ["m2"]);

    const purged = await house.ask(`POST ${group}/dead-letters/purge`, { all: true });
    assert.deepEqual(purged.json, { purged: 2 });
    assert.equal((await house.ask(`GET ${group}/dead-letters`)).json.total, 0);
  }));

test("5. a redrive is stopped, and is listed with how far it came", () =>
  withHouse(async (house) => {
    await house.send("m1", "m2", "m3");
    await house.fail();
    const slowly = { all: true, perSecond: 1 };
    const { json } = await house.ask(`POST ${group}/dead-letters/redrive`, slowly);
    await house.broker.pass(500);

    const stopped = await house.ask(`DELETE ${group}/redrives/${json.id}`);

    assert.deepEqual([stopped.json.state, stopped.json.redriven], ["stopped", 1]);
    const list = await house.ask(`GET ${group}/redrives`);
    assert.equal(list.json.redrives[0].state, "stopped");
    assert.equal((await house.ask(`DELETE ${group}/redrives/nobody`)).status, 404);
  }));

test("5. dead letters are chosen in one way, and one that is not there is a 404", () =>
  withHouse(async (house) => {
    const none = await house.ask(`POST ${group}/dead-letters/redrive`, {});
    const both = await house.ask(`POST ${group}/dead-letters/purge`, { all: true, max: 1 });
    const absent = await house.ask(`GET ${group}/dead-letters/m9`);

    assert.deepEqual([none.status, both.status, absent.status], [400, 400, 404]);
  }));

test("5. a message is explained by its id and by its place", () =>
  withHouse(async (house) => {
    await house.send("m1");
    await house.receive();

    const byId = await house.ask("GET /v1/messages/m1/explain?group=billing");
    const place = "topic=orders&queueId=0&offset=0";
    const byPlace = await house.ask(`GET /v1/explain?group=billing&${place}`);

    assert.equal(byId.json.causes[0].cause, "leased");
    assert.equal(byId.json.causes[0].facts.holder, "c1");
    assert.deepEqual(byPlace.json, byId.json);
    const stranger = await house.ask("GET /v1/messages/m1/explain?group=nobody");
    assert.equal(stranger.json.causes[0].cause, "unknown-group");
  }));

type Received = { readonly body: string; readonly receipt: string };

/** The HTTP front over a whole broker in one thread. */
class House {
  readonly broker: OneThreadBroker;
  readonly #app: HttpApp;

  constructor(broker: OneThreadBroker) {
    this.broker = broker;
    this.#app = httpApp({
      broker: broker.door,
      clock: broker.timers.clock,
      metrics: new Metrics(),
      log: silentLog,
      version: "1.2.3",
      signer: testSigner,
      settings: {
        hostNames: null,
        nameServers: () => [],
        storeHost: { ip: "127.0.0.1", port: 9876 },
        queuesPerNewTopic: 1,
        heartbeatMs: 15_000,
        requestIdPrefix: "test",
      },
    });
  }

  async ask(line: string, body?: unknown) {
    const [method = "", path = ""] = line.split(" ");
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
    const request = new Request(`http://127.0.0.1${path}`, init);
    const answered = Promise.resolve(this.#app.fetch(request, plainInfo)).then(async (response) => {
      // deno-lint-ignore no-explicit-any -- tests reach into answers
      return { status: response.status, json: await response.json() as any };
    });
    return await this.#patiently(answered);
  }

  async send(...messageIds: readonly string[]): Promise<void> {
    const messages = messageIds.map((messageId) => ({ messageId, body: messageId, queueId: 0 }));
    await this.ask("POST /v1/topics/orders/messages", { messages });
  }

  async receive(max = 32): Promise<Received[]> {
    const { json } = await this.ask(`POST ${inTopic}/receive`, { clientId: "c1", max });
    return json.messages;
  }

  /** Every message is delivered once and given back; the next receive gives them up. */
  async fail(): Promise<void> {
    const receipts = (await this.receive()).map(({ receipt }) => receipt);
    await this.ask(`POST ${inTopic}/nack`, { receipts, delayMs: 0 });
    await this.receive();
  }

  /** Bodies are streams, and read in turns of the real event loop. */
  async #patiently<T>(asked: Promise<T>): Promise<T> {
    let isDone = false;
    const done = asked.finally(() => (isDone = true));
    while (!isDone) {
      await this.broker.settle();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return await done;
  }
}

async function withHouse(work: (house: House) => Promise<void>): Promise<void> {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 1 }));
    const settings = { attemptsMax: 1, retryDelaysMs: [0] };
    await broker.run(broker.door.createGroup("billing", settings));
    await work(new House(broker));
  });
}

function ids(page: { deadLetters: readonly { messageId: string }[] }): string[] {
  return page.deadLetters.map(({ messageId }) => messageId);
}
