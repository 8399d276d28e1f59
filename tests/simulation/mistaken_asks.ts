/**
 * Mistakes on the road to the shards: what is asked of them is changed on the way, or what they
 * answer, as if the door or a shard had it wrong.
 *
 * @module
 */
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { everything } from "../../src/model/subscription.ts";

/** Mistakes of this kind. */
export type AskMistake =
  | "hands out what has expired"
  | "hands out what nobody wants"
  | "gives a new group everything"
  | "keeps polls beyond their time"
  | "drops letters it is to send back";

type Ask = Readonly<Record<string, unknown>>;

/** What is asked instead; a table of the fields that are not as they should be. */
const mistaken: Readonly<Record<AskMistake, (name: string, ask: Ask) => Ask>> = {
  "hands out what has expired": (name, ask) => {
    return name === "receive" ? { ...ask, policy: { ...policyOf(ask), ttlMs: null } } : ask;
  },
  "hands out what nobody wants": (name, ask) => {
    return name === "receive" ? { ...ask, filter: everything } : ask;
  },
  "gives a new group everything": (name, ask) => {
    const policy = { ...policyOf(ask), startFrom: "earliest" };
    return name === "receive" ? { ...ask, policy } : ask;
  },
  "keeps polls beyond their time": (name, ask) => {
    return name === "pull" ? { ...ask, waitMs: Number(ask["waitMs"]) * 3 } : ask;
  },
  "drops letters it is to send back": (_, ask) => ask,
};

/** Whether a mistake is one of these. */
export function isAskMistake(mistake: string): mistake is AskMistake {
  return mistake in mistaken;
}

/** Puts the mistake in place. Answers how to take it back. */
export function mistakeAsks(mistake: AskMistake): () => void {
  const { ask, askParked } = ShardRouter.prototype;
  const change = mistaken[mistake];
  ShardRouter.prototype.ask = function (shard, name, request) {
    if (mistake === "drops letters it is to send back" && name === "redrive") {
      return dropLetters(this, shard, request as Ask) as ReturnType<typeof ask>;
    }
    return Reflect.apply(ask, this, [shard, name, change(name, request as Ask)]);
  };
  ShardRouter.prototype.askParked = function (shard, name, request, signal) {
    return Reflect.apply(askParked, this, [shard, name, change(name, request as Ask), signal]);
  };
  return () => Object.assign(ShardRouter.prototype, { ask, askParked });
}

async function dropLetters(router: ShardRouter, shard: number, { queueKey, items }: Ask) {
  const offsets = (items as { readonly offset: number }[]).map(({ offset }) => offset);
  const ask = { queueKey: Number(queueKey), offsets, endOffset: null };
  await router.ask(shard, "purgeLetters", ask);
  return { verdicts: offsets.map(() => "done") };
}

function policyOf(ask: Ask): Ask {
  return ask["policy"] as Ask;
}
