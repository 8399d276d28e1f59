/**
 * Somebody who behaves, beside those who do not: sends one after the other, over both protocols.
 *
 * @module
 */
import { ask } from "../support/broker_api.ts";
import { pause } from "../support/until.ts";
import { RemotingClient } from "../chaos/remoting_client.ts";
import { percentile } from "../chaos/report.ts";

const betweenMs = 5;

/** Runs until it is stopped. Any failure is one too many. */
export class HealthyClient {
  readonly #tookMs: number[] = [];
  readonly #failures: string[] = [];
  readonly #tasks: Promise<void>[];
  #stopping = false;

  constructor(http: string, remotingPort: number, topic: string) {
    this.#tasks = [this.#overHttp(http, topic), this.#overRemoting(remotingPort, topic)];
  }

  /** Ends it. Answers its figures. @throws {Error} One of its sends failed. */
  async stop(): Promise<string> {
    this.#stopping = true;
    await Promise.all(this.#tasks);
    if (this.#failures.length > 0) throw new Error(`a healthy client failed: ${this.#failures[0]}`);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(this.#tookMs, share).toFixed(1));
    return `${this.#tookMs.length} healthy sends, p50 ${p50} ms, p99 ${p99} ms`;
  }

  async #overHttp(http: string, topic: string): Promise<void> {
    await this.#repeat(async () => {
      const { status, json } = await ask(http, `POST /v1/topics/${topic}/messages`, {
        body: "well",
      });
      if (status >= 300) throw new Error(JSON.stringify(json));
    });
  }

  async #overRemoting(port: number, topic: string): Promise<void> {
    const client = await RemotingClient.connect(port);
    await this.#repeat(async () => {
      const { code, remark } = await client.send(topic, 0, "well");
      if (code !== 0) throw new Error(`${code} ${remark}`);
    });
    client.close();
  }

  async #repeat(send: () => Promise<void>): Promise<void> {
    while (!this.#stopping && this.#failures.length === 0) {
      const beganMs = performance.now();
      try {
        await send();
        this.#tookMs.push(performance.now() - beganMs);
      } catch (thrown) {
        this.#failures.push(String(thrown));
      }
      await pause(betweenMs);
    }
  }
}
