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
import type { Group, GroupSettings } from "../../../model/group.ts";
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
  const settings = settingsOf(config);
  if (broker.group(name) === undefined) await broker.createGroup(name, settings);
  else await broker.changeGroup(name, settings);
}

/** What a tool may say of a group; what it leaves out stays as it is. */
function settingsOf(body: JsonObject): Partial<GroupSettings> {
  const settings: { -readonly [N in keyof GroupSettings]?: GroupSettings[N] } = {};
  const retries = numberField(body, "retryMaxTimes", -1);
  if (retries >= 0) settings.attemptsMax = retries + 1;
  if ("consumeEnable" in body) settings.consumeEnabled = boolField(body, "consumeEnable", true);
  if ("consumeMessageOrderly" in body) {
    settings.ordered = boolField(body, "consumeMessageOrderly", false);
  }
  const delays = customDelaysMs(body["groupRetryPolicy"]);
  if (delays.length > 0) settings.retryDelaysMs = delays;
  return settings;
}

function customDelaysMs(policy: unknown): number[] {
  if (!isObject(policy) || policy["type"] !== "CUSTOMIZED") return [];
  const custom = policy["customizedRetryPolicy"];
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
    groupRetryPolicy: {
      customizedRetryPolicy: { next: [...levelsBefore, ...settings.retryDelaysMs] },
      type: "CUSTOMIZED",
    },
    groupSysFlag: 0,
    notifyConsumerIdsChangedEnable: true,
    retryMaxTimes: settings.attemptsMax - 1,
    retryQueueNums: 1,
    whichBrokerWhenConsumeSlowly: 1,
  };
}
