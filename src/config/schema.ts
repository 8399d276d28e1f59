/**
 * Every setting, in one table. What a setting is called in each place, what it may be and what it
 * means stands in its row; reading, help and documentation are made from the rows.
 *
 *     row `httpPort`  →  flag --http-port, environment CURLEW_HTTP_PORT, file http_port
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { logLevels } from "../base/log.ts";

/** A host and a port, as `host:port` is written. */
export type HostAndPort = { readonly host: string; readonly port: number };

/** What the launcher knows of the machine, for defaults that depend on it. */
export type HostFacts = { readonly cores: number };

/** The kinds of value, and what each is once read. */
type Kinds = {
  text: string;
  count: number;
  durationMs: number;
  bytes: number;
  bool: boolean;
  address: HostAndPort;
};

type SettingRow<K extends keyof Kinds = keyof Kinds> = {
  readonly kind: K;
  /** `null`: not set, which the sentence explains. A function is asked once, at start. */
  readonly default: Kinds[K] | null | ((facts: HostFacts) => Kinds[K]);
  /** What it does, in one sentence, with what `null` means. */
  readonly sentence: string;
  /** When a change takes effect. `creation`: for what is created afterwards. */
  readonly effect: "start" | "creation";
  /** Numbers: the smallest and the largest allowed. */
  readonly min?: number;
  readonly max?: number;
  /** Texts: all that is allowed. */
  readonly choices?: readonly string[];
  /** Texts: what an allowed one looks like, and how to say so. */
  readonly pattern?: { readonly of: RegExp; readonly says: string };
  /** A value that no message repeats, right or wrong. */
  readonly secret?: true;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const mib = 1024 * 1024;
const portMax = 65_535;

/** A path or an address: anything that is not empty, and holds no control character. */
const line = { of: /^[^\p{Cc}]+$/u, says: "a line of text" };
const name = {
  of: /^[\w.-]{1,100}$/,
  says: "up to 100 letters, digits, dots, dashes, underscores",
};

/** Beyond four shards on one disk the commits wait for each other, not for the processor. */
function shardsFor({ cores }: HostFacts): number {
  return Math.min(4, Math.max(1, cores - 1));
}

/** The settings. */
export const settingsTable = {
  data: {
    kind: "text",
    default: "./data",
    pattern: line,
    effect: "start",
    sentence: "The data directory: everything the broker keeps is below it",
  },
  host: {
    kind: "text",
    default: "127.0.0.1",
    pattern: line,
    effect: "start",
    sentence:
      "The address all listeners are bound to: loopback, unless others may reach the broker",
  },
  httpPort: {
    kind: "count",
    default: 8080,
    min: 0,
    max: portMax,
    effect: "start",
    sentence: "Port of the HTTP interface; 0 takes any free one",
  },
  remotingPort: {
    kind: "count",
    default: 9876,
    min: 0,
    max: portMax,
    effect: "start",
    sentence: "Port for RocketMQ clients, name server and broker in one; 0 takes any free one",
  },
  shards: {
    kind: "count",
    default: shardsFor,
    min: 1,
    max: limits.shardsMax,
    effect: "start",
    sentence: "Logs that are written side by side, each by a thread of its own; may only grow",
  },
  config: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "The settings file; without it, curlew.toml in the working directory if there is one",
  },
  autoCreateTopics: {
    kind: "bool",
    default: false,
    effect: "start",
    sentence: "Create a topic when the first message for it arrives",
  },
  autoCreateGroups: {
    kind: "bool",
    default: true,
    effect: "start",
    sentence: "Create a consumer group when its first member arrives",
  },
  advertise: {
    kind: "address",
    default: null,
    effect: "start",
    sentence: "The host:port that clients are told; without it, the address they dialled",
  },
  advertiseNetworks: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "Which clients are told another host:port, as network=host:port, parted by commas; " +
      "the first network that holds the client counts, before advertise",
  },
  remotingAlso: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "More addresses for RocketMQ clients, as host:port, parted by commas",
  },
  vipChannel: {
    kind: "bool",
    default: true,
    effect: "start",
    sentence: "Listen two ports below as well, where rocketmq-dashboard and old clients dial",
  },
  proxyProtocolFrom: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "Proxies that tell who dialled them by a PROXY header, as addresses or networks, " +
      "parted by commas; without it, none are believed",
  },
  tlsMode: {
    kind: "text",
    default: "permissive",
    choices: ["disabled", "permissive", "enforcing"],
    effect: "start",
    sentence: "Whether RocketMQ clients may, or must, speak TLS on the remoting port",
  },
  tlsCertFile: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "The certificate, as PEM, read again when it changes; without it, a self-signed one",
  },
  tlsKeyFile: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "The certificate's key, as PEM; both files are given, or none",
  },
  tlsHttp: {
    kind: "bool",
    default: false,
    effect: "start",
    sentence: "Speak HTTPS instead of HTTP, with the certificate there is at start",
  },
  clusterName: {
    kind: "text",
    default: "DefaultCluster",
    pattern: name,
    effect: "start",
    sentence: "The cluster's name in route replies",
  },
  brokerName: {
    kind: "text",
    default: "broker-a",
    pattern: name,
    effect: "start",
    sentence:
      "The broker's name in route replies; clients keep it beside offsets, so do not change it",
  },
  defaultQueues: {
    kind: "count",
    default: 4,
    min: 1,
    max: limits.queuesPerTopicMax,
    effect: "creation",
    sentence: "Queues of a topic that is created without saying how many",
  },
  defaultDurability: {
    kind: "text",
    default: "power-loss",
    choices: ["power-loss", "process-crash"],
    effect: "creation",
    sentence: "What an acknowledged message survives, for topics that do not say",
  },
  retentionMs: {
    kind: "durationMs",
    default: 72 * hourMs,
    min: limits.retentionMsMin,
    max: limits.retentionMsMax,
    effect: "creation",
    sentence: "How long messages are kept, for topics that do not say",
  },
  retentionBytes: {
    kind: "bytes",
    default: null,
    min: mib,
    max: limits.retentionBytesMax,
    effect: "creation",
    sentence:
      "How many bytes a topic keeps, for topics that do not say; without it, only time counts",
  },
  dedupeWindowMs: {
    kind: "durationMs",
    default: 10 * minuteMs,
    min: 0,
    max: limits.dedupeWindowMsMax,
    effect: "start",
    sentence: "For how long a message sent again with the same id is recognised; 0: never",
  },
  delayMsMax: {
    kind: "durationMs",
    default: 40 * 24 * hourMs,
    min: 1000,
    max: limits.delayMsMax,
    effect: "start",
    sentence: "How far ahead a message may be delivered",
  },
  transactionFirstCheckMs: {
    kind: "durationMs",
    default: 6000,
    min: limits.transactionCheckMsMin,
    max: limits.immunityMsMax,
    effect: "start",
    sentence: "How long a transaction may be undecided before its producer is asked",
  },
  transactionCheckIntervalMs: {
    kind: "durationMs",
    default: 30_000,
    min: limits.transactionCheckMsMin,
    max: limits.immunityMsMax,
    effect: "start",
    sentence: "How long after each question a producer is asked again",
  },
  transactionChecksMax: {
    kind: "count",
    default: 15,
    min: 1,
    max: limits.transactionChecksMax,
    effect: "start",
    sentence: "How often a producer is asked before its transaction waits for an operator",
  },
  webhookHosts: {
    kind: "text",
    default: null,
    pattern: line,
    effect: "start",
    sentence: "Hosts that may be asked by webhook, as host or host:port, parted by commas; " +
      "without it, none",
  },
  webhookSecret: {
    kind: "text",
    default: null,
    pattern: { of: /^[\x21-\x7e]{16,200}$/, says: "16 to 200 printable characters, no blanks" },
    secret: true,
    effect: "start",
    sentence: "Signs webhooks, so that whoever is asked knows who asks; without it, none are sent",
  },
  logLevel: {
    kind: "text",
    default: "info",
    choices: logLevels,
    effect: "start",
    sentence: "The quietest level that is logged",
  },
  diskReserveBytes: {
    kind: "bytes",
    default: 64 * mib,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    effect: "start",
    sentence: "Free disk below which sends are refused, so that reading and deleting still work",
  },
  acceptDamage: {
    kind: "bool",
    default: false,
    effect: "start",
    sentence: "Serve what is left when stored messages are missing or damaged, instead of refusing",
  },
  traceTopic: {
    kind: "bool",
    default: false,
    effect: "start",
    sentence: "Offer RocketMQ's trace topic, to which clients send what they did",
  },
} as const satisfies Readonly<Record<string, SettingRow>>;

/** The name of a setting, as the code knows it. */
export type SettingName = keyof typeof settingsTable;

// From the row to the type: the choices, if it names some; else what its kind says; null if it may
// be.
type ValueOf<R> = R extends { readonly choices: readonly (infer C)[] } ? C
  : R extends { readonly kind: infer K extends keyof Kinds } ?
      | Kinds[K]
      | (R extends { readonly default: null } ? null : never)
  : never;

/** The settings as the broker is given them: every one has a value, or is `null` on purpose. */
export type Settings = { readonly [N in SettingName]: ValueOf<(typeof settingsTable)[N]> };

/** The names, in the order of the table. */
export const settingNames = Object.keys(settingsTable) as readonly SettingName[];

/** A row, without the exact types of this table. */
export function rowOf(name: SettingName): SettingRow {
  return settingsTable[name];
}

/** `httpPort` → `--http-port`. */
export function flagOf(name: SettingName): string {
  return `--${spell(name, "-")}`;
}

/** `httpPort` → `CURLEW_HTTP_PORT`. */
export function variableOf(name: SettingName): string {
  return `CURLEW_${spell(name, "_").toUpperCase()}`;
}

/** `httpPort` → `http_port`. */
export function fileKeyOf(name: SettingName): string {
  return spell(name, "_");
}

function spell(name: string, between: string): string {
  return name.replace(/[A-Z]/g, (letter) => between + letter.toLowerCase());
}
