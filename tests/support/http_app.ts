/** The HTTP app over a broker in memory, and short ways to ask it. @module */
import { createHmac } from "node:crypto";
import { ManualClock } from "../../src/base/clock.ts";
import { createLog, type LogRecord } from "../../src/base/log.ts";
import { Metrics } from "../../src/base/metrics.ts";
import { httpApp } from "../../src/protocol/http/app.ts";
import type { HttpApp } from "../../src/protocol/http/app.ts";
import { type HttpSettings, loopbackHostNames } from "../../src/protocol/http/exchange.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { MemoryBroker } from "./memory_broker.ts";
import { plainInfo } from "./request_info.ts";

/** A response whose JSON was read. Tests look into it freely. */
export type Asked = {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests reach into answers, and fail where they are not so
  readonly json: any;
};

/** Signs with a fixed secret. */
export const testSigner: Signer = {
  sign: mac,
  verify: (text, signature) => mac(text) === signature,
};

function mac(text: string): string {
  return createHmac("sha256", "test").update(text).digest("base64url").slice(0, 22);
}

/** One app of its own for a test. */
export class HttpHouse {
  readonly clock = new ManualClock();
  readonly broker = new MemoryBroker(this.clock);
  readonly metrics = new Metrics();
  readonly logged: LogRecord[] = [];
  readonly app: HttpApp;

  constructor(settings: Partial<HttpSettings> = {}) {
    this.app = httpApp({
      broker: this.broker,
      clock: this.clock,
      metrics: this.metrics,
      log: createLog({
        sink: (record) => this.logged.push(record),
        wallMs: () => this.clock.wallMs(),
        levelMin: "debug",
      }),
      version: "1.2.3",
      signer: testSigner,
      settings: {
        hostNames: loopbackHostNames,
        nameServers: () => ["10.0.0.1:9876", "10.0.0.2:9876"],
        storeHost: { ip: "127.0.0.1", port: 9876 },
        queuesPerNewTopic: 4,
        heartbeatMs: 15_000,
        requestIdPrefix: "test",
        ...settings,
      },
    });
  }

  /** The response as it is. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = path.startsWith("/") ? `http://127.0.0.1:8080${path}` : path;
    return await this.app.fetch(new Request(url, init), plainInfo);
  }

  /** `"POST /path"`, with a value as JSON. */
  async ask(line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Asked> {
    const [method = "", path = ""] = line.split(" ");
    const init = body === undefined ? { method, headers } : {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    };
    const response = await this.fetch(path, init as RequestInit);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    const json = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, json };
  }
}

/** The house with topic `orders` of two queues and group `billing`. */
export async function openHouse(settings: Partial<HttpSettings> = {}): Promise<HttpHouse> {
  const house = new HttpHouse(settings);
  await house.broker.createTopic("orders", { queues: 2 });
  await house.broker.createGroup("billing", {});
  return house;
}

/** The events of a stream, block by block. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(response: Response) {
    if (!response.body) throw new Error("the stream has no body");
    this.#reader = response.body.getReader();
  }

  /** The next block, without its empty line; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    while (!this.#text.includes("\n\n")) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += new TextDecoder().decode(value);
    }
    const end = this.#text.indexOf("\n\n");
    const block = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return block;
  }

  /** The next message: its id and its data. */
  // deno-lint-ignore no-explicit-any -- as above
  async message(): Promise<{ id: string; data: any }> {
    for (let block = await this.next(); block !== undefined; block = await this.next()) {
      const fields = new Map(
        block.split("\n").map((line) => {
          const at = line.indexOf(": ");
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
      const data = fields.get("data");
      if (data !== undefined && !fields.has("event")) {
        return { id: fields.get("id") ?? "", data: JSON.parse(data) };
      }
    }
    throw new Error("the stream ended before a message came");
  }

  /** Goes away, as a client does. */
  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}
