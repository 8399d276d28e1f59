/**
 * Requests this broker knows by name and does not fulfil, and why: their senders are told, and the
 * documentation lists them.
 *
 * @module
 */
import { requestCodes, type RequestName } from "./codes.ts";

const noOtherBrokers = "this name server knows one broker, itself";
const noReplicas = "it has no replicas of RocketMQ's kind";
const noUsers = "it has no users of RocketMQ's kind, whoever reaches its port may do everything";
const noRocksDb = "it keeps nothing in RocksDB";
const noColdData = "it does not tell cold data from other data";
const noLite = "it has no lite topics";

/** By name: what stands against it. */
export const absentRequests = {
  registerBroker: noOtherBrokers,
  unregisterBroker: noOtherBrokers,
  brokerHeartbeat: noOtherBrokers,
  queryDataVersion: noOtherBrokers,
  registerTopicInNamesrv: "its topics are made by UPDATE_AND_CREATE_TOPIC (17)",
  checkRocksdbCqWriteProgress: noRocksDb,
  exportRocksdbConfigToJson: noRocksDb,
  updateAndCreateStaticTopic: "a queue of it has one broker, and never another",
  addBroker: noOtherBrokers,
  removeBroker: noOtherBrokers,
  getBrokerHaStatus: noReplicas,
  resetMasterFlushOffset: noReplicas,
  controllerElectMaster: noReplicas,
  controllerGetMetadataInfo: noReplicas,
  controllerGetSyncStateData: noReplicas,
  getBrokerEpochCache: noReplicas,
  updateControllerConfig: noReplicas,
  getControllerConfig: noReplicas,
  cleanBrokerData: noReplicas,
  updateColdDataFlowCtrConfig: noColdData,
  removeColdDataFlowCtrConfig: noColdData,
  getColdDataFlowCtrInfo: noColdData,
  setCommitlogReadMode: noColdData,
  authCreateUser: noUsers,
  authUpdateUser: noUsers,
  authCreateAcl: noUsers,
  authUpdateAcl: noUsers,
  switchTimerEngine: "it has one way to keep timers",
  popRollback: "a pop keeps no topic of its own that could be rolled back",
  popLiteMessage: noLite,
  liteSubscriptionCtl: noLite,
  ackLiteMessage: noLite,
  notifyUnsubscribeLite: noLite,
  getBrokerLiteInfo: noLite,
  getParentTopicInfo: noLite,
  getLiteTopicInfo: noLite,
  getLiteClientInfo: noLite,
  getLiteGroupInfo: noLite,
  triggerLiteDispatch: noLite,
} as const satisfies Partial<Record<RequestName, string>>;

const reasons: ReadonlyMap<number, string> = new Map(
  (Object.entries(absentRequests) as [keyof typeof absentRequests, string][]).map(
    ([name, reason]) => [requestCodes[name], reason],
  ),
);

/** Why a request is not fulfilled; `undefined` if it is, or nobody knows it. */
export function reasonAgainst(code: number): string | undefined {
  return reasons.get(code);
}
