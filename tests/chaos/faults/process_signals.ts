/**
 * What a process may be told: to pause, to end, and that somebody else is there already.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ask } from "../../support/broker_api.ts";
import { NotReadyError, startBroker } from "../../support/broker_process.ts";
import { pause, until } from "../../support/until.ts";
import type { ProofOptions } from "../report.ts";
import { judge, startAgain, untilSending, withScene } from "../scene.ts";

const stopMsMax = 5_000;
const parkedPolls = 40;
const pollWaitMs = 30_000;

/** SIGSTOP for a while, SIGCONT: clients wait or fail, nothing acknowledged is lost. */
export function paused({ seed }: ProofOptions): Promise<string> {
  return withScene({ seed }, async (scene) => {
    scene.load.start(1, 1);
    for (const pauseMs of [300, 3_000]) {
      await untilSending(scene);
      scene.broker.kill("SIGSTOP");
      await pause(pauseMs);
      scene.broker.kill("SIGCONT");
    }
    await untilSending(scene);
    return await judge(scene);
  });
}

/** SIGTERM under load: parked polls are answered, commits finished, exit 0 in time. */
export function stopsInOrder({ seed }: ProofOptions): Promise<string> {
  return withScene({ seed }, async (scene) => {
    const { broker, load } = scene;
    await ask(broker.http, "PUT /v1/topics/silent", { queues: 1 });
    const polls = Array.from({ length: parkedPolls }, () => poll(broker.http));
    load.start(2, 1);
    await untilSending(scene);
    await until("the polls to be parked", 10_000, async () => {
      const { json } = await ask(broker.http, "GET /metrics");
      const row = /curlew_shard_parked_polls\{[^}]*\} (\d+)/.exec(String(json));
      return Number(row?.[1]) >= parkedPolls;
    });
    const beganMs = performance.now();
    broker.kill("SIGTERM");
    const end = await broker.ended;
    const tookMs = Math.round(performance.now() - beganMs);
    assert.deepEqual(end, { code: 0, signal: null }, broker.log());
    assert.ok(tookMs <= stopMsMax, `it took ${tookMs} ms to end`);
    const outcomes = await Promise.all(polls);
    const answered = outcomes.filter((outcome) => outcome === "answered").length;
    assert.equal(answered, parkedPolls, `polls came to ${[...new Set(outcomes)].join(", ")}`);
    await load.stop();
    await startAgain(scene);
    return `exit 0 after ${tookMs} ms, ${answered} parked polls answered; ${await judge(scene)}`;
  });
}

/** A second start on the directory is refused by name; the first goes on. */
export function secondStart({ seed }: ProofOptions): Promise<string> {
  return withScene({ seed }, async (scene) => {
    scene.load.start(1, 1);
    await untilSending(scene);
    const { data } = scene.start;
    const refused = await startBroker({ data }).then(
      () => assert.fail("a second broker was started on the same directory"),
      (thrown) => thrown,
    );
    assert.ok(refused instanceof NotReadyError, String(refused));
    assert.notEqual(refused.ended?.code, 0);
    assert.match(refused.message, new RegExp(`process ${scene.broker.pid}\\b`));
    await untilSending(scene);
    return `refused by the name of process ${scene.broker.pid}; ${await judge(scene)}`;
  });
}

/** One long poll that nothing will come for. */
async function poll(http: string): Promise<string> {
  const path = "/v1/topics/silent/groups/chaos/receive";
  try {
    const answer = await ask(http, `POST ${path}`, { waitMs: pollWaitMs }, pollWaitMs + 5_000);
    return answer.status === 200 || answer.status === 503 ? "answered" : `status ${answer.status}`;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
