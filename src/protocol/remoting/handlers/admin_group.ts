/**
 * What tools do with groups: UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200, a list of them: 225),
 * GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201), DELETE_SUBSCRIPTIONGROUP (207) and
 * GET_SUBSCRIPTIONGROUP_CONFIG (352). Protocol 10.
 *
 * @module
 */
import { limits } from "../../../base/limits.ts";
import type { Broker } from "../../../broker/broker.ts";
import { checkGroupName } from "../../../model/names.ts";
import type { Group, GroupSettings, RetryBackoff } from "../../../model/group.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { deleteGroup, groupOnly, groupPage } from "./admin_fields.ts";
import {
  boolField,
  isObject,
  jsonBody,
  type JsonObject,
  numberField,
  objectsField,
  readBody,
  requiredText,
} from "./json_body.ts";
import { dataVersion, pageOf } from "./pages.ts";

/**
 * A RocketMQ policy begins with two delays that are never used: the first retry is after the third,
 * as it is after the third delay level. These are the two of RocketMQ's own policy.
 */
const levelsBefore: readonly number[] = [1_000, 5_000];

/** Makes a group, or changes the one there is. */
export async function handlePutGroup(call: Call, { broker }: RemotingContext): Promise<Answer> {
  await putGroup(readBody(call.body), broker);
  return done;
}

/** The same for several. Those before one that fails are there. */
export async function handlePutGroups(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const groups = objectsField(readBody(call.body), "groupConfigList", limits.groupsMax);
  for (const group of groups) await putGroup(group, broker);
  return done;
}

/** Every group with its settings, in pages if the asker wants it. */
export function handleAllGroups(call: Call, { broker }: RemotingContext): Answer {
  const { first, countMax } = readHeader(groupPage, call.command.extFields);
  const groups = broker.groups();
  const table = pageOf(groups, first, countMax).map((group) => [group.name, configOf(group)]);
  const body = {
    dataVersion: dataVersion(groups),
    forbiddenTable: {},
    subscriptionGroupTable: Object.fromEntries(table),
  };
  return { ...done, extFields: { totalGroupNum: String(groups.length) }, body: jsonBody(body) };
}

/** One group's settings. */
export function handleGroupConfig(call: Call, { broker }: RemotingContext): Answer {
  const { group: name } = readHeader(groupOnly, call.command.extFields);
  const group = broker.group(name);
  if (group !== undefined) return { ...done, body: jsonBody(configOf(group)) };
  return refusal(
    responseCodes.subscriptionGroupNotExist,
    `Group ${name.slice(0, 200)} does not exist`,
  );
}

/** Deletes a group with its offsets. One that is gone already is what was wanted. */
export async function handleDeleteGroup(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const { groupName } = readHeader(deleteGroup, call.command.extFields);
  if (broker.group(groupName) !== undefined) await broker.deleteGroup(groupName);
  return done;
}

async function putGroup(config: JsonObject, broker: Broker): Promise<void> {
  const name = requiredText(config, "groupName");
  checkGroupName(name);
  const before = broker.group(name);
  const settings = settingsOf(config, before?.settings);
  if (before === undefined) await broker.createGroup(name, settings);
  else await broker.changeGroup(name, settings);
}

/** What a tool may say of a group; what it leaves out stays as it is. */
function settingsOf(
  body: JsonObject,
  before: GroupSettings | undefined,
): Partial<GroupSettings> {
  const settings: { -readonly [N in keyof GroupSettings]?: GroupSettings[N] } = {};
  const retries = numberField(body, "retryMaxTimes", -1);
  if (retries >= 0) settings.attemptsMax = retries + 1;
  if ("consumeEnable" in body) settings.consumeEnabled = boolField(body, "consumeEnable", true);
  if ("consumeMessageOrderly" in body) {
    settings.ordered = boolField(body, "consumeMessageOrderly", false);
  }
  return { ...settings, ...retriesOf(body["groupRetryPolicy"], before) };
}

/** The policy that is named, if its figures are there: a tool without any sends an empty one. */
function retriesOf(policy: unknown, before: GroupSettings | undefined): Partial<GroupSettings> {
  if (!isObject(policy)) return {};
  if (policy["type"] === "EXPONENTIAL") {
    const figures = policy["exponentialRetryPolicy"];
    return isObject(figures) ? { retryBackoff: backoffOf(figures, before) } : {};
  }
  const retryDelaysMs = customDelaysMs(policy["customizedRetryPolicy"]);
  return retryDelaysMs.length > 0 ? { retryDelaysMs, retryBackoff: null } : {};
}

/** Nothing is said there of the jitter, so it stays as it is. The registry bounds the figures. */
function backoffOf(figures: JsonObject, before: GroupSettings | undefined): RetryBackoff {
  return {
    firstMs: numberField(figures, "initial", 5_000),
    maxMs: numberField(figures, "max", 7_200_000),
    factor: numberField(figures, "multiplier", 2),
    jitter: before?.retryBackoff?.jitter ?? 0,
  };
}

function customDelaysMs(custom: unknown): number[] {
  const next = isObject(custom) ? custom["next"] : undefined;
  if (!Array.isArray(next)) return [];
  const delaysMs = next.map(Number)
    .filter((delayMs) => Number.isSafeInteger(delayMs) && delayMs > 0);
  return delaysMs.length > levelsBefore.length
    ? delaysMs.slice(levelsBefore.length)
    : delaysMs.slice(-1);
}

function configOf({ name, settings }: Group) {
  return {
    attributes: {},
    brokerId: 0,
    consumeBroadcastEnable: true,
    consumeEnable: settings.consumeEnabled,
    consumeFromMinEnable: true,
    consumeMessageOrderly: settings.ordered,
    consumeTimeoutMinute: 15,
    groupName: name,
    groupRetryPolicy: policyOf(settings),
    groupSysFlag: 0,
    notifyConsumerIdsChangedEnable: true,
    retryMaxTimes: settings.attemptsMax - 1,
    retryQueueNums: 1,
    whichBrokerWhenConsumeSlowly: 1,
  };
}

function policyOf({ retryBackoff, retryDelaysMs }: GroupSettings) {
  if (retryBackoff === null) {
    const customizedRetryPolicy = { next: [...levelsBefore, ...retryDelaysMs] };
    return { customizedRetryPolicy, type: "CUSTOMIZED" };
  }
  const { firstMs: initial, maxMs: max, factor: multiplier } = retryBackoff;
  return { exponentialRetryPolicy: { initial, max, multiplier }, type: "EXPONENTIAL" };
}
