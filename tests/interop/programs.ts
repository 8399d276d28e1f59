/**
 * Which programs are run: each an official, unmodified client in a process of its own.
 *
 * @module
 */

/** The client libraries, as Maven profiles and as Node's. */
export type Client = "client-5" | "client-4" | "ali-ons";

/** One line of a program: which client, which main class, and what it is told. */
export type Step = {
  readonly client: Client;
  readonly main: string;
  readonly words: readonly string[];
  /** Headers in RocketMQ's binary form instead of JSON. */
  readonly isBinary: boolean;
};

/** Steps run one after the other; the first that fails fails the program. */
export type Program = {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Whether the broker makes topics for producers that ask; most programs do not care. */
  readonly autoCreate: boolean;
};

function step(client: Client, main: string, ...words: string[]): Step {
  return { client, main, words, isBinary: false };
}

function binary(client: Client, main: string, ...words: string[]): Step {
  return { client, main, words, isBinary: true };
}

function program(name: string, ...steps: Step[]): Program {
  return { name, steps, autoCreate: true };
}

/** What both generations of the Java client prove. */
const mainsOfBoth = [
  "SendKinds",
  "PushConcurrent",
  "PushBroadcast",
  "RetryToDlq",
  "Orderly",
  "LitePull",
  "Sql92",
  "Delays",
  "Transactions",
  "RequestReply",
  "Lookup",
  "Trace",
] as const;

/** Everything a broker must pass, the short ones first. */
export const programs: readonly Program[] = [
  ...mainsOfBoth.map((main) => program(`${main} client-5`, step("client-5", main))),
  ...mainsOfBoth.map((main) => program(`${main} client-4`, step("client-4", main))),
  program("Timers client-5", step("client-5", "v5.Timers")),
  program("SendKinds client-5 binary", binary("client-5", "SendKinds")),
  program("SendKinds client-4 binary", binary("client-4", "SendKinds")),
  program("PushConcurrent client-5 binary", binary("client-5", "PushConcurrent")),
  program(
    "OldNew client-4 to client-5",
    step("client-4", "OldNew", "--role", "send"),
    step("client-5", "OldNew", "--role", "receive"),
  ),
  program(
    "OldNew client-5 binary to client-4",
    binary("client-5", "OldNew", "--role", "send"),
    step("client-4", "OldNew", "--role", "receive"),
  ),
  program(
    "OldNew client-4 to client-5 binary",
    step("client-4", "OldNew", "--role", "send"),
    binary("client-5", "OldNew", "--role", "receive"),
  ),
  program("Tbw102 client-5 on", step("client-5", "Tbw102", "--auto-create", "on")),
  program("Tbw102 client-4 on", step("client-4", "Tbw102", "--auto-create", "on")),
  {
    name: "Tbw102 off",
    steps: [
      step("client-5", "Tbw102", "--auto-create", "off"),
      step("client-4", "Tbw102", "--auto-create", "off"),
    ],
    autoCreate: false,
  },
  program("AliOns", step("ali-ons", "node/ali_ons.mjs")),
];

/** What later parts of the broker must pass; run with `--later yes` until they exist. */
export const laterPrograms: readonly Program[] = [
  program("PopMode client-5", step("client-5", "v5.PopMode")),
  program("Admin client-5", step("client-5", "v5.Admin")),
];
