/**
 * The broker under test: Curlew as a child process, or one that runs elsewhere.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startBroker } from "../support/broker_process.ts";

/** What programs of every kind need to be switched on. */
const alwaysOn = ["--trace-topic", "true"];

/** Where programs find the broker. `http` is absent for a broker that has no such front. */
export type Broker = {
  readonly nameServer: string;
  readonly http?: string;
  stop(): Promise<void>;
};

/** A broker somebody else started, and will stop. */
export function outsideBroker(nameServer: string): Broker {
  return { nameServer, stop: () => Promise.resolve() };
}

/** Starts Curlew on free ports in an empty directory. What it complained of is shown at the end. */
export async function startCurlew(settings: readonly string[]): Promise<Broker> {
  const data = await mkdtemp(join(tmpdir(), "curlew-interop-"));
  const clear = () => rm(data, { recursive: true, force: true });
  try {
    const broker = await startBroker({ data, settings: [...alwaysOn, ...settings] });
    return {
      nameServer: `127.0.0.1:${broker.remotingPort}`,
      http: broker.http,
      stop: async () => {
        await broker.stop();
        process.stderr.write(complaintsOf(broker.log()));
        await clear();
      },
    };
  } catch (thrown) {
    await clear();
    throw thrown;
  }
}

function complaintsOf(log: string): string {
  return log.split("\n").filter((line) => /"level":"(warn|error)"/.test(line)).map((line) =>
    `${line}\n`
  ).join("");
}
