/** Every command of the program, in the order the help shows them. @module */
import { command, exitCodes, type Family, family } from "./command.ts";
import { benchFamily } from "./commands/bench.ts";
import { checkCommand, type Inspect } from "./commands/check.ts";
import { deadLetterFamily } from "./commands/dead_letter.ts";
import { groupFamily } from "./commands/group.ts";
import { type Import, importCommand } from "./commands/import.ts";
import { messageFamily } from "./commands/message.ts";
import { type ReadSettings, serveCommand } from "./commands/serve.ts";
import { timerFamily } from "./commands/timer.ts";
import { topicFamily } from "./commands/topic.ts";
import { transactionFamily } from "./commands/transaction.ts";
import { jsonLine } from "./output.ts";
import { version } from "./version.ts";

/** The parts that only one command needs, brought in when it runs. */
export type Loaders = {
  readonly readSettings: () => Promise<ReadSettings>;
  readonly inspect: () => Promise<Inspect>;
  readonly runImport: () => Promise<Import>;
};

/** The program. */
export function rootFamily(loaders: Loaders): Family {
  return family({
    name: "curlew",
    summary: "Curlew, a message broker for RocketMQ clients, HTTP and the shell",
    details: [
      "Commands ask the broker at http://127.0.0.1:8080, or at --url, or at " +
      "CURLEW_URL. They exit " +
      "with 0 when done, 1 when the broker refused, 2 when the command line is wrong, 3 when no " +
      "broker answered. --json prints JSON for programs.",
    ],
    examples: [
      { line: "curlew serve", says: "run a broker; then, in another shell:" },
      { line: "curlew topic create orders", says: "a topic" },
      { line: "curlew group create billing", says: "a group of consumers" },
      { line: "curlew message send -t orders 'hello'", says: "a message" },
      { line: "curlew message receive -t orders -g billing --ack", says: "and here it is" },
    ],
    members: [
      serveCommand(loaders.readSettings),
      topicFamily,
      groupFamily,
      messageFamily,
      deadLetterFamily,
      timerFamily,
      transactionFamily,
      importCommand(loaders.runImport),
      benchFamily,
      checkCommand(loaders.inspect),
      versionCommand,
    ],
  });
}

const versionCommand = command({
  name: "version",
  summary: "Print the version",
  options: { json: { kind: "flag", help: "JSON, with the runtime" } },
  examples: [{ line: "curlew version --json", says: "for programs" }],
  run: async ({ host, options }) => {
    const { runtime } = host.machine;
    const text = options.json
      ? jsonLine({ version, runtime })
      : `curlew ${version} on ${runtime}\n`;
    await host.out.write(text);
    return exitCodes.ok;
  },
});
