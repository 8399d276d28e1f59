/**
 * A broker inside somebody's program: settings as an object, checked like those of the command.
 *
 * @module
 */
import { version } from "../cli/version.ts";
import { readSettings } from "../config/read.ts";
import {
  flagOf,
  type HostAndPort,
  type SettingName,
  settingNames,
  type Settings,
} from "../config/schema.ts";
import { BrokerError } from "../model/errors.ts";
import { machineFacts } from "../runtime/node/process_host.ts";
import { stderrLog } from "../runtime/stderr_log.ts";
import { type RunningBroker, startBroker as startWith } from "./start.ts";

/**
 * What a program chooses; all else has the defaults that `curlew serve --help` shows. Neither the
 * environment nor a settings file is read.
 */
export type BrokerConfig = Partial<Omit<Settings, "config">>;

/**
 * Starts a broker in this process, with threads of its own. Its log goes to standard error.
 *
 * @throws {BrokerError} `invalid_argument`: settings are wrong, all of them told at once;
 * `conflict`: another process holds the data directory, or an address is taken.
 */
export async function startBroker(config: BrokerConfig = {}): Promise<RunningBroker> {
  const settings = settingsFrom(config);
  return await startWith(settings, { log: stderrLog(settings.logLevel), version });
}

/** By way of the flags, so that there is one judge of what a setting may be. */
function settingsFrom(config: BrokerConfig): Settings {
  const flags = Object.entries(config).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      // A name that is none is what the reader complains of.
      : [`${flagOf(name as SettingName)}=${textOf(value)}`]
  );
  const outcome = readSettings({ flags, environment: {}, file: null, facts: machineFacts() });
  if (outcome.kind === "settings") return outcome.settings;
  const faults = outcome.faults.map(({ where, says }) => namedByProgram(`${where}: ${says}`));
  throw new BrokerError("invalid_argument", `Cannot start the broker: ${faults.join("; ")}`);
}

function textOf(value: string | number | boolean | HostAndPort): string {
  if (typeof value !== "object") return String(value);
  const { host, port } = value;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A fault that names settings as the program does, not by their flags. */
function namedByProgram(fault: string): string {
  return fault.replace(/--[a-z-]+/g, (flag) => {
    return settingNames.find((name) => flagOf(name) === flag) ?? flag;
  });
}
