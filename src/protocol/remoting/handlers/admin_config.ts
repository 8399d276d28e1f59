/**
 * Settings, as tools want to see them: UPDATE_BROKER_CONFIG (25), GET_BROKER_CONFIG (26),
 * UPDATE_NAMESRV_CONFIG (318), GET_NAMESRV_CONFIG (319); and the write permission of all topics at
 * once: WIPE_WRITE_PERM_OF_BROKER (205), ADD_WRITE_PERM_OF_BROKER (327). Protocol 5, 10.
 *
 * They are told, not changed: this broker's settings come from its own file and command line.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import { limits } from "../../../base/limits.ts";
import { permWrite, type Topic } from "../../../model/topic.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import { addWritePermissionAnswer, wipeWritePermissionAnswer, writePermission } from "../fields.ts";
import { dataVersion } from "./pages.ts";
import { autoCreatedQueues } from "./system_topics.ts";

/** What marks a topic whose write permission was taken by WIPE_WRITE_PERM_OF_BROKER. */
const wipedAttribute = "write.wiped";

/** What tools look for among the settings of a broker, with our values. */
export function handleBrokerConfig(call: Call, { broker, settings }: RemotingContext): Answer {
  const { ip, port } = call.peer.storeHost;
  const body = propertiesText({
    autoCreateSubscriptionGroup: "true",
    autoCreateTopicEnable: String(settings.autoCreateTopics),
    brokerClusterName: settings.clusterName,
    brokerIP1: ip,
    brokerId: "0",
    brokerName: settings.brokerName,
    brokerPermission: "6",
    brokerRole: "ASYNC_MASTER",
    defaultTopicQueueNums: String(autoCreatedQueues),
    enablePropertyFilter: "true",
    listenPort: String(port),
    maxMessageSize: String(limits.bodyBytesMax),
    regionId: settings.region,
    traceOn: String(settings.traceOn),
  });
  const version = JSON.stringify(dataVersion(broker.topics()));
  return { ...done, extFields: { version }, body: utf8(body) };
}

/** The same for the name server's half. */
export function handleNameServerConfig(call: Call, { settings }: RemotingContext): Answer {
  const body = propertiesText({
    clusterName: settings.clusterName,
    listenPort: String(call.peer.storeHost.port),
    orderMessageEnable: "true",
  });
  return { ...done, body: utf8(body) };
}

/** No setting is changed from afar, whichever it is. */
export function handleChangeConfig(): Answer {
  return refusal(
    responseCodes.noPermission,
    "Cannot change settings through this protocol: they are set where the broker is started",
  );
}

/** Makes all topics of users read-only, and remembers which were not. */
export async function handleWipeWritePermission(
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const topics = await changePermissions(call, context, ({ settings }) => {
    if ((settings.perm & permWrite) === 0) return undefined;
    const attributes = { ...settings.attributes, [wipedAttribute]: "true" };
    return { perm: settings.perm & ~permWrite, attributes };
  });
  return { ...done, extFields: writeHeader(wipeWritePermissionAnswer, { topics }) };
}

/** Gives back what WIPE_WRITE_PERM_OF_BROKER took, and to no other topic. */
export async function handleAddWritePermission(
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const topics = await changePermissions(call, context, ({ settings }) => {
    const { [wipedAttribute]: wiped, ...attributes } = settings.attributes;
    return wiped === undefined ? undefined : { perm: settings.perm | permWrite, attributes };
  });
  return { ...done, extFields: writeHeader(addWritePermissionAnswer, { topics }) };
}

type Change = Partial<Topic["settings"]>;

async function changePermissions(
  call: Call,
  { broker, settings }: RemotingContext,
  changeOf: (topic: Topic) => Change | undefined,
): Promise<number> {
  const { brokerName } = readHeader(writePermission, call.command.extFields);
  if (brokerName !== settings.brokerName) return 0;
  let changed = 0;
  for (const topic of broker.topics()) {
    const change = topic.system ? undefined : changeOf(topic);
    if (change === undefined) continue;
    await broker.changeTopic(topic.name, change);
    changed++;
  }
  return changed;
}

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join("");
}
