/** The help of commands and families, drawn from their tables. @module */
import { type Command, type Example, type Family, flagOf, type OptionSpec } from "./command.ts";

const indent = "  ";
const termColumnsMax = 34;

/** The help of one command. `path` is how it is called: "curlew topic create". */
export function commandHelp(command: Command, path: string): string {
  const args = command.args ?? [];
  const usage = [
    path,
    ...args.map((arg) => argumentUsage(arg.name, arg.required === true, arg.many === true)),
    ...(Object.keys(command.options).length > 0 ? ["[options]"] : []),
  ].join(" ");
  const options = Object.entries(command.options).map(([name, spec]): [string, string] => [
    optionTerm(name, spec),
    optionSays(spec),
  ]);
  return [
    `${command.summary}.\n`,
    section("Usage", [indent + usage]),
    ...(command.details ?? []).map((paragraph) => `${wrap(paragraph, "", 92)}\n`),
    section("Arguments", rows(args.map((arg) => [arg.name, arg.help]))),
    section("Options", rows([...options, ["-h, --help", "this text"]])),
    examples(command.examples),
  ].filter((part) => part !== "").join("\n");
}

/** The help of a family: its members, one a line. */
export function familyHelp(family: Family, path: string): string {
  const members = family.members.map((member): [string, string] => [member.name, member.summary]);
  return [
    `${family.summary}.\n`,
    section("Usage", [`${indent}${path} <command> [options]`]),
    ...(family.details ?? []).map((paragraph) => `${wrap(paragraph, "", 92)}\n`),
    section("Commands", rows(members)),
    examples(family.examples),
    `\`${path} <command> --help\` explains one of them.\n`,
  ].filter((part) => part !== "").join("\n");
}

function argumentUsage(name: string, required: boolean, many: boolean): string {
  const shown = many ? `${name}...` : name;
  return required ? shown : `[${shown}]`;
}

function optionTerm(name: string, spec: OptionSpec): string {
  const flag = spec.short ? `-${spec.short}, ${flagOf(name)}` : flagOf(name);
  return spec.kind === "flag" ? flag : `${flag} ${spec.value ?? "VALUE"}`;
}

function optionSays(spec: OptionSpec): string {
  const notes: string[] = [];
  if (spec.required) notes.push("needed");
  if (spec.kind === "list") notes.push("may be repeated");
  if (spec.choices) notes.push(`one of ${spec.choices.join(", ")}`);
  if (spec.fallback !== undefined) notes.push(`default ${spec.fallback}`);
  return notes.length > 0 ? `${spec.help} (${notes.join("; ")})` : spec.help;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}\n`;
}

function examples(list: readonly Example[]): string {
  const lines = list.flatMap((example) => [
    `${indent}# ${example.says}`,
    `${indent}${example.line}`,
  ]);
  return section("Examples", lines);
}

function rows(pairs: readonly (readonly [string, string])[]): string[] {
  const widest = Math.max(0, ...pairs.map(([term]) => term.length));
  const width = Math.min(widest, termColumnsMax);
  const hanging = indent + " ".repeat(width + 2);
  return pairs.map(([term, says]) => {
    const head = `${indent}${term.padEnd(width)}  `;
    const body = wrap(says, hanging, 100);
    return term.length > width ? `${indent}${term}\n${hanging}${body}` : head + body;
  });
}

/** Breaks `text` between words; lines after the first begin with `hanging`. */
function wrap(text: string, hanging: string, columns: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && hanging.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${hanging}`);
}
