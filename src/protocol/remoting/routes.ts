/** Which handler fulfils which request. @module */
import { reasonAgainst } from "./absent_requests.ts";
import { type Answer, type Call, type Handler, refusal } from "./call.ts";
import { requestCodes as codes, requestName, responseCodes } from "./codes.ts";
import {
  handleAckMessage,
  handleBatchAckMessage,
  handleChangeInvisibleTime,
} from "./handlers/ack_message.ts";
import {
  handleConsumerConnections,
  handleConsumeStats,
  handleProducerConnections,
} from "./handlers/admin_clients.ts";
import {
  handleAddWritePermission,
  handleBrokerConfig,
  handleChangeConfig,
  handleNameServerConfig,
  handleWipeWritePermission,
} from "./handlers/admin_config.ts";
import {
  handleAllGroups,
  handleDeleteGroup,
  handleGroupConfig,
  handlePutGroup,
  handlePutGroups,
} from "./handlers/admin_group.ts";
import {
  handleAllProducers,
  handleCleanUp,
  handleGroupForbidden,
  handleMemberGroup,
  handleSubscriptionOfGroup,
  handleSystemTopics,
  handleTopicsOfGroup,
  handleUnitTopics,
} from "./handlers/admin_names.ts";
import {
  handleAllOffsets,
  handleCloneOffsets,
  handleCorrectionOffset,
  handleDelayOffsets,
  handleResetOffset,
} from "./handlers/admin_reset.ts";
import {
  handleBrokerConsumeStats,
  handleConsumeTimeSpan,
  handleQueryConsumeQueue,
  handleViewStats,
} from "./handlers/admin_stats.ts";
import {
  handleAllTopics,
  handleDeleteTopic,
  handleForgetTopic,
  handlePutTopic,
  handlePutTopics,
  handleTopicConfig,
  handleTopicGroups,
  handleTopicStats,
} from "./handlers/admin_topic.ts";
import {
  handleNobodyDeleted,
  handleNobodyFound,
  handleNobodyListed,
} from "./handlers/admin_users.ts";
import {
  handleCheckConfig,
  handleConsumerList,
  handleHeartbeat,
  handleUnregister,
} from "./handlers/heartbeat.ts";
import { handleEndTransaction } from "./handlers/end_transaction.ts";
import { handleLockQueues, handleUnlockQueues } from "./handlers/lock_queues.ts";
import {
  handleEarliestTime,
  handleMaxOffset,
  handleMinOffset,
  handleQueryOffset,
  handleSearchOffset,
  handleUpdateOffset,
} from "./handlers/offsets.ts";
import {
  handleNotification,
  handlePeekMessage,
  handlePollingInfo,
} from "./handlers/peek_message.ts";
import { handlePopMessage } from "./handlers/pop_message.ts";
import { handlePullMessage } from "./handlers/pull_message.ts";
import { handleQueryAssignment, handleSetRequestMode } from "./handlers/query_assignment.ts";
import { handleQueryMessage, handleViewMessage } from "./handlers/query_message.ts";
import {
  handleClusterInfo,
  handleDeleteKeyValue,
  handleGetKeyValue,
  handleKeyValueList,
  handlePutKeyValue,
  handleRoute,
  handleTopicList,
  handleTopicsByCluster,
} from "./handlers/query_route.ts";
import { handleRecallMessage } from "./handlers/recall_message.ts";
import {
  handleConsumeDirectly,
  handleConsumerStatus,
  handleRunningInfo,
} from "./handlers/relay.ts";
import { handleResumeCheck } from "./handlers/resume_check.ts";
import { handleRuntimeInfo } from "./handlers/runtime_info.ts";
import { handleSendBack } from "./handlers/send_back.ts";
import { handleSendMessage } from "./handlers/send_message.ts";
import { handleSendReply } from "./handlers/send_reply.ts";

const handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [codes.sendMessage, handleSendMessage],
  [codes.sendMessageV2, handleSendMessage],
  [codes.sendBatchMessage, handleSendMessage],
  [codes.endTransaction, handleEndTransaction],
  [codes.resumeCheckHalfMessage, handleResumeCheck],
  [codes.recallMessage, handleRecallMessage],
  [codes.sendReplyMessage, handleSendReply],
  [codes.sendReplyMessageV2, handleSendReply],
  [codes.pullMessage, handlePullMessage],
  [codes.litePullMessage, handlePullMessage],
  [codes.queryConsumerOffset, handleQueryOffset],
  [codes.updateConsumerOffset, handleUpdateOffset],
  [codes.searchOffsetByTimestamp, handleSearchOffset],
  [codes.getMaxOffset, handleMaxOffset],
  [codes.getMinOffset, handleMinOffset],
  [codes.getEarliestMsgStoretime, handleEarliestTime],
  [codes.heartBeat, handleHeartbeat],
  [codes.unregisterClient, handleUnregister],
  [codes.getConsumerListByGroup, handleConsumerList],
  [codes.checkClientConfig, handleCheckConfig],
  [codes.consumerSendMsgBack, handleSendBack],
  [codes.lockBatchMq, handleLockQueues],
  [codes.unlockBatchMq, handleUnlockQueues],
  [codes.getRouteinfoByTopic, handleRoute],
  [codes.getBrokerClusterInfo, handleClusterInfo],
  [codes.getAllTopicListFromNameserver, handleTopicList],
  [codes.getTopicsByCluster, handleTopicsByCluster],
  [codes.putKvConfig, handlePutKeyValue],
  [codes.getKvConfig, handleGetKeyValue],
  [codes.deleteKvConfig, handleDeleteKeyValue],
  [codes.getKvlistByNamespace, handleKeyValueList],
  [codes.updateAndCreateTopic, handlePutTopic],
  [codes.getAllTopicConfig, handleAllTopics],
  [codes.getTopicConfig, handleTopicConfig],
  [codes.deleteTopicInBroker, handleDeleteTopic],
  [codes.deleteTopicInNamesrv, handleForgetTopic],
  [codes.getTopicStatsInfo, handleTopicStats],
  [codes.queryTopicConsumeByWho, handleTopicGroups],
  [codes.updateAndCreateSubscriptiongroup, handlePutGroup],
  [codes.getAllSubscriptiongroupConfig, handleAllGroups],
  [codes.getSubscriptiongroupConfig, handleGroupConfig],
  [codes.deleteSubscriptiongroup, handleDeleteGroup],
  [codes.getConsumerConnectionList, handleConsumerConnections],
  [codes.getProducerConnectionList, handleProducerConnections],
  [codes.getConsumeStats, handleConsumeStats],
  [codes.queryMessage, handleQueryMessage],
  [codes.viewMessageById, handleViewMessage],
  [codes.getBrokerRuntimeInfo, handleRuntimeInfo],
  [codes.updateAndCreateTopicList, handlePutTopics],
  [codes.updateAndCreateSubscriptiongroupList, handlePutGroups],
  [codes.updateBrokerConfig, handleChangeConfig],
  [codes.getBrokerConfig, handleBrokerConfig],
  [codes.updateNamesrvConfig, handleChangeConfig],
  [codes.getNamesrvConfig, handleNameServerConfig],
  [codes.wipeWritePermOfBroker, handleWipeWritePermission],
  [codes.addWritePermOfBroker, handleAddWritePermission],
  [codes.getAllConsumerOffset, handleAllOffsets],
  [codes.getAllDelayOffset, handleDelayOffsets],
  [codes.queryCorrectionOffset, handleCorrectionOffset],
  [codes.invokeBrokerToResetOffset, handleResetOffset],
  [codes.cloneGroupOffset, handleCloneOffsets],
  [codes.invokeBrokerToGetConsumerStatus, handleConsumerStatus],
  [codes.getConsumerRunningInfo, handleRunningInfo],
  [codes.consumeMessageDirectly, handleConsumeDirectly],
  [codes.queryConsumeTimeSpan, handleConsumeTimeSpan],
  [codes.viewBrokerStatsData, handleViewStats],
  [codes.getBrokerConsumeStats, handleBrokerConsumeStats],
  [codes.queryConsumeQueue, handleQueryConsumeQueue],
  [codes.getSystemTopicListFromNs, handleSystemTopics],
  [codes.getSystemTopicListFromBroker, handleSystemTopics],
  [codes.getUnitTopicList, handleUnitTopics],
  [codes.getHasUnitSubTopicList, handleUnitTopics],
  [codes.getHasUnitSubUnunitTopicList, handleUnitTopics],
  [codes.getAllProducerInfo, handleAllProducers],
  [codes.queryTopicsByConsumer, handleTopicsOfGroup],
  [codes.querySubscriptionByConsumer, handleSubscriptionOfGroup],
  [codes.updateAndGetGroupForbidden, handleGroupForbidden],
  [codes.getBrokerMemberGroup, handleMemberGroup],
  [codes.cleanExpiredConsumequeue, handleCleanUp],
  [codes.cleanUnusedTopic, handleCleanUp],
  [codes.deleteExpiredCommitlog, handleCleanUp],
  [codes.authDeleteUser, handleNobodyDeleted],
  [codes.authGetUser, handleNobodyFound],
  [codes.authListUser, handleNobodyListed],
  [codes.authDeleteAcl, handleNobodyDeleted],
  [codes.authGetAcl, handleNobodyFound],
  [codes.authListAcl, handleNobodyListed],
  [codes.queryAssignment, handleQueryAssignment],
  [codes.setMessageRequestMode, handleSetRequestMode],
  [codes.popMessage, handlePopMessage],
  [codes.ackMessage, handleAckMessage],
  [codes.batchAckMessage, handleBatchAckMessage],
  [codes.changeMessageInvisibletime, handleChangeInvisibleTime],
  [codes.peekMessage, handlePeekMessage],
  [codes.notification, handleNotification],
  [codes.pollingInfo, handlePollingInfo],
]);

/** Every request that is fulfilled. */
export const servedCodes: ReadonlySet<number> = new Set(handlers.keys());

/** The handler of a request; one that refuses if there is none. */
export function handlerOf(code: number): Handler {
  return handlers.get(code) ?? refuse;
}

function refuse({ command }: Call): Answer {
  const reason = reasonAgainst(command.code) ?? "this broker does not support it";
  return refusal(
    responseCodes.requestCodeNotSupported,
    `Cannot fulfil request ${requestName(command.code)}: ${reason}`,
  );
}
