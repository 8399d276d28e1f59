/**
 * Transactions: half messages whose fate is written in their bodies, so that whoever is asked about
 * one decides the same, also of one whose receipt was lost.
 *
 *     commit, rollback   decided by who began it, again and again until the broker answers
 *     asked-commit, asked-rollback   decided only when the broker asks
 *     contested          both verdicts at once: one of them holds
 *     never              nobody ever decides
 *
 * @module
 */
import { limits } from "../../../src/base/limits.ts";
import { pause } from "../../support/until.ts";
import { asked, keepOn, refuseMistakes, type Stage } from "./actor.ts";
import { timerDelayMsMax } from "./timers.ts";

const fates = [
  "commit",
  "commit",
  "rollback",
  "asked-commit",
  "asked-rollback",
  "contested",
  "never",
] as const;
type Fate = (typeof fates)[number];
type Verdict = "commit" | "rollback";

const producerGroup = "chaos-deciders";
const thinkMsMax = 300;
const checkWaitMs = 300;
const retryPauseMs = 50;

/** One producer of transactions. */
export async function beginTransactions(stage: Stage, name: string): Promise<void> {
  let serial = 0;
  const { journal, topic, prng } = stage;
  await keepOn(stage, async () => {
    const fate = prng.pick(fates);
    const body = `${fate}:${name}-${serial++}`;
    const delayMs = prng.chance(0.2) ? prng.int(timerDelayMsMax) : 0;
    const dueMs = delayMs > 0 ? { dueMs: Date.now() + delayMs } : {};
    journal.note([{ deed: "sent", body, isHalf: true, ...dueMs }]);
    const message = { body, ...(delayMs > 0 ? { delayMs } : {}) };
    const ask = { topic, producerGroup, message, immunityMs: limits.transactionCheckMsMin };
    const { transactionId } = await asked(stage, "POST /v1/transactions", ask);
    journal.note([{ deed: "armed", body, handle: transactionId }]);
    await pause(prng.int(thinkMsMax));
    await Promise.all(
      ownVerdicts(fate).map((verdict) => {
        return decide(stage, body, transactionId, verdict);
      }),
    );
  });
}

/** One producer that answers the broker's questions. */
export async function answerChecks(stage: Stage): Promise<void> {
  await keepOn(stage, async () => {
    const path = `/v1/producers/${producerGroup}/checks`;
    const { checks } = await asked(stage, `POST ${path}`, { waitMs: checkWaitMs, max: 32 });
    for (const { transactionId, message: { body } } of checks) {
      const verdict = answerTo(body.slice(0, body.indexOf(":")));
      if (verdict !== null) await decide(stage, body, transactionId, verdict);
    }
  });
}

function ownVerdicts(fate: Fate): readonly Verdict[] {
  if (fate === "commit" || fate === "rollback") return [fate];
  return fate === "contested" ? ["commit", "rollback"] : [];
}

function answerTo(fate: string): Verdict | null {
  if (fate === "commit" || fate === "asked-commit" || fate === "contested") return "commit";
  return fate === "rollback" || fate === "asked-rollback" ? "rollback" : null;
}

/** Says it until it is answered: a verdict repeated is answered with what was decided. */
async function decide(stage: Stage, body: string, id: string, verdict: Verdict): Promise<void> {
  const { journal, ending } = stage;
  journal.note([{ deed: "asked", body, wish: verdict }]);
  while (!ending.isOver) {
    try {
      const answer = await asked(stage, `POST /v1/transactions/${id}/${verdict}`, {});
      journal.note([{ deed: "told", body, wish: verdict, verdict: answer.state }]);
      return;
    } catch (thrown) {
      refuseMistakes(thrown);
      await pause(retryPauseMs);
    }
  }
}
