/**
 * A member of a group that does what members do: most of the time it acknowledges, now and then it
 * gives back, and now and then it forgets.
 *
 * @module
 */
import type { ReadMessage } from "../../support/broker_api.ts";
import { asked, keepOn, type Stage } from "./actor.ts";

/** Short, so that what a dead broker had handed out comes again within the run. */
const invisibleMs = 3_000;
const waitMs = 200;
const receiveMax = 32;
const giveBackShare = 0.02;
const forgetShare = 0.005;
const giveBackDelayMs = 100;

/** One member, to the end. */
export async function consume(stage: Stage, group: string, clientId: string): Promise<void> {
  const path = `/v1/topics/${stage.topic}/groups/${group}`;
  const wish = { max: receiveMax, waitMs, invisibleMs, clientId };
  await keepOn(stage, async () => {
    const { messages } = await asked(stage, `POST ${path}/receive`, wish);
    const handed: readonly ReadMessage[] = messages;
    const atMs = Date.now();
    stage.journal.note(handed.map(({ body = "", queueId, offset, storedMs }) => {
      return { deed: "delivered", body, queueId, offset, storedMs, atMs };
    }));
    const [givenBack, rest] = split(handed, () => stage.prng.chance(giveBackShare));
    const [, kept] = split(rest, () => stage.prng.chance(forgetShare));
    if (givenBack.length > 0) {
      const receipts = givenBack.map(({ receipt }) => receipt);
      await asked(stage, `POST ${path}/nack`, { receipts, delayMs: giveBackDelayMs });
    }
    if (kept.length > 0) await settle(stage, path, kept);
  });
}

async function settle(stage: Stage, path: string, messages: readonly ReadMessage[]): Promise<void> {
  const { journal } = stage;
  journal.note(messages.map(({ body = "" }) => ({ deed: "settling", body })));
  const receipts = messages.map(({ receipt }) => receipt);
  const { verdicts } = await asked(stage, `POST ${path}/ack`, { receipts });
  const isDone = (at: number) => verdicts[at]?.verdict === "done";
  journal.note(
    messages.filter((_, at) => isDone(at)).map(({ body = "" }) => ({ deed: "settled", body })),
  );
}

function split<T>(all: readonly T[], isFirst: () => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []];
  for (const each of all) (isFirst() ? first : second).push(each);
  return [first, second];
}
