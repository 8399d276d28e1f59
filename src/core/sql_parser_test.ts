import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { SqlExpression } from "../model/sql_expression.ts";
import { parseSql } from "./sql_parser.ts";

/** An expression in one line, with a bracket around everything. */
function shown(expression: SqlExpression): string {
  switch (expression.kind) {
    case "constant":
      return String(expression.value);
    case "and":
    case "or":
      return `(${expression.parts.map(shown).join(` ${expression.kind} `)})`;
    case "not":
      return `not ${shown(expression.part)}`;
    case "compare":
      return `${value(expression.left)}${expression.comparison}${value(expression.right)}`;
    case "between": {
      const { low, high, isNegated } = expression;
      return `${value(expression.value)}${isNegated ? "!" : ""}[${value(low)},${value(high)}]`;
    }
    case "in":
      return `${expression.property}${expression.isNegated ? "!" : ""}{${expression.texts}}`;
    case "null":
      return `${expression.property}${expression.isNegated ? "!" : ""}?`;
    case "search":
      return `${expression.property}${expression.isNegated ? "!" : ""} ${expression.search} ` +
        `'${expression.text}'`;
  }
}

function value(operand: (SqlExpression & { kind: "compare" })["left"]): string {
  if (operand.kind === "property") return operand.name;
  if (operand.kind === "truth") return String(operand.value).toUpperCase();
  return operand.kind === "text" ? `'${operand.text}'` : operand.text;
}

const good: readonly (readonly [string, string])[] = [
  ["a = 1", "a=1"],
  ["a<>1", "a<>1"],
  ["a>1", "a>1"],
  ["a >= 1", "a>=1"],
  ["1 < a", "1<a"],
  ["a <= b", "a<=b"],
  ["a = -5", "a=-5"],
  ["a = - 5", "a=-5"],
  ["a = +5.5", "a=5.5"],
  ["a = .5", "a=.5"],
  ["a = 5.", "a=5."],
  ["a = 5e3", "a=5e3"],
  ["a = 1.5E-3", "a=1.5E-3"],
  ["a = 7L", "a=7"],
  ["a = 12345678901234567890", "a=12345678901234567890"],
  ["a = 'it''s'", "a='it's'"],
  ["a = ''", "a=''"],
  ["a = ''''", "a='''"],
  ["a = TRUE", "a=TRUE"],
  ["a <> false", "a<>FALSE"],
  ["TRUE", "true"],
  ["a", "a=TRUE"],
  ["not a", "not a=TRUE"],
  ["(a) = ('x')", "a='x'"],
  ["((a = 1))", "a=1"],
  ["a = 1 and b = 2 or c = 3", "((a=1 and b=2) or c=3)"],
  ["a = 1 or b = 2 and c = 3", "(a=1 or (b=2 and c=3))"],
  ["(a = 1 or b = 2) and c = 3", "((a=1 or b=2) and c=3)"],
  ["a = 1 and b = 2 and c = 3", "(a=1 and b=2 and c=3)"],
  ["not a = 1 and b = 2", "(not a=1 and b=2)"],
  ["not (a = 1 and b = 2)", "not (a=1 and b=2)"],
  ["NOT NOT a > 1", "not not a>1"],
  ["a between 1 and 5 and b = 1", "(a[1,5] and b=1)"],
  ["a NOT BETWEEN -1 AND b", "a![-1,b]"],
  ["3 between a and b", "3[a,b]"],
  ["a in ('x')", "a{x}"],
  ["a NOT IN ('x', 'y','x')", "a!{x,y}"],
  ["a is null", "a?"],
  ["a IS NOT NULL or not b Is NuLl", "(a!? or not b?)"],
  ["a contains 'x'", "a contains 'x'"],
  ["a not contains 'x'", "a! contains 'x'"],
  ["a StartsWith 'x'", "a starts-with 'x'"],
  ["a NOT ENDSWITH ''", "a! ends-with ''"],
  ["TAGS = 'a' AND _x.$y1 > 2", "(TAGS='a' and _x.$y1>2)"],
  ["größe > 2", "größe>2"],
  ["\ta\n=\r\n1 ", "a=1"],
  ["android = 1 and inner = 2", "(android=1 and inner=2)"],
  ["1 = 1", "1=1"],
];

test("parseSql() reads every form, with SQL's precedence", () => {
  for (const [sql, wanted] of good) assert.equal(shown(parseSql(sql)), wanted, sql);
});

const bad: readonly (readonly [string, number, RegExp])[] = [
  ["", 1, /expected a property, a value, NOT or \(, found the end/],
  ["   ", 4, /found the end/],
  ["a = 1 b", 7, /expected AND, OR or the end, found "b"/],
  ["a = 1)", 6, /expected AND, OR or the end, found "\)"/],
  ["a = b = c", 7, /found "="/],
  ["a =", 4, /expected a property, a value, NOT or \(, found the end/],
  ["a = and", 5, /found "and"/],
  ["(a = 1", 7, /expected AND, OR or \), found the end/],
  ["a between 1 and", 16, /found the end/],
  ["a between 1 or 2", 13, /expected AND and the upper bound, found "or"/],
  ["a between 5 and 1", 17, /expected a bound that is not below 5, found 1/],
  ["a between 'x' and 'y'", 11, /expected a property or a number, found a text/],
  ["a in 'x'", 6, /expected \( and a list of texts/],
  ["a in ()", 7, /expected a text between single quotes, found "\)"/],
  ["a in (1)", 7, /expected a text between single quotes, found "1"/],
  ["a in ('x' 'y')", 11, /expected , or \)/],
  ["a in ('x',)", 11, /expected a text/],
  ["'a' in ('x')", 1, /expected a property, found a text/],
  ["a is 1", 6, /expected NULL or NOT NULL, found "1"/],
  ["a is not 1", 10, /expected NULL, found "1"/],
  ["a = null", 5, /found "null"/],
  ["(a = 1) is null", 2, /expected a property, found a condition/],
  ["a not = 1", 7, /expected BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH, found "="/],
  ["a contains x", 12, /expected a text between single quotes, found "x"/],
  ["a > 'x'", 5, /expected a property or a number, found a text/],
  ["a > true", 5, /found TRUE or FALSE/],
  ["a < (b = 1)", 6, /expected a property or a number, found a condition/],
  ["1 = 'x'", 5, /expected a number, found a text/],
  ["true = 1", 8, /expected TRUE or FALSE, found a number/],
  ["5", 1, /expected a condition, found a number/],
  ["'x' and a", 1, /expected a condition, found a text/],
  ["a and 'x'", 7, /expected a condition, found a text/],
  ["not 5", 5, /expected a condition, found a number/],
  ["a = 'x", 5, /a text begins that no ' ends/],
  ["a = 'x''", 5, /a text begins that no ' ends/],
  ['a = "x"', 5, /no word can begin with "\\"".*between single quotes/],
  ["a != 1", 3, /no word can begin with "!".*written <>/],
  ["a == 1", 4, /found "="/],
  ["a = 1x", 6, /number 1 goes on with "x"/],
  ["a = 1.2.3", 8, /number 1\.2 goes on with "\."/],
  ["a = 5.5L", 8, /goes on with "L"/],
  ["a = 1e", 6, /number 1 goes on with "e"/],
  ["a = 1e999", 5, /beyond 1\.79/],
  [`a = ${"9".repeat(65)}`, 5, /64 characters at most, found one of 65/],
  ["a = -b", 6, /expected a number, found "b"/],
  ["a = --1", 6, /expected a number, found "-"/],
  ["a + 1 > 2", 3, /found "\+"/],
  ["a like 'x%'", 3, /found "like"/],
  ["a = 1; drop", 6, /no word can begin with ";"/],
  ["a = 😀", 5, /no word can begin with "😀"/],
  ["f(a) = 1", 2, /found "\("/],
];

function refusal(sql: string): string {
  try {
    parseSql(sql);
  } catch (thrown) {
    assert(thrown instanceof BrokerError);
    assert.equal(thrown.code, "filter_invalid");
    return thrown.message;
  }
  return "none";
}

test("parseSql() refuses with the place, what was expected and what was found", () => {
  for (const [sql, at, says] of bad) {
    const message = refusal(sql);
    assert.match(message, says, sql);
    assert.match(message, new RegExp(`at character ${at} `), sql);
  }
});

test("parseSql() counts bytes, up to the limit and no further", () => {
  const sql = (bytes: number) => `a = '${"x".repeat(bytes - 6)}'`;
  assert.equal(refusal(sql(limits.filterBytesMax)), "none");
  assert.match(refusal(sql(limits.filterBytesMax + 1)), /4097 bytes or more.*4096/);
  assert.match(refusal(`a = '${"é".repeat(2046)}'`), /4098 bytes/);
});

test("parseSql() counts levels of brackets and NOT, up to the limit and no further", () => {
  const nested = (levels: number) => `${"(".repeat(levels)}a${")".repeat(levels)}`;
  assert.equal(refusal(nested(limits.filterDepthMax)), "none");
  assert.match(refusal(nested(limits.filterDepthMax + 1)), /no more than 64 levels/);
  assert.equal(refusal(`${"not ".repeat(limits.filterDepthMax)}a`), "none");
  assert.match(refusal(`${"not ".repeat(limits.filterDepthMax + 1)}a`), /no more than 64 levels/);
  const wide = Array.from({ length: 30 }, () => "(a)").join(" and ");
  assert.equal(refusal(wide), "none", "brackets beside each other do not nest");
});

test("parseSql() counts nodes, up to the limit and no further; a list is one", () => {
  const chain = (parts: number) => Array.from({ length: parts }, () => "a = 1").join(" or ");
  const most = Math.floor((limits.filterNodesMax - 1) / 3);
  assert.equal(refusal(chain(most)), "none");
  assert.match(refusal(chain(most + 1)), /at most 128 values and conditions/);
  const list = Array.from({ length: 400 }, (_, index) => `'${index}'`).join(",");
  assert.equal(refusal(`a in (${list})`), "none");
});

test("parseSql() gives data that survives JSON", () => {
  for (const [sql] of good) {
    const expression = parseSql(sql);
    assert.deepEqual(JSON.parse(JSON.stringify(expression)), expression);
  }
});
