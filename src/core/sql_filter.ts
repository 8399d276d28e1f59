/**
 * Whether a message's properties meet an SQL92 expression: RocketMQ's rules, which are SQL's.
 *
 * A condition is true, false or unknown (`null`), and a message passes when it is true. An absent
 * property makes what compares it unknown; NOT of unknown is unknown, AND is false as soon as one
 * part is, OR is true as soon as one part is. Two forms are never unknown: IS [NOT] NULL, and the
 * searches, which are false of an absent property whether negated or not, and of an empty text.
 *
 * Properties are texts. What they are compared with decides how they are read:
 *
 *     beside a number, or with > >= < <= BETWEEN    as a number; unknown if it is none
 *     beside TRUE or FALSE                          TRUE if it reads "true" in any case, else FALSE
 *     beside a text or another property             as they are, letter by letter
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { SqlComparison, SqlExpression, SqlOperand } from "../model/sql_expression.ts";
import { compareNumbers, type SqlNumber, sqlNumber } from "./sql_number.ts";

/** The value of a property, `undefined` without one. */
export type PropertyLookup = (name: string) => string | undefined;

/** Whether a message with these properties passes. */
export type SqlPredicate = (property: PropertyLookup) => boolean;

/** What a condition says of a message; `null`: unknown. */
type Verdict = boolean | null;
type Test = (property: PropertyLookup) => Verdict;
type Reader<Value> = (property: PropertyLookup) => Value | null;
type Compare = Extract<SqlExpression, { kind: "compare" }>;
type Between = Extract<SqlExpression, { kind: "between" }>;
type Search = Extract<SqlExpression, { kind: "search" }>;

/** The expression as a function. What it holds is looked at here, not for every message. */
export function compileSql(expression: SqlExpression): SqlPredicate {
  const test = testOf(expression);
  return (property) => test(property) === true;
}

function testOf(expression: SqlExpression): Test {
  switch (expression.kind) {
    case "constant":
      return () => expression.value;
    case "and":
      return joined(expression.parts.map(testOf), false);
    case "or":
      return joined(expression.parts.map(testOf), true);
    case "not":
      return negated(testOf(expression.part));
    case "compare":
      return comparisonOf(expression);
    case "between":
      return betweenOf(expression);
    case "in":
      return membershipOf(expression);
    case "null": {
      const { property: name, isNegated } = expression;
      return (property) => (property(name) === undefined) !== isNegated;
    }
    case "search":
      return searchOf(expression);
    default:
      return unreachable(expression);
  }
}

/** `decisive` ends it: false for AND, true for OR. */
function joined(tests: readonly Test[], decisive: boolean): Test {
  return (property) => {
    let verdict: Verdict = !decisive;
    for (const test of tests) {
      const part = test(property);
      if (part === decisive) return decisive;
      if (part === null) verdict = null;
    }
    return verdict;
  };
}

function negated(test: Test): Test {
  return (property) => {
    const verdict = test(property);
    return verdict === null ? null : !verdict;
  };
}

function comparisonOf({ comparison, left, right }: Compare): Test {
  const isEquality = comparison === "=" || comparison === "<>";
  if (!isEquality || left.kind === "number" || right.kind === "number") {
    return numbersCompared(comparison, left, right);
  }
  const isTruth = left.kind === "truth" || right.kind === "truth";
  const readerOf = isTruth ? truthReader : textReader;
  const [one, other] = [readerOf(left), readerOf(right)];
  const wanted = comparison === "=";
  return (property) => {
    const first = one(property);
    if (first === null) return null;
    const second = other(property);
    return second === null ? null : (first === second) === wanted;
  };
}

function numbersCompared(comparison: SqlComparison, left: SqlOperand, right: SqlOperand): Test {
  const [one, other, holds] = [numberReader(left), numberReader(right), orderOf(comparison)];
  return (property) => {
    const first = one(property);
    if (first === null) return null;
    const second = other(property);
    return second === null ? null : holds(compareNumbers(first, second));
  };
}

function betweenOf({ value, low, high, isNegated }: Between): Test {
  const within = joined(
    [numbersCompared(">=", value, low), numbersCompared("<=", value, high)],
    false,
  );
  return isNegated ? negated(within) : within;
}

function membershipOf(
  { property: name, texts, isNegated }: Extract<SqlExpression, { kind: "in" }>,
): Test {
  const members = new Set(texts);
  return (property) => {
    const text = property(name);
    return text === undefined ? null : members.has(text) !== isNegated;
  };
}

function searchOf({ search, property: name, text: wanted, isNegated }: Search): Test {
  if (wanted === "") return () => false;
  const found = searchers[search];
  return (property) => {
    const text = property(name);
    return text !== undefined && found(text, wanted) !== isNegated;
  };
}

const searchers: Readonly<Record<Search["search"], (text: string, wanted: string) => boolean>> = {
  "contains": (text, wanted) => text.includes(wanted),
  "starts-with": (text, wanted) => text.startsWith(wanted),
  "ends-with": (text, wanted) => text.endsWith(wanted),
};

function orderOf(comparison: SqlComparison): (order: number) => boolean {
  switch (comparison) {
    case "=":
      return (order) => order === 0;
    case "<>":
      return (order) => order !== 0;
    case ">":
      return (order) => order > 0;
    case ">=":
      return (order) => order >= 0;
    case "<":
      return (order) => order < 0;
    case "<=":
      return (order) => order <= 0;
    default:
      return unreachable(comparison);
  }
}

function numberReader(operand: SqlOperand): Reader<SqlNumber> {
  if (operand.kind === "property") {
    return (property) => {
      const text = property(operand.name);
      return text === undefined ? null : sqlNumber(text);
    };
  }
  const number = operand.kind === "number" ? sqlNumber(operand.text) : null;
  return () => number;
}

function truthReader(operand: SqlOperand): Reader<boolean | string> {
  if (operand.kind === "property") {
    return (property) => {
      const text = property(operand.name);
      return text === undefined ? null : text.toLowerCase() === "true";
    };
  }
  const value = operand.kind === "truth" ? operand.value : null;
  return () => value;
}

function textReader(operand: SqlOperand): Reader<boolean | string> {
  if (operand.kind === "property") return (property) => property(operand.name) ?? null;
  const text = operand.kind === "text" ? operand.text : null;
  return () => text;
}
