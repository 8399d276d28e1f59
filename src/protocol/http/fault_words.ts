/**
 * What a schema found wrong, in the words of this interface: what is allowed, and what was found.
 *
 * @module
 */
import type { z } from "@hono/zod-openapi";

/** One thing that is wrong. `path`: fields joined by dots; empty for the whole value. */
export type Fault = { readonly path: string; readonly message: string };

type Issue = z.core.$ZodIssue;

/** Faults that are told: a caller who made twenty has seen the pattern. */
const faultsMax = 20;
const foundLengthMax = 60;

const kinds: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** Everything that is wrong with `value`, as its schema said. */
export function faultsIn(value: unknown, issues: readonly Issue[]): readonly Fault[] {
  return issues.flatMap((issue) => faultsOf(value, issue, issue.path)).slice(0, faultsMax);
}

function faultsOf(value: unknown, issue: Issue, at: readonly PropertyKey[]): readonly Fault[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: joined([...at, key]),
      message: "it is not known here",
    }));
  }
  const path = joined(at);
  // A rule of the whole value is a sentence; one of a field says what is allowed, as formats do.
  if (issue.code === "custom" && at.length === 0) return [{ path, message: issue.message }];
  const found = valueAt(value, at);
  if (found === undefined) return [{ path, message: "it is needed" }];
  if (issue.code === "invalid_union") return unionFaults(value, issue.errors, at);
  return [{ path, message: `it has to be ${allowedBy(issue)}, found ${shown(found)}` }];
}

/** A value that has the shape of one choice has that one's faults; else all choices are told. */
function unionFaults(
  value: unknown,
  choices: readonly (readonly Issue[])[],
  at: readonly PropertyKey[],
): readonly Fault[] {
  const inside = (issues: readonly Issue[]) =>
    issues.flatMap((issue) => faultsOf(value, issue, [...at, ...issue.path]));
  const fitting = choices.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys")
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return inside(only);
  const path = joined(at);
  if (fitting.length > 1) {
    const told = fitting.map((issues) => inside(issues)[0]).filter((fault) => fault !== undefined);
    return [{
      path,
      message: told.map((fault) => `${fault.path}: ${fault.message}`).join("; or "),
    }];
  }
  const allowed = new Set(choices.map(([first]) => first ? allowedBy(first) : "something else"));
  const message = `it has to be ${[...allowed].join(" or ")}, found ${shown(valueAt(value, at))}`;
  return [{ path, message }];
}

function allowedBy(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return kinds[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `${issue.values.length > 1 ? "one of " : ""}${issue.values.map(shown).join(", ")}`;
    case "too_small":
      return bounded(issue.origin, "at least", Number(issue.minimum));
    case "too_big":
      return bounded(issue.origin, "at most", Number(issue.maximum));
    default:
      return issue.message;
  }
}

function bounded(origin: string, side: "at least" | "at most", bound: number): string {
  if (origin === "array") return `a list of ${side} ${bound}`;
  if (origin !== "string") return `${side} ${bound}`;
  return side === "at least" && bound === 1
    ? "text, not empty"
    : `text of ${side} ${bound} characters`;
}

function joined(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > foundLengthMax ? `${text.slice(0, foundLengthMax - 1)}…` : text;
}
