/**
 * `curlew serve`: the broker itself.
 *
 *     settings ──faults──▶ all told, exit 2
 *        └▶ start ──fails──▶ told, exit 1
 *             └▶ ready line ▶ serving ──signal──▶ stop ▶ exit 0
 *                               └──a part failed──▶ stop ▶ exit 1
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { createLog, jsonLine as logLine, type Log, type LogLevel } from "../../base/log.ts";
import { flagOf, rowOf, settingNames } from "../../config/schema.ts";
import { BrokerError } from "../../model/errors.ts";
import type { Host } from "../../ports/host.ts";
import {
  type Call,
  type Command,
  command,
  type ExitCode,
  exitCodes,
  type OptionTable,
} from "../command.ts";
import { jsonLine } from "../output.ts";
import { version } from "../version.ts";

/** A broker that serves, as far as the command needs to know it. */
export type ServingBroker = {
  readonly ready: { readonly http: string; readonly remoting: string };
  /** Rejects when something the broker cannot go on without has failed. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
};

/** What the settings came to: a way to start, or everything that is wrong with them. */
export type SettingsOutcome =
  | { readonly kind: "faults"; readonly faults: readonly string[] }
  | {
    readonly kind: "settings";
    readonly logLevel: LogLevel;
    readonly start: (log: Log) => Promise<ServingBroker>;
  };

/** Reads flags, environment and file. */
export type ReadSettings = (host: Host, flags: readonly string[]) => Promise<SettingsOutcome>;

const kindOfSetting = {
  text: "text",
  count: "count",
  durationMs: "duration",
  bytes: "bytes",
  bool: "flag",
  address: "text",
} as const;

/** What the help shows. The settings are read, and refused, by `src/config/`. */
const optionTable: OptionTable = Object.fromEntries(settingNames.map((name) => {
  const row = rowOf(name);
  const shown = typeof row.default === "string" || typeof row.default === "number";
  const isOn = row.kind === "bool" && row.default === true;
  const note = shown
    ? `; ${row.default} unless told`
    : isOn
    ? `; on unless told: --no-${flagOf(name).slice(2)}`
    : "";
  return [name, { kind: kindOfSetting[row.kind], help: row.sentence + note }];
}));

/** Serves. `load` brings the broker in: no other command has to wait for it. */
export function serveCommand(load: () => Promise<ReadSettings>): Command {
  return command({
    name: "serve",
    summary: "Run the broker",
    details: [
      "When it serves, it prints one JSON line on standard output: " +
      '{"event":"ready","version":...,"http":...,"remoting":...}. Logs are JSON ' +
      "lines on standard " +
      "error. SIGTERM or SIGINT ends it in order; a second one ends it at once.",
      "A flag is stronger than its environment variable (CURLEW_HTTP_PORT), which is " +
      "stronger than " +
      "the file. Wrong settings are told all at once, and nothing starts.",
    ],
    options: optionTable,
    passesThrough: true,
    examples: [
      { line: "curlew serve", says: "on loopback, with its data below the current directory" },
      { line: "curlew serve --data /var/lib/curlew --http-port 0", says: "a free port" },
      { line: "CURLEW_SHARDS=4 curlew serve --host 0.0.0.0", says: "for others" },
    ],
    run: (call) => serve(call, load),
  });
}

async function serve(
  { host, args }: Call<OptionTable>,
  load: () => Promise<ReadSettings>,
): Promise<ExitCode> {
  const stop = host.takeStopSignals();
  const outcome = await (await load())(host, args);
  if (outcome.kind === "faults") {
    const lines = outcome.faults.map((fault) => `curlew serve: ${fault}\n`);
    await host.err.write(`${lines.join("")}\`curlew serve --help\` lists the settings.\n`);
    return exitCodes.usage;
  }
  const log = stderrLog(host, outcome.logLevel);
  let broker: ServingBroker;
  try {
    broker = await outcome.start(log);
  } catch (thrown) {
    if (!(thrown instanceof BrokerError)) throw thrown;
    await host.err.write(`curlew serve: ${thrown.message}\n`);
    return exitCodes.refused;
  }
  const { http, remoting } = broker.ready;
  await host.out.write(jsonLine({ event: "ready", version, http, remoting }));
  const failure = await endOf(broker, stop);
  if (failure) log.error("a part the broker cannot do without has failed", { failure });
  else log.info("stopping");
  const stopped = await stopWithin(host, broker);
  if (!stopped) log.error("stopping took too long", { stopMsMax: limits.serveStopMsMax });
  else log.info("stopped");
  return failure || !stopped ? exitCodes.refused : exitCodes.ok;
}

/** Waits for a signal, or for the failure that ends the broker by itself. */
function endOf(broker: ServingBroker, stop: AbortSignal): Promise<Error | undefined> {
  const signalled = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    stop.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const failed = broker.failed.catch((thrown) =>
    thrown instanceof Error ? thrown : new Error(String(thrown))
  );
  return Promise.race([signalled, failed]);
}

async function stopWithin(host: Host, broker: ServingBroker): Promise<boolean> {
  const late = new AbortController();
  const stopped = broker.stop().then(() => true);
  const tooLate = host.sleep(limits.serveStopMsMax, late.signal).then(() => false);
  try {
    return await Promise.race([stopped, tooLate]);
  } finally {
    late.abort();
  }
}

function stderrLog(host: Host, levelMin: LogLevel): Log {
  return createLog({
    levelMin,
    wallMs: () => host.clock.wallMs(),
    // A log nobody reads any more is no reason to stop serving.
    sink: (record) => void host.err.write(`${logLine(record)}\n`).catch(() => {}),
  });
}
