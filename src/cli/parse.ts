/**
 * A command line → the values a command's table describes. The runtime's own `parseArgs` cuts it
 * into tokens; kinds, bounds and suggestions come from the table. Every fault is told, not only the
 * first.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { nearest } from "../base/nearest.ts";
import {
  type ArgumentSpec,
  type Command,
  flagOf,
  type OptionSpec,
  type OptionTable,
  type ValueKinds,
} from "./command.ts";
import { UsageError } from "./failure.ts";
import { parseBytes, parseDuration } from "../base/quantities.ts";

/** What a command line said. */
export type Parsed = {
  readonly options: Readonly<Record<string, ValueKinds[keyof ValueKinds] | undefined>>;
  readonly args: readonly string[];
  /** `--help` or `-h` was among it: nothing else was checked. */
  readonly help: boolean;
};

type Given = { readonly name: string; readonly value: string | undefined };

/**
 * Reads the words behind a command's name.
 *
 * @throws {UsageError} Options are unknown, absent, given twice or out of bounds, or arguments do
 * not fit.
 */
export function parse(command: Command, words: readonly string[]): Parsed {
  if (command.passesThrough) {
    const help = words.includes("--help") || words.includes("-h");
    return { options: {}, args: words, help };
  }
  const table = command.options;
  const faults: string[] = [];
  const { given, args, help } = tokens(table, words, faults);
  if (help) return { options: {}, args: [], help: true };
  const options: Record<string, ValueKinds[keyof ValueKinds] | undefined> = {};
  for (const [name, spec] of Object.entries(table)) {
    const values = given.filter((one) => one.name === name);
    options[name] = valueOf(name, spec, values, faults);
  }
  checkArguments(command.args ?? [], args, faults);
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return { options, args, help: false };
}

function tokens(table: OptionTable, words: readonly string[], faults: string[]) {
  const byFlag = new Map<string, string>();
  const config: Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean }> =
    { help: { type: "boolean", short: "h" } };
  for (const [name, spec] of Object.entries(table)) {
    const flag = flagOf(name).slice(2);
    byFlag.set(flag, name);
    const type = spec.kind === "flag" ? "boolean" : "string";
    config[flag] = { type, multiple: true, ...(spec.short && { short: spec.short }) };
  }
  const cut = parseArgs({
    args: [...words],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: Given[] = [];
  const args: string[] = [];
  for (const token of cut.tokens) {
    if (token.kind === "positional") args.push(token.value);
    if (token.kind !== "option" || token.name === "help") continue;
    const name = byFlag.get(token.name);
    if (name === undefined) faults.push(unknownOption(token.rawName, [...byFlag.keys()]));
    else given.push({ name, value: token.value });
  }
  return { given, args, help: cut.values["help"] === true };
}

function unknownOption(raw: string, known: readonly string[]): string {
  const near = nearest(raw.replace(/^-+/, ""), [...known, "help"]);
  return `There is no option ${raw}.${near ? ` Did you mean --${near}?` : ""}`;
}

function valueOf(name: string, spec: OptionSpec, given: readonly Given[], faults: string[]) {
  const flag = flagOf(name);
  if (spec.kind === "flag") {
    if (given.some((one) => one.value !== undefined)) faults.push(`${flag} takes no value.`);
    return given.length > 0;
  }
  if (given.some((one) => one.value === undefined)) {
    faults.push(`${flag} needs a value: ${flag} ${spec.value ?? "VALUE"}.`);
    return undefined;
  }
  if (spec.kind === "list") return given.map((one) => one.value ?? "");
  if (given.length > 1) faults.push(`${flag} is given ${given.length} times; give it once.`);
  const text = given[0]?.value;
  if (text !== undefined) return read(flag, spec, text, faults);
  if (spec.required) faults.push(`${flag} ${spec.value ?? "VALUE"} is needed: ${spec.help}.`);
  const { fallback } = spec;
  return typeof fallback === "string" ? read(flag, spec, fallback, faults) : fallback;
}

function read(flag: string, spec: OptionSpec, text: string, faults: string[]) {
  if (spec.kind === "text") {
    if (spec.choices && !spec.choices.includes(text)) {
      const near = nearest(text, spec.choices);
      const hint = near ? ` Did you mean ${near}?` : "";
      faults.push(`${flag} is one of ${spec.choices.join(", ")}; found "${text}".${hint}`);
    }
    return text;
  }
  const value = spec.kind === "duration"
    ? parseDuration(text)
    : spec.kind === "bytes"
    ? parseBytes(text)
    : /^\d+$/.test(text)
    ? Number(text)
    : undefined;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (value === undefined || value < min || value > max) {
    faults.push(`${flag} needs ${wanted[spec.kind]}${bounds(spec)}; found "${text}".`);
  }
  return value;
}

const wanted: Readonly<Record<keyof ValueKinds, string>> = {
  text: "a text",
  count: "a whole number",
  duration: "a time such as 500ms, 10s or 7d",
  bytes: "a size such as 4096, 64KiB or 10GiB",
  flag: "no value",
  list: "a text",
};

function bounds({ min, max }: OptionSpec): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}

function checkArguments(
  specs: readonly ArgumentSpec[],
  args: readonly string[],
  faults: string[],
): void {
  const missing = specs.slice(args.length).filter((spec) => spec.required);
  for (const spec of missing) faults.push(`${spec.name} is needed: ${spec.help}.`);
  const takesMore = specs.at(-1)?.many === true;
  if (!takesMore && args.length > specs.length) {
    const extra = args.slice(specs.length).map((arg) => `"${arg}"`).join(" ");
    faults.push(`${extra} is not expected here.`);
  }
}
