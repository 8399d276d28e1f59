/**
 * A compiled SQL92 expression as plain data: it crosses threads as JSON, so there is no
 * `undefined`, no `bigint` and no function in it.
 *
 * @module
 */

/** What stands beside an operator. A number keeps its text: 64-bit ids do not fit a `number`. */
export type SqlOperand =
  | { readonly kind: "property"; readonly name: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "truth"; readonly value: boolean };

/** The comparisons. `=` and `<>` also take texts and truths, the others only numbers. */
export type SqlComparison = "=" | "<>" | ">" | ">=" | "<" | "<=";

/** Where a text is looked for in a property. */
export type SqlSearch = "contains" | "starts-with" | "ends-with";

/** A condition: true, false or unknown of any message. `and` and `or` have at least two parts. */
export type SqlExpression =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "and" | "or"; readonly parts: readonly SqlExpression[] }
  | { readonly kind: "not"; readonly part: SqlExpression }
  | {
    readonly kind: "compare";
    readonly comparison: SqlComparison;
    readonly left: SqlOperand;
    readonly right: SqlOperand;
  }
  | {
    readonly kind: "between";
    readonly isNegated: boolean;
    readonly value: SqlOperand;
    readonly low: SqlOperand;
    readonly high: SqlOperand;
  }
  | {
    readonly kind: "in";
    readonly isNegated: boolean;
    readonly property: string;
    readonly texts: readonly string[];
  }
  | { readonly kind: "null"; readonly isNegated: boolean; readonly property: string }
  | {
    readonly kind: "search";
    readonly isNegated: boolean;
    readonly search: SqlSearch;
    readonly property: string;
    readonly text: string;
  };
