/**
 * Which programs are run: each an official, unmodified client in a process of its own.
 *
 * @module
 */

/** The client libraries: Maven profiles (`example` is RocketMQ's benchmarks), Node's and Go's. */
export type Client = "client-5" | "client-4" | "example" | "ali-ons" | "client-go";

/** One line of a program: which client, which main class, and what it is told. */
export type Step = {
  readonly client: Client;
  readonly main: string;
  readonly words: readonly string[];
  /** Java's system properties. `{http}` stands for the host and port of the HTTP front. */
  readonly properties: readonly string[];
  /** After how many reports a program without an end of its own is ended. */
  readonly reports?: number;
};

/** Steps run one after the other; the first that fails fails the program. */
export type Program = {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Whether the broker makes topics for producers that ask; most programs do not care. */
  readonly autoCreate: boolean;
  /** The steps run at the same time instead. */
  readonly together?: boolean;
  /** Why its clients write warnings, for a program that gives them reason to. */
  readonly complains?: string;
  /** It takes long, and is run when `--only` names it. */
  readonly onlyByName?: boolean;
};

/** Headers in RocketMQ's binary form instead of JSON. */
const binaryHeaders = "rocketmq.serialize.type=ROCKETMQ";
/** TLS on the port of plain clients; any certificate is trusted, as clients do for tests. */
const overTls = "tls.enable=true";
/** Name servers are looked up. */
const addressServer = "rocketmq.namesrv.domain={http}";

function step(client: Client, main: string, ...words: string[]): Step {
  return { client, main, words, properties: [] };
}

function binary(client: Client, main: string, ...words: string[]): Step {
  return { client, main, words, properties: [binaryHeaders] };
}

function having(property: string, client: Client, main: string): Step {
  return { client, main, words: [], properties: [property] };
}

function program(name: string, ...steps: Step[]): Program {
  const complains = steps.map((step) => complaining[step.main.replace(/^v5\./, "")]).find(Boolean);
  return { name, steps, autoCreate: true, ...(complains && { complains }) };
}

/** Measured, not asserted: what an orderly group's members wait for is their own. */
function handOverInOrder(client: Client): Program {
  const name = `HandOver in order ${client}`;
  return { ...program(name, step(client, "HandOver", "--ordered", "yes")), onlyByName: true };
}

/** Programs that give their clients reason to write warnings. */
const complaining: Readonly<Record<string, string>> = {
  Sql92: "it starts a member with an expression that is refused",
  Lookup: "it asks for what is not there",
  Tbw102: "it sends to topics that are not there",
  Timers: "it recalls what is not there",
  RequestReply: "it waits for a reply that does not come",
  Admin: "tools ask for what is not there before they make it",
  MqAdmin: "tools ask for what is not there before they make it",
  Dashboard: "tools ask for what is not there before they make it",
  TransactionHandover: "it ends without closing what it opened",
};

function benchmark(main: string, words: string, reports?: number): Step {
  const all = ["-t", "{topic}", ...words.split(" ").filter(Boolean)];
  return { client: "example", main, words: all, properties: [], ...(reports && { reports }) };
}

/** The first report comes after ten seconds, the others second by second. */
const reports = 5;
/** Of the timers' programs every report takes ten seconds, and what they send takes two minutes. */
const reportsOfTimers = 14;
const timers = "-tc 4 -ms 256 -st 20 -mt 200";

/**
 * RocketMQ's own benchmarks. Without `-y`, the asynchronous mode of `Producer`: it takes whatever
 * memory and time its machine has, 65,535 sends under way, and counts as failed what its own client
 * did not come round to within 3 s. Most sends fail so on two cores, at Apache RocketMQ too.
 */
const benchmarks: readonly Program[] = [
  program(
    "Benchmark Producer",
    benchmark("Producer", "-s 256 -w 16 -k true -l 3 -q 8000 -ri 1000"),
    benchmark("Producer", "-s 8192 -w 8 -c true -ct ZSTD -q 1000 -ri 1000"),
    benchmark("Producer", "-s 256 -w 8 -d true -e 1 -m true -q 1000 -ri 1000"),
  ),
  {
    ...program(
      "Benchmark BatchProducer and Consumer",
      benchmark("BatchProducer", "-s 256 -w 4 -b 16 -k true -l 3 -ri 1000", reports),
      benchmark("Consumer", "-g benchmark_all -ri 1000", reports),
      benchmark("Consumer", "-g benchmark_tag -f TAG -e {filters}/tags.txt -ri 1000", reports),
      benchmark("Consumer", "-g benchmark_sql -f SQL92 -e {filters}/sql92.txt -ri 1000", reports),
    ),
    together: true,
  },
  {
    ...program(
      "Benchmark TransactionProducer and Consumer",
      benchmark("TransactionProducer", "-s 256 -w 8 -i 10 -su 0.05 -cu 0.3 -ri 1000", reports),
      benchmark("Consumer", "-g benchmark_transactions -ri 1000", reports),
    ),
    together: true,
  },
  program("Benchmark TimerProducer", benchmark("timer.TimerProducer", timers, 1)),
  {
    ...program(
      "Benchmark TimerConsumer",
      benchmark("timer.TimerProducer", timers, reportsOfTimers),
      benchmark("timer.TimerConsumer", "", reportsOfTimers),
    ),
    together: true,
    onlyByName: true,
  },
];

/** What both generations of the Java client prove. */
const mainsOfBoth = [
  "SendKinds",
  "PushConcurrent",
  "HandOver",
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

/** What the Go client proves. */
const mainsOfGo = [
  "GoSends",
  "GoBroadcast",
  "GoShared",
  "GoOrderly",
  "GoSql92",
  "GoPull",
  "GoRetryToDlq",
  "GoLookup",
] as const;

/** Everything a broker must pass, the short ones first. */
export const programs: readonly Program[] = [
  ...mainsOfBoth.map((main) => program(`${main} client-5`, step("client-5", main))),
  ...mainsOfBoth.map((main) => program(`${main} client-4`, step("client-4", main))),
  program(
    "TransactionHandover client-4 to client-5",
    step("client-4", "TransactionHandover", "--role", "begin"),
    step("client-5", "TransactionHandover", "--role", "decide"),
  ),
  program(
    "TransactionHandover client-5 to client-4",
    step("client-5", "TransactionHandover", "--role", "begin"),
    step("client-4", "TransactionHandover", "--role", "decide"),
  ),
  handOverInOrder("client-5"),
  handOverInOrder("client-4"),
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
    complains: "it sends to topics that are not there",
  },
  program("GoDelays", step("client-go", "GoDelays")),
  program("GoTransactions", step("client-go", "GoTransactions")),
  program("MqAdmin client-5", step("client-5", "v5.MqAdmin")),
  program("Dashboard client-5", step("client-5", "v5.Dashboard")),
  program("PopMode client-5", step("client-5", "v5.PopMode")),
  program("PopOrderly client-5", step("client-5", "v5.PopOrderly")),
  program("Admin client-5", step("client-5", "v5.Admin")),
  program("AliOns", step("ali-ons", "node/ali_ons.mjs")),
  program("AliOns address server", step("ali-ons", "node/ali_ons.mjs", "--ons-addr", "{http}")),
  program("SendKinds client-5 TLS", having(overTls, "client-5", "SendKinds")),
  program("SendKinds client-4 TLS", having(overTls, "client-4", "SendKinds")),
  program("PushConcurrent client-5 TLS", having(overTls, "client-5", "PushConcurrent")),
  program("AddressServer client-5", having(addressServer, "client-5", "AddressServer")),
  program("AddressServer client-4", having(addressServer, "client-4", "AddressServer")),
  ...mainsOfGo.map((main) => program(main, step("client-go", main))),
  ...benchmarks,
];
