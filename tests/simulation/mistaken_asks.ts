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
  | "drops letters it is to send back"
  | "explains without looking who has it"
  | "explains a rollback as undecided"
  | "explains without looking at moves";

type Ask = Readonly<Record<string, unknown>>;

const unchanged = (_name: string, ask: Ask): Ask => ask;

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
  "drops letters it is to send back": unchanged,
  "explains without looking who has it": unchanged,
  "explains a rollback as undecided": unchanged,
  "explains without looking at moves": unchanged,
};

/** Puts the mistake in place, if it is one of these. Whoever does puts the methods back. */
export function mistakeAsks(mistake: string): void {
  const { ask, askParked } = ShardRouter.prototype;
  const { [mistake]: change } = mistaken as Readonly<Partial<Record<string, typeof unchanged>>>;
  if (change === undefined) return;
  ShardRouter.prototype.ask = function (shard, name, request) {
    if (mistake === "drops letters it is to send back" && name === "redrive") {
      return dropLetters(this, shard, request as Ask) as ReturnType<typeof ask>;
    }
    const answer = Reflect.apply(ask, this, [shard, name, change(name, request as Ask)]);
    return answer.then((told: Ask) => mistakenAnswer(mistake, name, told));
  };
  ShardRouter.prototype.askParked = function (shard, name, request, signal) {
    return Reflect.apply(askParked, this, [shard, name, change(name, request as Ask), signal]);
  };
}

function mistakenAnswer(mistake: string, name: string, told: Ask): Ask {
  if (mistake === "explains without looking who has it" && name === "explainPlace") {
    return { ...told, open: null };
  }
  if (mistake === "explains without looking at moves" && name === "explainPlace") {
    return { ...told, moves: [] };
  }
  const half = name === "explainWaiting" ? told["half"] as Ask | null : null;
  const isMeant = mistake === "explains a rollback as undecided" && half !== null;
  return isMeant ? { ...told, half: { ...half, state: "prepared" } } : told;
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
