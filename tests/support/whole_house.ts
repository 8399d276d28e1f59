/**
 * The HTTP app over a whole broker in one thread: for routes whose answers the shards decide.
 *
 * @module
 */
import { silentLog } from "../../src/base/log.ts";
import { Metrics } from "../../src/base/metrics.ts";
import { type HttpApp, httpApp } from "../../src/protocol/http/app.ts";
import { loopbackHostNames } from "../../src/protocol/http/exchange.ts";
import { type Asked, testSigner } from "./http_app.ts";
import { OneThreadBroker, type OneThreadOptions } from "./one_thread_broker.ts";
import { plainInfo } from "./request_info.ts";

/** A broker, and its HTTP interface. */
export class WholeHouse {
  readonly broker: OneThreadBroker;

  constructor(options: OneThreadOptions = {}) {
    this.broker = new OneThreadBroker(options);
  }

  /** `"POST /path"`, with a value as JSON. Waits for the answer while no time passes. */
  async ask(line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Asked> {
    const question = this.begin(line, body, headers);
    let answered = false;
    const done = () => (answered = true);
    question.then(done, done);
    while (!answered) await this.settle();
    return await question;
  }

  /** Asks, and does not wait: the answer may need time to pass. */
  async begin(
    line: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Asked> {
    const [method = "", path = ""] = line.split(" ");
    const init = body === undefined ? { method, headers } : {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    };
    const request = new Request(`http://127.0.0.1:8080${path}`, init);
    const response = await this.#app().fetch(request, plainInfo);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    const json = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, json };
  }

  /** Lets everything happen that needs no time, the reading of bodies included. */
  async settle(): Promise<void> {
    await this.broker.settle();
    await nextTurn();
  }

  /** Moves time on. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    await this.broker.pass(ms);
    await this.settle();
  }

  /** The door of the process that runs now: made anew for each question, as restarts change it. */
  #app(): HttpApp {
    const { door: broker, timers } = this.broker;
    return httpApp({
      broker,
      clock: timers.clock,
      metrics: new Metrics(),
      log: silentLog,
      version: "1.2.3",
      signer: testSigner,
      settings: {
        hostNames: loopbackHostNames,
        nameServers: () => [],
        storeHost: { ip: "127.0.0.1", port: 9876 },
        queuesPerNewTopic: 4,
        heartbeatMs: 15_000,
        requestIdPrefix: "test",
      },
    });
  }
}

/** Runs `work` in a house of its own with topic `orders` of four queues. */
export async function withHouse(
  work: (house: WholeHouse) => Promise<void>,
  options: OneThreadOptions = { shards: 2 },
): Promise<void> {
  const house = new WholeHouse(options);
  try {
    await house.broker.start();
    await house.broker.run(house.broker.door.createTopic("orders", { queues: 4 }));
    await work(house);
  } finally {
    await house.broker.remove();
  }
}

/** A turn of the event loop: what the runtime does by itself has happened by then. */
async function nextTurn(): Promise<void> {
  await new Blob(["turn"]).text();
}
