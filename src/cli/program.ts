/**
 * From the words of a command line to a command, and from what it throws to an exit code.
 *
 * @module
 */
import { safeText } from "../base/log.ts";
import { nearest } from "../base/nearest.ts";
import { OutputClosedError } from "../base/output_closed.ts";
import type { Host } from "../ports/host.ts";
import { type Command, exitCodes, type Family, flagOf } from "./command.ts";
import { explain, UsageError } from "./failure.ts";
import { commandHelp, familyHelp } from "./help.ts";
import { jsonLine } from "./output.ts";
import { parse } from "./parse.ts";

/** What the words in front of the options named. */
type Found = { readonly target: Command | Family; readonly path: string; readonly rest: string[] };

/** Runs what the host's arguments name, under `root`. Returns the exit code; throws nothing. */
export async function runProgram(root: Family, host: Host): Promise<number> {
  let path = root.name;
  try {
    const [first, ...others] = host.args;
    const found = find(root, first === "help" ? [...others, "--help"] : host.args);
    path = found.path;
    if (found.target.kind === "family") return await showFamily(found, host);
    const parsed = parse(found.target, found.rest);
    if (parsed.help) {
      await host.out.write(commandHelp(found.target, path));
      return exitCodes.ok;
    }
    return await found.target.run({ host, options: parsed.options, args: parsed.args });
  } catch (thrown) {
    if (thrown instanceof OutputClosedError) return exitCodes.ok;
    return await report(thrown, path, host);
  }
}

function find(root: Family, words: readonly string[]): Found {
  let target: Command | Family = root;
  let path = root.name;
  const rest = [...words];
  while (target.kind === "family" && rest[0] !== undefined && !rest[0].startsWith("-")) {
    const word: string = rest[0];
    const members: readonly (Command | Family)[] = target.members;
    const next = members.find((member) => member.name === word);
    if (!next) {
      const near = nearest(word, members.map((member) => member.name));
      const hint = near ? `Did you mean \`${path} ${near}\`?` : `\`${path} --help\` lists them`;
      throw new UsageError(`There is no command "${safeText(word)}" under ${path}.`, hint);
    }
    rest.shift();
    target = next;
    path = `${path} ${next.name}`;
  }
  return { target, path, rest };
}

async function showFamily({ target, path, rest }: Found, host: Host): Promise<number> {
  if (target.kind !== "family") return exitCodes.usage;
  const [word] = rest;
  if (word === "--version" || word === "-V") {
    const version = target.members.find((member) => member.name === "version");
    if (version?.kind === "command") return await version.run({ host, options: {}, args: [] });
  }
  if (word === "--help" || word === "-h") {
    await host.out.write(familyHelp(target, path));
    return exitCodes.ok;
  }
  if (word === undefined) {
    await host.err.write(familyHelp(target, path));
    return exitCodes.usage;
  }
  throw new UsageError(`Options come after the command; found ${safeText(word)} first.`);
}

/** Tells a failure on the error stream: one JSON line if `--json` was asked for, else sentences. */
async function report(thrown: unknown, path: string, host: Host): Promise<number> {
  const explanation = explain(thrown);
  const json = host.args.includes(flagOf("json"));
  try {
    if (!explanation) {
      const stack = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
      await host.err.write(`${path}: this is a bug in curlew:\n${stack}\n`);
      return exitCodes.refused;
    }
    const { sentence, hint, code, exitCode } = explanation;
    const usage = code === "usage" ? `\`${path} --help\` shows how it is used` : undefined;
    const next = hint ?? usage;
    if (json) {
      const error = { code, detail: sentence, ...(next && { next }) };
      await host.err.write(jsonLine({ error }));
    } else {
      const lines = sentence.split("\n").map((line) => `${path}: ${line}\n`).join("");
      await host.err.write(next ? `${lines}${next}.\n`.replace(/\?\.\n$/, "?\n") : lines);
    }
    return exitCode;
  } catch (failed) {
    if (failed instanceof OutputClosedError) return explanation?.exitCode ?? exitCodes.refused;
    throw failed;
  }
}
