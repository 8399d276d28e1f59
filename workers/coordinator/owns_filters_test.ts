import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoordinatorNews } from "../../src/link/coordinator_messages.ts";
import type { Subscription } from "../../src/model/subscription.ts";
import { OwnsFilters } from "./owns_filters.ts";

function wishes(...texts: readonly (readonly [string, string, number])[]) {
  return new Map(texts.map(([topic, text, version]): [string, Subscription] => {
    const expression = { language: "TAG", text } as const;
    return [topic, { topic, expression, version }];
  }));
}

/** The owner, and what it told, in short. */
function listened() {
  const told: string[] = [];
  const filters = new OwnsFilters((news: CoordinatorNews) => {
    if (news.kind === "subscription") {
      const { topic, expression, version } = news.subscription;
      told.push(`${topic} wants ${expression.text} ${version}`);
    } else if (news.kind === "unsubscribed") told.push(`${news.topic} ends`);
  });
  return { filters, news: () => told.splice(0) };
}

test("OwnsFilters.refresh() tells what changed, and nothing twice", () => {
  const { filters, news } = listened();
  filters.refresh("g", wishes(["t", "A", 1], ["u", "*", 1]));
  assert.deepEqual(news(), ["t wants A 1", "u wants * 1"]);
  filters.refresh("g", wishes(["t", "A", 1], ["u", "B", 1]));
  assert.deepEqual(news(), ["u wants B 1"]);
  filters.refresh("g", wishes(["u", "B", 1]));
  assert.deepEqual(news(), ["t ends"]);
  filters.refresh("g", wishes());
  assert.deepEqual(news(), ["null ends"]);
  filters.refresh("g", wishes());
  assert.deepEqual(news(), []);
});

test("OwnsFilters.refresh() keeps what was told when the newer wish cannot be compiled", () => {
  const { filters, news } = listened();
  filters.refresh("g", wishes(["t", "A", 1]));
  news();
  filters.refresh("g", wishes(["t", "||", 2], ["u", "B", 1]));
  assert.deepEqual(news(), ["u wants B 1"]);
});

test("OwnsFilters.faultsOf() names every fault with its group and topic", () => {
  const { filters } = listened();
  const consumers = [{
    group: "g",
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING" as const,
    consumeFromWhere: "",
    subscriptions: [...wishes(["t", "||", 1], ["u", "B", 1], ["v", "||", 1]).values()],
  }];
  const fault = filters.faultsOf(consumers);
  assert.equal(fault?.code, "filter_invalid");
  assert.match(fault?.message ?? "", /group "g" on topic "t": .*group "g" on topic "v": /);
  assert.equal(filters.faultsOf([]), null);
});

test("OwnsFilters.compile() answers equal expressions with the same filter", () => {
  const { filters } = listened();
  const expression = { language: "TAG", text: "A" } as const;
  assert.equal(filters.compile(expression), filters.compile({ ...expression }));
  assert.throws(() => filters.compile({ language: "TAG", text: "||" }), /names no tag/);
});
