/**
 * What a command is: a table of its options, its arguments, its examples, and what it does.
 * Parsing, help and the types of the values all come from the table.
 *
 * @module
 */
import type { Host } from "../ports/host.ts";

/** How a program ends. Shell scripts branch on these. */
export const exitCodes = {
  ok: 0,
  /** The broker refused, or a check found something. */
  refused: 1,
  /** The command line or the settings are wrong; nothing was done. */
  usage: 2,
  /** No broker answered. */
  unreachable: 3,
  /** A signal ended it: 128 and the number of SIGINT, as shells count. */
  interrupted: 130,
} as const;

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * What an option's text becomes. `duration` reads `90`, `90ms`, `10s`, `7d` to milliseconds,
 * `bytes` reads `4096`, `64KiB`, `10GB` to bytes, `list` may be given many times.
 */
export type ValueKinds = {
  text: string;
  count: number;
  duration: number;
  bytes: number;
  flag: boolean;
  list: readonly string[];
};

/** One option. Its key in the table, `intervalMs`, is `--interval-ms` on the command line. */
export type OptionSpec = {
  readonly kind: keyof ValueKinds;
  readonly help: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly fallback?: string | number;
  readonly required?: boolean;
  /** One letter: `-t` for `--topic`. */
  readonly short?: string;
  /** Bounds of a number, included. */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
};

/** The options of one command by their camel-case names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type AlwaysGiven = { readonly required: true } | { readonly fallback: string | number } | {
  readonly kind: "flag" | "list";
};

/** The values a table describes. An option that may be left out reads as `undefined`. */
export type ValuesOf<T extends OptionTable> = {
  readonly [N in keyof T]:
    | ValueKinds[T[N]["kind"]]
    | (T[N] extends AlwaysGiven ? never : undefined);
};

/** One positional argument. `many` takes all that follow. */
export type ArgumentSpec = {
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  readonly many?: boolean;
};

/** What a running command is given. */
export type Call<T extends OptionTable> = {
  readonly host: Host;
  readonly options: ValuesOf<T>;
  readonly args: readonly string[];
};

/** A line of help that can be typed as it stands. */
export type Example = { readonly line: string; readonly says: string };

/** What a command is made of. */
export type CommandSpec<T extends OptionTable> = {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs below the summary. */
  readonly details?: readonly string[];
  readonly args?: readonly ArgumentSpec[];
  readonly options: T;
  /** Takes every option as it is: the command has a parser of its own. */
  readonly passesThrough?: boolean;
  readonly examples: readonly Example[];
  readonly run: (call: Call<T>) => Promise<ExitCode>;
};

/** A command whose options are known to itself only. */
export type Command = CommandSpec<OptionTable> & { readonly kind: "command" };

/** Commands under one noun. */
export type Family = {
  readonly kind: "family";
  readonly name: string;
  readonly summary: string;
  readonly details?: readonly string[];
  readonly members: readonly (Command | Family)[];
  readonly examples: readonly Example[];
};

/** Makes a command. Its values are typed inside, and read from the same table outside. */
export function command<const T extends OptionTable>(spec: CommandSpec<T>): Command {
  // The parser builds exactly the values this table describes; that is what the assertion says.
  const run = (call: Call<OptionTable>) => spec.run(call as Call<T>);
  return { ...spec, run, kind: "command" };
}

/** Makes a family. */
export function family(spec: Omit<Family, "kind">): Family {
  return { ...spec, kind: "family" };
}

/** `intervalMs` → `--interval-ms`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
