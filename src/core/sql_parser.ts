/**
 * SQL92 over properties, as RocketMQ's consumers write it, to an expression that is plain data.
 *
 *     condition  := conjunction (OR conjunction)*
 *     conjunction:= negation (AND negation)*
 *     negation   := NOT negation | predicate
 *     predicate  := primary [ comparison primary
 *                           | [NOT] BETWEEN primary AND primary
 *                           | [NOT] IN ( text, … )
 *                           | [NOT] CONTAINS text | [NOT] STARTSWITH text | [NOT] ENDSWITH text
 *                           | IS [NOT] NULL ]
 *     primary    := ( condition ) | name | [+|-] number | text | TRUE | FALSE
 *
 * A name alone means `name = TRUE`. Bounded three ways: bytes of text, nodes, and levels.
 * Differs from the stock parser where that one surprises: words behind the end are refused, and NOT
 * belongs to the whole predicate behind it, as in SQL, not to its first name.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { limits } from "../base/limits.ts";
import type { BrokerError } from "../model/errors.ts";
import type {
  SqlComparison,
  SqlExpression,
  SqlOperand,
  SqlSearch,
} from "../model/sql_expression.ts";
import { compareNumbers, sqlNumber } from "./sql_number.ts";
import {
  sqlFault,
  type SqlKeyword,
  type SqlSymbol,
  type SqlToken,
  sqlTokens,
} from "./sql_lexer.ts";

const comparisons: ReadonlySet<string> = new Set<SqlComparison>(
  ["=", "<>", ">", ">=", "<", "<="],
);
const searches: ReadonlyMap<string, SqlSearch> = new Map([
  ["CONTAINS", "contains"],
  ["STARTSWITH", "starts-with"],
  ["ENDSWITH", "ends-with"],
]);

const numeric = "a property or a number";
const kindNames: Readonly<Record<SqlOperand["kind"], string>> = {
  property: "a property",
  number: "a number",
  text: "a text",
  truth: "TRUE or FALSE",
};

/** A primary: its place is told when it turns out to be of the wrong kind. */
type Primary =
  & { readonly at: number }
  & (
    | { readonly kind: "operand"; readonly operand: SqlOperand }
    | { readonly kind: "condition"; readonly condition: SqlExpression }
  );

/**
 * Reads an expression.
 *
 * @throws {BrokerError} `filter_invalid`, with the place, counted from 1, and what was expected.
 */
export function parseSql(sql: string): SqlExpression {
  // A character has at least one byte, so a huge text is not even measured.
  const bytes = sql.length > limits.filterBytesMax ? sql.length : utf8(sql).length;
  if (bytes > limits.filterBytesMax) {
    const found = `the text has ${bytes} bytes or more`;
    throw sqlFault(sql, 0, `${found}, and at most ${limits.filterBytesMax} are allowed`);
  }
  return new SqlParser(sql).whole();
}

class SqlParser {
  readonly #sql: string;
  /** Bounded by the bytes of the text. */
  readonly #tokens: readonly SqlToken[];
  #next = 0;
  #nodes = 0;
  #depth = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = sqlTokens(sql);
  }

  whole(): SqlExpression {
    const start = this.#peek().at;
    const condition = this.#asCondition(this.#condition(), start);
    if (this.#peek().kind !== "end") throw this.#expected("AND, OR or the end");
    return condition;
  }

  #condition(): Primary {
    return this.#joined("or", "OR", () => this.#joined("and", "AND", () => this.#negation()));
  }

  /** Chains are flat, so that a long one nests no deeper than a short one. */
  #joined(kind: "and" | "or", word: SqlKeyword, part: () => Primary): Primary {
    const first = part();
    if (!this.#isKeyword(word)) return first;
    const parts = [this.#asCondition(first, first.at)];
    while (this.#take(word)) {
      const { at } = this.#peek();
      parts.push(this.#asCondition(part(), at));
    }
    return this.#made(first.at, { kind, parts });
  }

  #negation(): Primary {
    const { at } = this.#peek();
    if (!this.#take("NOT")) return this.#predicate();
    const part = this.#nested(at, () => this.#negation());
    return this.#made(at, { kind: "not", part: this.#asCondition(part, part.at) });
  }

  #predicate(): Primary {
    const left = this.#primary();
    const token = this.#peek();
    if (token.kind === "symbol" && isComparison(token.text)) {
      this.#next++;
      return this.#comparison(left, token.text);
    }
    if (this.#take("IS")) {
      const isNegated = this.#take("NOT");
      if (!this.#take("NULL")) throw this.#expected(isNegated ? "NULL" : "NULL or NOT NULL");
      return this.#made(left.at, { kind: "null", isNegated, property: this.#asProperty(left) });
    }
    const isNegated = this.#take("NOT");
    if (this.#take("BETWEEN")) return this.#between(left, isNegated);
    if (this.#take("IN")) return this.#in(left, isNegated);
    const word = this.#peek();
    const search = word.kind === "keyword" ? searches.get(word.text) : undefined;
    if (search !== undefined) {
      this.#next++;
      const property = this.#asProperty(left);
      const text = this.#text();
      return this.#made(left.at, { kind: "search", isNegated, search, property, text });
    }
    if (isNegated) throw this.#expected("BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH");
    return left;
  }

  #comparison(first: Primary, comparison: SqlComparison): Primary {
    const second = this.#primary();
    const isEquality = comparison === "=" || comparison === "<>";
    const wanted = isEquality ? "a property, a number, a text, TRUE or FALSE" : numeric;
    const left = this.#asOperand(first, wanted);
    const right = this.#asOperand(second, wanted);
    if (!isEquality) {
      this.#checkNumeric(left, first.at);
      this.#checkNumeric(right, second.at);
    } else if (left.kind !== right.kind && left.kind !== "property" && right.kind !== "property") {
      throw this.#mismatch(second.at, kindNames[left.kind], right);
    }
    return this.#made(first.at, { kind: "compare", comparison, left, right });
  }

  #between(first: Primary, isNegated: boolean): Primary {
    const value = this.#numericOperand(first);
    const low = this.#numericOperand(this.#primary());
    if (!this.#take("AND")) throw this.#expected("AND and the upper bound");
    const last = this.#primary();
    const high = this.#numericOperand(last);
    if (low.kind === "number" && high.kind === "number" && isBelow(high.text, low.text)) {
      const says = `expected a bound that is not below ${low.text}, found ${high.text}`;
      throw sqlFault(this.#sql, last.at, says);
    }
    return this.#made(first.at, { kind: "between", isNegated, value, low, high });
  }

  #in(first: Primary, isNegated: boolean): Primary {
    const property = this.#asProperty(first);
    if (!this.#take("(")) throw this.#expected("( and a list of texts");
    const texts = [this.#text()];
    while (this.#take(",")) texts.push(this.#text());
    if (!this.#take(")")) throw this.#expected(", or )");
    return this.#made(first.at, { kind: "in", isNegated, property, texts: [...new Set(texts)] });
  }

  #primary(): Primary {
    const token = this.#peek();
    const { at } = token;
    if (this.#take("(")) {
      const inner = this.#nested(at, () => this.#condition());
      if (!this.#take(")")) throw this.#expected("AND, OR or )");
      return inner;
    }
    if (this.#isKeyword("TRUE") || this.#isKeyword("FALSE")) {
      this.#next++;
      return this.#operand(at, { kind: "truth", value: token.text === "TRUE" });
    }
    if (token.kind === "name") {
      this.#next++;
      return this.#operand(at, { kind: "property", name: token.text });
    }
    if (token.kind === "text") return this.#operand(at, { kind: "text", text: this.#text() });
    const sign = this.#take("-") ? "-" : this.#take("+") ? "" : undefined;
    const number = this.#peek();
    if (number.kind === "number") {
      this.#next++;
      return this.#operand(at, { kind: "number", text: (sign ?? "") + number.text });
    }
    throw this.#expected(sign === undefined ? "a property, a value, NOT or (" : "a number");
  }

  #nested(at: number, work: () => Primary): Primary {
    if (++this.#depth > limits.filterDepthMax) {
      const says = `expected no more than ${limits.filterDepthMax} levels of ( and NOT`;
      throw sqlFault(this.#sql, at, `${says}, found another`);
    }
    const inner = work();
    this.#depth--;
    return inner;
  }

  #text(): string {
    const token = this.#peek();
    if (token.kind !== "text") throw this.#expected("a text between single quotes");
    this.#next++;
    return token.text;
  }

  #made(at: number, condition: SqlExpression): Primary {
    this.#count(at);
    return { kind: "condition", at, condition };
  }

  #operand(at: number, operand: SqlOperand): Primary {
    this.#count(at);
    return { kind: "operand", at, operand };
  }

  #count(at: number): void {
    if (++this.#nodes <= limits.filterNodesMax) return;
    const most = `expected at most ${limits.filterNodesMax} values and conditions`;
    throw sqlFault(this.#sql, at, `${most}, found more; IN takes a list as one`);
  }

  #asCondition(primary: Primary, at: number): SqlExpression {
    if (primary.kind === "condition") return primary.condition;
    const { operand } = primary;
    if (operand.kind === "truth") return { kind: "constant", value: operand.value };
    if (operand.kind === "property") {
      const right = { kind: "truth", value: true } as const;
      return { kind: "compare", comparison: "=", left: operand, right };
    }
    throw this.#mismatch(at, "a condition", operand);
  }

  #asOperand(primary: Primary, wanted: string): SqlOperand {
    if (primary.kind === "operand") return primary.operand;
    throw sqlFault(this.#sql, primary.at, `expected ${wanted}, found a condition`);
  }

  #asProperty(primary: Primary): string {
    const operand = this.#asOperand(primary, "a property");
    if (operand.kind === "property") return operand.name;
    throw this.#mismatch(primary.at, "a property", operand);
  }

  #numericOperand(primary: Primary): SqlOperand {
    const operand = this.#asOperand(primary, numeric);
    this.#checkNumeric(operand, primary.at);
    return operand;
  }

  #checkNumeric(operand: SqlOperand, at: number): void {
    if (operand.kind === "property" || operand.kind === "number") return;
    throw this.#mismatch(at, numeric, operand);
  }

  #mismatch(at: number, wanted: string, { kind }: SqlOperand): BrokerError {
    return sqlFault(this.#sql, at, `expected ${wanted}, found ${kindNames[kind]}`);
  }

  #peek(): SqlToken {
    // The last one is the end, which nothing takes.
    return this.#tokens[this.#next]!;
  }

  #isKeyword(word: SqlKeyword): boolean {
    const token = this.#peek();
    return token.kind === "keyword" && token.text === word;
  }

  /** Takes the next word if it is `word`. */
  #take(word: SqlKeyword | SqlSymbol): boolean {
    const token = this.#peek();
    if ((token.kind !== "keyword" && token.kind !== "symbol") || token.text !== word) return false;
    this.#next++;
    return true;
  }

  #expected(what: string): BrokerError {
    const { kind, at, end } = this.#peek();
    const text = this.#sql.slice(at, Math.min(end, at + 40));
    const found = kind === "end" ? "the end" : JSON.stringify(text);
    return sqlFault(this.#sql, at, `expected ${what}, found ${found}`);
  }
}

function isComparison(text: string): text is SqlComparison {
  return comparisons.has(text);
}

function isBelow(one: string, other: string): boolean {
  const [first, second] = [sqlNumber(one), sqlNumber(other)];
  return first !== null && second !== null && compareNumbers(first, second) < 0;
}
