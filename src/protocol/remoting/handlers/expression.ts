/** What a consumer wants, as heartbeats, pulls and CHECK_CLIENT_CONFIG say it: 7.2, 7.3. @module */
import { BrokerError } from "../../../model/errors.ts";
import type { Expression } from "../../../model/subscription.ts";

/**
 * The expression of an `expressionType`, which old clients leave out, and its text.
 *
 * @throws {BrokerError} `filter_invalid`: a type that nobody knows.
 */
export function readExpression(type: string | undefined, text: string): Expression {
  switch (type) {
    case undefined:
    case "":
    case "TAG":
      return { language: "TAG", text: text === "" ? "*" : text };
    case "SQL92":
      return { language: "SQL92", text };
    default:
      throw new BrokerError(
        "filter_invalid",
        `Cannot filter by ${
          JSON.stringify(type.slice(0, 40))
        } expressions: there are TAG and SQL92`,
      );
  }
}
