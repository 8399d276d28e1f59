/**
 * The words of an SQL92 expression. One pass, one character of look-ahead, no patterns: the time is
 * linear in the text whatever it holds.
 *
 *     name    := (letter | _ | $) (letter | digit | _ | $ | .)*
 *     number  := (digit+ [. digit*] | . digit+) [e [+|-] digit+]     digits alone may end in l
 *     text    := ' (character | '')* '
 *     symbol  := ( | ) | , | = | <> | > | >= | < | <= | + | -
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";

/** Words with a meaning of their own, in any case. A property cannot have such a name. */
export const sqlKeywords = [
  "AND",
  "OR",
  "NOT",
  "BETWEEN",
  "IN",
  "IS",
  "NULL",
  "TRUE",
  "FALSE",
  "CONTAINS",
  "STARTSWITH",
  "ENDSWITH",
] as const;

/** The symbols. */
export type SqlSymbol = "(" | ")" | "," | "=" | "<>" | ">" | ">=" | "<" | "<=" | "+" | "-";

/** One of `sqlKeywords`. */
export type SqlKeyword = (typeof sqlKeywords)[number];

/** A word and where it begins, counted from 0. The `text` of a text is what it stands for. */
export type SqlToken =
  & { readonly at: number; readonly end: number }
  & (
    | { readonly kind: "keyword"; readonly text: SqlKeyword }
    | { readonly kind: "symbol"; readonly text: SqlSymbol }
    | { readonly kind: "name" | "number" | "text" | "end"; readonly text: string }
  );

const keywords: ReadonlyMap<string, SqlKeyword> = new Map(sqlKeywords.map((word) => [word, word]));
const symbols: ReadonlySet<string> = new Set<SqlSymbol>(
  ["(", ")", ",", "=", "<>", ">", ">=", "<", "<=", "+", "-"],
);

/**
 * The words of `sql`, with an `end` behind the last.
 *
 * @throws {BrokerError} `filter_invalid`: a character no word begins with, an open text, a number
 *   that goes on as a name or is too long or too large.
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < sql.length) {
    if (isBlank(sql.charCodeAt(at))) {
      at++;
      continue;
    }
    const token = tokenAt(sql, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", at, end: at, text: "" });
  return tokens;
}

/** The refusal of an expression: where, what was expected, what was found. */
export function sqlFault(sql: string, at: number, says: string): BrokerError {
  const shown = JSON.stringify(sql.length > 80 ? `${sql.slice(0, 80)}…` : sql);
  return new BrokerError(
    "filter_invalid",
    `Cannot compile SQL92 expression ${shown}: at character ${at + 1} ${says}`,
  );
}

function tokenAt(sql: string, at: number): SqlToken {
  const code = sql.charCodeAt(at);
  if (isNameStart(code)) return nameAt(sql, at);
  if (isDigit(code) || (code === dot && isDigit(sql.charCodeAt(at + 1)))) return numberAt(sql, at);
  if (code === quote) return textAt(sql, at);
  for (const length of [2, 1]) {
    const text = sql.slice(at, at + length);
    if (isSymbol(text)) return { kind: "symbol", at, end: at + text.length, text };
  }
  const found = JSON.stringify(String.fromCodePoint(sql.codePointAt(at) ?? 0));
  const hint = found === '"!"'
    ? '; "not equal" is written <>'
    : code === doubleQuote
    ? "; texts stand between single quotes"
    : "";
  throw sqlFault(sql, at, `no word can begin with ${found}${hint}`);
}

function nameAt(sql: string, at: number): SqlToken {
  let end = at + 1;
  while (end < sql.length && isNamePart(sql.charCodeAt(end))) end++;
  const text = sql.slice(at, end);
  const keyword = keywords.get(text.toUpperCase());
  if (keyword !== undefined) return { kind: "keyword", at, end, text: keyword };
  return { kind: "name", at, end, text };
}

function numberAt(sql: string, at: number): SqlToken {
  let end = afterDigits(sql, at);
  let isWhole = true;
  if (sql.charCodeAt(end) === dot) {
    isWhole = false;
    end = afterDigits(sql, end + 1);
  }
  const afterExponent = exponentEnd(sql, end);
  if (afterExponent > end) isWhole = false;
  end = afterExponent;
  const text = sql.slice(at, end);
  // Java writes long constants so; the letter says nothing here.
  if (isWhole && (sql[end] === "l" || sql[end] === "L")) end++;
  if (end < sql.length && isNamePart(sql.charCodeAt(end))) {
    throw sqlFault(sql, end, `number ${shortened(text)} goes on with ${JSON.stringify(sql[end])}`);
  }
  if (text.length > limits.filterNumberLengthMax) {
    const found = `found one of ${text.length}`;
    throw sqlFault(
      sql,
      at,
      `expected a number of ${limits.filterNumberLengthMax} characters at most, ${found}`,
    );
  }
  if (!Number.isFinite(Number(text))) {
    throw sqlFault(sql, at, `number ${text} is beyond ${Number.MAX_VALUE}`);
  }
  return { kind: "number", at, end, text };
}

function exponentEnd(sql: string, at: number): number {
  if (sql[at] !== "e" && sql[at] !== "E") return at;
  const first = sql[at + 1] === "+" || sql[at + 1] === "-" ? at + 2 : at + 1;
  const end = afterDigits(sql, first);
  return end > first ? end : at;
}

function textAt(sql: string, at: number): SqlToken {
  let text = "";
  for (let start = at + 1;;) {
    const end = sql.indexOf("'", start);
    if (end === -1) throw sqlFault(sql, at, "a text begins that no ' ends");
    text += sql.slice(start, end);
    if (sql.charCodeAt(end + 1) !== quote) return { kind: "text", at, end: end + 1, text };
    text += "'";
    start = end + 2;
  }
}

function afterDigits(sql: string, at: number): number {
  let end = at;
  while (end < sql.length && isDigit(sql.charCodeAt(end))) end++;
  return end;
}

const dot = 0x2e;
const quote = 0x27;
const doubleQuote = 0x22;
const underscore = 0x5f;
const dollar = 0x24;

function isSymbol(text: string): text is SqlSymbol {
  return symbols.has(text);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Beyond ASCII only letters count; half of a surrogate pair is none. */
function isNameStart(code: number): boolean {
  const lower = code | 0x20;
  if (code < 0x80) {
    return (lower >= 0x61 && lower <= 0x7a) || code === underscore || code === dollar;
  }
  return /\p{L}/u.test(String.fromCharCode(code));
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || isDigit(code) || code === dot;
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
