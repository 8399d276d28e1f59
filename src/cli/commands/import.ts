/** `curlew import`: topics, messages, groups and places of another cluster, copied. @module */
import { limits } from "../../base/limits.ts";
import { apiOptions } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode } from "../command.ts";

/** The options of the command. */
export const importOptions = {
  ...apiOptions,
  preview: { kind: "flag", help: "write nothing; show what would be copied, what not and why" },
  topics: { kind: "list", value: "NAMES", help: "only these, as a,b or a* ; all unless given" },
  groups: { kind: "list", value: "NAMES", help: "only these; all unless given" },
  deadLetters: { kind: "flag", help: "copy the groups' dead letters too" },
  append: { kind: "flag", help: "copy behind what the target's topics of the same names hold" },
  rate: { kind: "count", value: "N", min: 1, help: "at most so many messages a second" },
  jobs: {
    kind: "count",
    value: "N",
    fallback: 4,
    min: 1,
    max: limits.importJobsMax,
    help: "queues at once",
  },
  verify: {
    kind: "text",
    value: "HOW",
    choices: ["counts", "contents"],
    fallback: "counts",
    help: "look at the ends of the target's queues, or read all back",
  },
  work: {
    kind: "text",
    value: "DIR",
    fallback: "curlew-import",
    help: "the folder of the state and the report; with it a later run goes on",
  },
  target: {
    kind: "text",
    value: "HOST:PORT",
    help: "the target's remoting listener, if not what its HTTP address says",
  },
  tls: {
    kind: "text",
    value: "TRUST",
    help: "speak TLS with the source, and trust a PEM file, the `system` or `any` certificate",
  },
  accessKey: {
    kind: "text",
    value: "KEY",
    help: "the source's access key; its secret is in CURLEW_IMPORT_SECRET",
  },
} as const;

/** Does it. @throws {Error} It cannot begin; the rest is told in the report. */
export type Import = (call: Call<typeof importOptions>) => Promise<ExitCode>;

/** The command. `load` brings what only it needs. */
export function importCommand(load: () => Promise<Import>): Command {
  return command({
    name: "import",
    summary: "Copy topics, messages, groups and their places from a RocketMQ cluster",
    details: [
      "The source, Apache RocketMQ or another Curlew, is only read, over RocketMQ's protocol. " +
      "Bodies, tags, keys, properties, born times, queue numbers and the order in each queue are " +
      "kept; the places of groups are translated.",
      "Interrupted or killed, the same command goes on, and copies no message twice. Run again " +
      "later, it copies what came since. Exits with 0 when all was copied, with 1 when something " +
      "could not be.",
    ],
    args: [{ name: "SOURCE", help: "rocketmq://HOST:9876, the name server", required: true }],
    options: importOptions,
    examples: [
      { line: "curlew import rocketmq://10.0.0.5:9876 --preview", says: "look first" },
      { line: "curlew import rocketmq://10.0.0.5:9876", says: "copy everything" },
      {
        line: "curlew import rocketmq://10.0.0.5:9876 --topics orders,invoices* --rate 5000",
        says: "some topics, and the groups that read them, slowly",
      },
      { line: "curlew import rocketmq://10.0.0.5:9876 --tls ca.pem", says: "a source behind TLS" },
    ],
    run: async (call) => await (await load())(call),
  });
}
