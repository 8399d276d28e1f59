import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { defaultGroupSettings } from "../model/group.ts";
import {
  checkGroupSettings,
  checkTopicSettings,
  differing,
  withSettings,
} from "./registry_settings.ts";

/** What is wrong, or "fine". */
function faultOf(work: () => void): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BrokerError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "fine";
}

test("checkTopicSettings() names attempt, fault and what was found, for each fault", () => {
  assert.equal(
    faultOf(() => checkTopicSettings("t", { queues: 0, perm: 6, deleteUnread: true })),
    'invalid_argument: Cannot set up topic "t": ' +
      "queues must be a whole number from 1 to 1024, found 0",
  );
  assert.match(
    faultOf(() => checkTopicSettings("t", { queues: 1.5, perm: 8 })),
    /queues .* found 1\.5; perm .* from 0 to 7, found 8$/,
  );
});

test("checkTopicSettings() bounds attributes by number and length", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`name-${at}`, "value"]));
  const check = (attributes: Record<string, string>) =>
    faultOf(() => checkTopicSettings("t", { attributes }));
  const long = "x".repeat(limits.attributeLengthMax);

  assert.equal(check(many(limits.attributesPerTopicMax)), "fine");
  assert.equal(check({ [long]: long }), "fine");
  assert.match(check(many(limits.attributesPerTopicMax + 1)), /at most 64 names/);
  assert.match(check({ name: `${long}x` }), /up to 1024 characters/);
});

test("checkGroupSettings() bounds the ladder of retries", () => {
  const check = (retryDelaysMs: number[]) =>
    faultOf(() => checkGroupSettings("g", { retryDelaysMs }));
  const steps = new Array<number>(limits.retryDelaysMax).fill(0);

  assert.equal(check(steps), "fine");
  assert.equal(check([limits.delayMsMax]), "fine");
  for (const wrong of [[], [...steps, 0], [-1], [0.5], [limits.delayMsMax + 1]]) {
    assert.match(check(wrong), /^invalid_argument: .* retryDelaysMs must be 1 to 64 delays/);
  }
});

test("differing() names what is given and differs, whatever its order", () => {
  const inForce = { ...defaultGroupSettings, attemptsMax: 3 };
  assert.deepEqual(differing(inForce, {}), []);
  assert.deepEqual(differing(inForce, { attemptsMax: 3, startFrom: "earliest" }), []);
  assert.deepEqual(differing(inForce, { attemptsMax: 4, startFrom: "latest" }), [
    "attemptsMax",
    "startFrom",
  ]);
});

test("withSettings() puts what is given in place of what was", () => {
  const changed = withSettings(defaultGroupSettings, { attemptsMax: 2 });
  assert.deepEqual(changed, { ...defaultGroupSettings, attemptsMax: 2 });
});
