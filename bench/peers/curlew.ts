/**
 * Curlew as a peer: every acknowledgement comes after the fsync of the commit that holds the
 * message, which is what it does when nothing is set.
 *
 * @module
 */
import process from "node:process";
import { runChild } from "../../tests/interop/children.ts";
import { onDeno, startBroker } from "../../tests/support/broker_process.ts";
import { isBun, type Peer } from "./peer.ts";

const fetchTimeoutMs = 180_000;

type Runtime = "deno" | "bun";
const versions: Readonly<Record<Runtime, string>> = { deno: "2.9.6", bun: "1.4.5" };

/** Curlew on one of its two runtimes; the one that does not run this program is fetched by npx. */
export function curlewPeer(runtime: Runtime): Peer {
  const name = `Curlew on ${runtime === "bun" ? "Bun" : "Deno"}`;
  let path = (runtime === "bun") === isBun ? process.execPath : "";
  return {
    name,
    answers: "after fsync",
    speaks: "remoting",
    missing: async () => {
      if (path !== "") return undefined;
      const found = await findRuntime(runtime);
      if ("path" in found) path = found.path;
      return "path" in found ? undefined : found.missing;
    },
    start: async (data) => {
      const broker = await startBroker({ data, ...commandOf(runtime, path) });
      return {
        nameServer: `127.0.0.1:${broker.remotingPort}`,
        address: { host: "127.0.0.1", port: broker.remotingPort },
        stop: async () => void await broker.stop(),
      };
    },
  };
}

/** On Deno with all that the project's own task has. */
function commandOf(runtime: Runtime, path: string) {
  return runtime === "bun" ? { command: [path, "run", "src/cli/main.ts"] } : onDeno(path);
}

/** Its own path, so that it is our child and takes our signals: npx would stand between us. */
async function findRuntime(runtime: Runtime): Promise<{ path: string } | { missing: string }> {
  const ask = runtime === "deno"
    ? ["eval", "console.log(Deno.execPath())"]
    : ["-e", "console.log(process.execPath)"];
  const words = ["-y", `${runtime}@${versions[runtime]}`, ...ask];
  const end = await runChild({ command: "npx", words, cwd: ".", timeoutMs: fetchTimeoutMs });
  const path = end.output.trim().split("\n").at(-1) ?? "";
  return end.status === 0 ? { path } : { missing: `${runtime} is absent: ${end.output}` };
}
