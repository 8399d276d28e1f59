import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import type { SqlExpression, SqlOperand } from "../model/sql_expression.ts";
import { compileSql } from "./sql_filter.ts";
import { parseSql } from "./sql_parser.ts";

const message: Readonly<Record<string, string>> = {
  n: "10",
  f: "2.5",
  e: "1e3",
  neg: "-3",
  t: "blue",
  same: "blue",
  yes: "true",
  caps: "TRUE",
  no: "false",
  word: "abc",
  // Two ids that are the same number to a float.
  id: "1234567890123456789",
  near: "1234567890123456788",
  TAGS: "even",
  space: " 10",
  endless: "1e999",
};

/** What an expression says of the message: T, F, or ? for unknown. */
function verdict(sql: string): string {
  const passes = (text: string) =>
    compileSql(parseSql(text))((name) => Object.hasOwn(message, name) ? message[name] : undefined);
  if (passes(sql)) return "T";
  return passes(`not (${sql})`) ? "F" : "?";
}

const table: Readonly<Record<string, readonly string[]>> = {
  T: [
    ...["n = 10", "n = 10.0", "n = 1e1", "10 = n", "n <> 9", "n > 9", "n >= 10", "n < 11", "9 < n"],
    ...["f = 2.50", "e = 1000", "neg < 0", "neg = -3", "n > f", "f <= e", "neg < n", "1 = 1"],
    ...["t = 'blue'", "'blue' = t", "t <> 'red'", "t = same", "t <> n", "n = '10'", "'a' = 'a'"],
    ...[
      "yes = true",
      "caps = TRUE",
      "no = false",
      "t = false",
      "yes <> false",
      "yes",
      "caps",
      "true",
    ],
    ...[
      "n between 10 and 10",
      "n between 5 and 15",
      "n not between 11 and 12",
      "5 between f and n",
    ],
    ...["t in ('red', 'blue')", "t not in ('red')", "TAGS = 'even'", "TAGS in ('even')"],
    ...["t is not null", "gone is null", "not gone is not null", "not t is null"],
    ...["word contains 'b'", "word contains 'abc'", "word startswith 'ab'", "word endswith 'bc'"],
    ...["word not contains 'x'", "word not startswith 'b'", "word not endswith 'b'"],
    ...["not word contains 'x'", "not gone contains 'x'", "not gone not contains 'x'"],
    ...["id = 1234567890123456789", "id <> 1234567890123456788", "id > near", "id > 1e18"],
    ...["gone = 1 or n = 10", "n = 10 or gone = 1", "not (gone = 1 and n = 9)"],
  ],
  F: [
    ...["n = 11", "n <> 10", "n > 10", "n >= 10.5", "n < 10", "n <= 9", "f = 2", "1 = 2"],
    ...["t = 'Blue'", "t = 'blue '", "t <> same", "n = '10.0'", "t <> 'blue'", "t = n"],
    ...["yes = false", "t = true", "no", "t", "word", "n", "false", "not true"],
    ...["n between 11 and 12", "n not between 5 and 15", "t in ('red')", "t not in ('blue')"],
    ...["t is null", "gone is not null", "not gone is null"],
    ...["word contains 'B'", "word startswith 'bc'", "word endswith 'ab'", "word contains ''"],
    ...["word not contains ''", "word startswith ''", "word not contains 'b'"],
    ...[
      "gone contains 'x'",
      "gone not contains 'x'",
      "gone not startswith 'x'",
      "gone endswith ''",
    ],
    ...["id = 1234567890123456788", "id = near", "near >= id"],
    ...["gone = 1 and n = 9", "n = 9 and gone = 1"],
  ],
  "?": [
    ...[
      "gone = 1",
      "gone <> 1",
      "gone > 1",
      "1 < gone",
      "gone = 'x'",
      "gone <> 'x'",
      "gone = true",
    ],
    ...["gone", "not gone", "gone = gone", "gone = t", "t = gone", "t <> gone", "n > gone"],
    ...["gone between 1 and 2", "gone not between 1 and 2", "n between gone and 20"],
    ...["gone in ('x')", "gone not in ('x')", "gone = 1 and n = 10", "gone = 1 or n = 9"],
    ...["not gone = 1", "not not gone = 1", "Tags = 'even'", "N = 10"],
    ...["t = 1", "t <> 1", "t > 1", "1 > t", "t between 1 and 2", "t > word", "space = 10"],
    ...["endless > 1", "yes = 1"],
  ],
};

test("compileSql() tells true, false and unknown apart", () => {
  for (const [wanted, expressions] of Object.entries(table)) {
    for (const sql of expressions) assert.equal(verdict(sql), wanted, sql);
  }
});

test("compileSql() needs a bound that is certain only where it decides", () => {
  assert.equal(verdict("n between gone and 5"), "F", "10 is above 5 whatever gone is");
  assert.equal(verdict("n not between gone and 5"), "T");
});

test("compileSql() takes no property for a member of every object", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    assert.equal(verdict(`${name} is null`), "T");
  }
});

// The property: the same verdict as the rules read aloud, for random expressions over random
// messages. Values are -1 for false, 0 for unknown, 1 for true, so that AND is the smallest part.

const names = ["a", "b", "c", "d"];
const values = ["1", "2", "10", "-1", "1.0", "x", "xy", "true", "FALSE", "", "9007199254740993"];

function naive(expression: SqlExpression, message: ReadonlyMap<string, string>): number {
  switch (expression.kind) {
    case "constant":
      return expression.value ? 1 : -1;
    case "and":
      return Math.min(...expression.parts.map((part) => naive(part, message)));
    case "or":
      return Math.max(...expression.parts.map((part) => naive(part, message)));
    case "not":
      return -naive(expression.part, message);
    case "compare":
      return compared(expression.comparison, expression.left, expression.right, message);
    case "between": {
      const above = compared(">=", expression.value, expression.low, message);
      const below = compared("<=", expression.value, expression.high, message);
      return Math.min(above, below) * (expression.isNegated ? -1 : 1);
    }
    case "in": {
      const text = message.get(expression.property);
      if (text === undefined) return 0;
      return signOf(expression.texts.some((member) => member === text), expression.isNegated);
    }
    case "null":
      return signOf(!message.has(expression.property), expression.isNegated);
    case "search": {
      const text = message.get(expression.property);
      if (text === undefined || expression.text === "") return -1;
      const at = text.indexOf(expression.text);
      const last = text.lastIndexOf(expression.text);
      const isFound = expression.search === "contains"
        ? at >= 0
        : expression.search === "starts-with"
        ? at === 0
        : last >= 0 && last + expression.text.length === text.length;
      return signOf(isFound, expression.isNegated);
    }
  }
}

function signOf(isTrue: boolean, isNegated: boolean): number {
  return isTrue === isNegated ? -1 : 1;
}

function compared(
  comparison: string,
  left: SqlOperand,
  right: SqlOperand,
  message: ReadonlyMap<string, string>,
): number {
  const texts = [left, right].map((operand) =>
    operand.kind === "property"
      ? message.get(operand.name)
      : operand.kind === "truth"
      ? String(operand.value)
      : operand.text
  );
  if (texts[0] === undefined || texts[1] === undefined) return 0;
  const kinds = [left.kind, right.kind];
  if (kinds.includes("number") || (comparison !== "=" && comparison !== "<>")) {
    if (!texts.every((text) => /^-?\d+(\.\d+)?$/.test(text ?? ""))) return 0;
    // In tenths, so that every number of this test is whole.
    const [one, other] = texts.map((text) => {
      const [whole, part] = (text ?? "").split(".");
      return BigInt(whole ?? "") * 10n + BigInt(part ?? "0");
    });
    const [first = 0n, second = 0n] = [one, other];
    return signOf(holds(comparison, first < second, first === second), false);
  }
  const [one, other] = kinds.includes("truth")
    ? texts.map((text) => String(text?.toLowerCase() === "true"))
    : texts;
  return signOf((one === other) === (comparison === "="), false);
}

function holds(comparison: string, isBelow: boolean, isEqual: boolean): boolean {
  if (comparison === "=") return isEqual;
  if (comparison === "<>") return !isEqual;
  const isStrict = comparison.length === 1 && isEqual;
  return !isStrict && (isEqual || isBelow === comparison.startsWith("<"));
}

/** A random expression as text. Brackets around everything: precedence is the parser test's. */
function randomSql(random: Prng, depth: number): string {
  const any = (list: readonly string[]) => list[random.next() % list.length]!;
  const name = () => any(names);
  const number = () => any(["1", "2", "10", "-1", "1.5", "1e1", "9007199254740992"]);
  const side = () => random.next() % 3 === 0 ? name() : number();
  const no = () => any(["", "NOT "]);
  if (depth > 0 && random.next() % 3 > 0) {
    if (random.next() % 4 === 0) return `NOT (${randomSql(random, depth - 1)})`;
    const parts = Array.from({ length: 2 + random.next() % 2 }, () => randomSql(random, depth - 1));
    return `(${parts.join(any([" AND ", " OR "]))})`;
  }
  switch (random.next() % 7) {
    case 0:
      return `${name()} ${any(["=", "<>"])} ${any(["'1'", "'x'", "TRUE", "false", "''", name()])}`;
    case 1:
      return `${side()} ${any(["=", "<>", "<", "<=", ">", ">="])} ${name()}`;
    case 2:
      return `${name()} ${no()}BETWEEN ${any(["-1", name()])} AND ${any(["2", name()])}`;
    case 3:
      return `${name()} ${no()}IN (${any(["'1'", "'x', 'xy'", "'true', '1.0', ''"])})`;
    case 4:
      return `${name()} IS ${no()}NULL`;
    case 5:
      return `${name()} ${no()}${any(["CONTAINS", "STARTSWITH", "ENDSWITH"])} ${
        any(["'x'", "''"])
      }`;
    default:
      return any([name(), "TRUE", "false"]);
  }
}

test("compileSql() agrees with the rules read aloud, for random expressions", () => {
  const seen = [0, 0, 0];
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new Prng(seed);
    const sql = randomSql(random, 3);
    const expression = normal(parseSql(sql));
    const predicate = compileSql(parseSql(sql));
    const opposite = compileSql({ kind: "not", part: parseSql(sql) });
    for (let round = 0; round < 5; round++) {
      const message = new Map(
        names.filter(() => random.next() % 4 > 0).map((name) =>
          [name, values[random.next() % values.length]!] as const
        ),
      );
      const look = (name: string) => message.get(name);
      const found = predicate(look) ? 1 : opposite(look) ? -1 : 0;
      seen[found + 1]!++;
      const where = `seed ${seed}: ${sql} of ${JSON.stringify([...message])}`;
      assert.equal(found, naive(expression, message) + 0, where);
    }
  }
  assert.ok(seen.every((count) => count > 500), `every verdict is seen often: ${seen}`);
});

/** Numbers without exponents, which the naive rules cannot read. */
function normal(expression: SqlExpression): SqlExpression {
  return JSON.parse(JSON.stringify(expression), (key, value) => {
    return key === "text" && value === "1e1" ? "10" : value;
  });
}
