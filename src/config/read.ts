/**
 * Reads the settings: a flag is stronger than the environment, the environment than the file, the
 * file than the default. Everything that is wrong is told at once, each fault with its place, what
 * was found there and what is allowed.
 *
 * It is handed texts and touches nothing; `configPath` says which file the caller must read first.
 *
 * @module
 */
import { parse, TomlError, type TomlPrimitive } from "smol-toml";
import { nearest } from "../base/nearest.ts";
import {
  fileKeyOf,
  flagOf,
  type HostFacts,
  rowOf,
  type SettingName,
  settingNames,
  type Settings,
  variableOf,
} from "./schema.ts";
import { allowedOf, type RawValue, readValue, type SettingValue } from "./values.ts";

/** Where settings come from. */
export type Sources = {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The settings file, or `null` if there is none. */
  readonly file: { readonly path: string; readonly text: string } | null;
  readonly facts: HostFacts;
};

/** The kind of place a value was found in. */
export type Origin = "default" | "file" | "environment" | "flag";

/** The settings and where each comes from; or all that is wrong. */
export type ReadOutcome =
  | {
    readonly kind: "settings";
    readonly settings: Settings;
    readonly origins: Readonly<Record<SettingName, Origin>>;
  }
  | { readonly kind: "faults"; readonly faults: readonly SettingFault[] };

/** One thing that is wrong. `where`: the flag, the variable, or the file and its key. */
export type SettingFault = { readonly where: string; readonly says: string };

/** A value on its way: not checked yet. */
type Found = {
  readonly name: SettingName;
  readonly origin: Origin;
  readonly where: string;
  readonly raw: RawValue;
};

/** What one source had: values and faults. */
type Gathered = { readonly found: Found[]; readonly faults: SettingFault[] };

/** Variables of the same family that speak to clients, not to the broker. */
const clientVariables: readonly string[] = ["CURLEW_URL", "CURLEW_TOKEN"];

/** A fault as a sentence for people. */
export function faultText({ where, says }: SettingFault): string {
  return `${where}: ${says}`;
}

/** The settings file that flags or environment name; `null` if they name none. */
export function configPath(sources: Pick<Sources, "flags" | "environment">): string | null {
  const named = gatherFlags(sources.flags).found.find(({ name }) => name === "config")?.raw ??
    sources.environment[variableOf("config")];
  return typeof named === "string" && named !== "" ? named : null;
}

/** Reads every setting from every source. */
export function readSettings(sources: Sources): ReadOutcome {
  // The weakest first: what is found later replaces what was found before.
  const gathered = [
    gatherFile(sources.file),
    gatherVariables(sources.environment),
    gatherFlags(sources.flags),
  ];
  const faults = gathered.flatMap((source) => source.faults);
  const values = defaults(sources.facts);
  const origins: Partial<Record<SettingName, Origin>> = {};
  for (const name of settingNames) origins[name] = "default";
  const found = gathered.flatMap((source) => source.found);
  for (const { name, origin, where, raw } of found) {
    const value = readValue(name, raw);
    if (value === undefined) {
      faults.push({ where, says: `found ${shown(name, raw)}; allowed is ${allowedOf(name)}` });
    } else {
      values[name] = value;
      origins[name] = origin;
    }
  }
  faults.push(...contradictions(values), ...halves(new Set(found.map(({ name }) => name))));
  if (faults.length > 0) return { kind: "faults", faults };
  // Every row was given its default and replaced only by what the row allows.
  return {
    kind: "settings",
    settings: values as Settings,
    origins: origins as Record<SettingName, Origin>,
  };
}

type Values = Partial<Record<SettingName, SettingValue | null>>;

function defaults(facts: HostFacts): Values {
  const values: Values = {};
  for (const name of settingNames) {
    const { default: value } = rowOf(name);
    values[name] = typeof value === "function" ? value(facts) : value;
  }
  return values;
}

function contradictions({ httpPort, remotingPort }: Values): SettingFault[] {
  if (httpPort !== remotingPort || httpPort === 0) return [];
  const where = `${flagOf("httpPort")} and ${flagOf("remotingPort")}`;
  return [{ where, says: `both are ${httpPort}; each needs a port of its own, or 0 for any` }];
}

/** Faults for settings that mean nothing without another one. */
function halves(given: ReadonlySet<SettingName>): SettingFault[] {
  const faults: SettingFault[] = [];
  if (given.has("tlsCertFile") !== given.has("tlsKeyFile")) {
    const where = `${flagOf("tlsCertFile")} and ${flagOf("tlsKeyFile")}`;
    faults.push({ where, says: "one is given without the other; both are needed, or none" });
  }
  if (given.has("webhookHosts") && !given.has("webhookSecret")) {
    const says = `is given without ${flagOf("webhookSecret")}; webhooks are always signed`;
    faults.push({ where: flagOf("webhookHosts"), says });
  }
  return faults;
}

function gatherFlags(flags: readonly string[]): Gathered {
  const known = new Map(settingNames.map((name) => [flagOf(name), name]));
  const found: Found[] = [];
  const faults: SettingFault[] = [];
  for (let at = 0; at < flags.length; at++) {
    const [flag = "", inline] = splitOnce(flags[at] ?? "", "=");
    const negated = known.get(flag.replace(/^--no-/, "--"));
    const name = known.get(flag);
    if (name === undefined && negated !== undefined && rowOf(negated).kind === "bool") {
      if (inline !== undefined) faults.push({ where: flag, says: "takes no value" });
      found.push({ name: negated, origin: "flag", where: flag, raw: false });
    } else if (name === undefined && !flag.startsWith("-")) {
      faults.push({
        where: flags[at] ?? "",
        says: "is no flag; settings are given as --name=value",
      });
    } else if (name === undefined) {
      faults.push(unknown(flag, [...known.keys()]));
      // What follows is most likely its value, and not another fault.
      if (inline === undefined && flag.startsWith("-") && !isFlag(flags[at + 1])) at++;
    } else if (inline !== undefined) {
      found.push({ name, origin: "flag", where: flag, raw: inline });
    } else if (rowOf(name).kind === "bool" && readValue(name, flags[at + 1] ?? "") === undefined) {
      found.push({ name, origin: "flag", where: flag, raw: true });
    } else if (isFlag(flags[at + 1])) {
      faults.push({ where: flag, says: `has no value; allowed is ${allowedOf(name)}` });
    } else {
      found.push({ name, origin: "flag", where: flag, raw: flags[++at] ?? "" });
    }
  }
  return { found, faults: [...faults, ...repeated(found)] };
}

/** Whether what follows a flag is no value: another flag, or nothing. */
function isFlag(text: string | undefined): boolean {
  return text === undefined || text.startsWith("--");
}

/** Faults for settings that one source names more than once: which was meant, cannot be told. */
function repeated(found: readonly Found[]): SettingFault[] {
  const seen = new Set<SettingName>();
  return found.flatMap(({ name, where }) => {
    if (seen.has(name)) return [{ where, says: "is given more than once" }];
    seen.add(name);
    return [];
  });
}

function gatherVariables(environment: Sources["environment"]): Gathered {
  const known = new Map(settingNames.map((name) => [variableOf(name), name]));
  const found: Found[] = [];
  const faults: SettingFault[] = [];
  for (const [variable, raw] of Object.entries(environment)) {
    if (!variable.startsWith("CURLEW_") || raw === undefined) continue;
    if (clientVariables.includes(variable)) continue;
    const name = known.get(variable);
    if (name !== undefined) found.push({ name, origin: "environment", where: variable, raw });
    else faults.push(unknown(variable, [...known.keys()]));
  }
  return { found, faults };
}

/** What was found, as far as a log may have it. */
function shown(name: SettingName, raw: Found["raw"]): string {
  return rowOf(name).secret ? `${String(raw).length} characters` : JSON.stringify(raw);
}

function gatherFile(file: Sources["file"]): Gathered {
  if (file === null) return { found: [], faults: [] };
  const known = new Map(
    settingNames.filter((name) => name !== "config").map((name) => [fileKeyOf(name), name]),
  );
  const found: Found[] = [];
  const faults: SettingFault[] = [];
  for (const [key, raw] of Object.entries(parseToml(file, faults))) {
    const where = `${file.path}, ${key}`;
    const name = known.get(key.replaceAll("-", "_"));
    if (name === undefined) faults.push(unknown(where, [...known.keys()], key));
    else if (isRaw(raw)) found.push({ name, origin: "file", where, raw });
    else faults.push({ where, says: `found ${describe(raw)}; allowed is ${allowedOf(name)}` });
  }
  return { found, faults: [...faults, ...repeated(found)] };
}

function parseToml(
  { path, text }: { path: string; text: string },
  faults: SettingFault[],
): Record<string, TomlPrimitive> {
  try {
    return parse(text);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const [sentence] = thrown.message.split("\n");
    faults.push({ where: `${path}, line ${thrown.line}`, says: `is not TOML: ${sentence}` });
    return {};
  }
}

function isRaw(value: TomlPrimitive): value is RawValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function describe(value: TomlPrimitive): string {
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : "a table";
}

function unknown(where: string, known: readonly string[], word = where): SettingFault {
  const near = nearest(word, known);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return { where, says: `there is no such setting${hint}` };
}

function splitOnce(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
