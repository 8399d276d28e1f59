/**
 * Says in a few words what a frame is, for people who read a recording.
 *
 *     frame    int32 length │ int8 serializer, int24 header length │ header │ body
 *     binary   int16 code │ int8 language │ int16 version │ int32 opaque │ int32 flag │ ...
 *
 * @module
 */
import type { Buffer } from "node:buffer";

const responseBit = 1;
const onewayBit = 2;

/** The request codes in the recordings. */
const requestNames: Readonly<Record<number, string>> = {
  10: "SEND_MESSAGE",
  11: "PULL_MESSAGE",
  14: "QUERY_CONSUMER_OFFSET",
  15: "UPDATE_CONSUMER_OFFSET",
  17: "UPDATE_AND_CREATE_TOPIC",
  28: "GET_BROKER_RUNTIME_INFO",
  29: "SEARCH_OFFSET_BY_TIMESTAMP",
  30: "GET_MAX_OFFSET",
  31: "GET_MIN_OFFSET",
  34: "HEART_BEAT",
  35: "UNREGISTER_CLIENT",
  36: "CONSUMER_SEND_MSG_BACK",
  37: "END_TRANSACTION",
  38: "GET_CONSUMER_LIST_BY_GROUP",
  39: "CHECK_TRANSACTION_STATE",
  40: "NOTIFY_CONSUMER_IDS_CHANGED",
  41: "LOCK_BATCH_MQ",
  42: "UNLOCK_BATCH_MQ",
  105: "GET_ROUTEINFO_BY_TOPIC",
  106: "GET_BROKER_CLUSTER_INFO",
  200: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
  202: "GET_TOPIC_STATS_INFO",
  206: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
  215: "DELETE_TOPIC_IN_BROKER",
  216: "DELETE_TOPIC_IN_NAMESRV",
  310: "SEND_MESSAGE_V2",
  320: "SEND_BATCH_MESSAGE",
  351: "GET_TOPIC_CONFIG",
  361: "LITE_PULL_MESSAGE",
};

type Head = { code: number; opaque: number; flag: number; serializer: string };

/** For example `GET_ROUTEINFO_BY_TOPIC opaque 3 JSON`, or `response 0 opaque 3 JSON, body 211`. */
export function noteOf(frame: Buffer): string {
  const headerBytes = frame.readInt32BE(4) & 0xffffff;
  const head = frame.readUInt8(4) === 0 ? jsonHead(frame, headerBytes) : binaryHead(frame);
  const bodyBytes = frame.length - 8 - headerBytes;
  const oneway = (head.flag & onewayBit) === 0 ? "" : " one-way";
  const name = (head.flag & responseBit) === 0
    ? `${requestNames[head.code] ?? head.code}${oneway}`
    : `response ${head.code}`;
  const body = bodyBytes === 0 ? "" : `, body ${bodyBytes}`;
  return `${name} opaque ${head.opaque} ${head.serializer}${body}`;
}

function jsonHead(frame: Buffer, headerBytes: number): Head {
  const found = JSON.parse(frame.toString("utf8", 8, 8 + headerBytes)) as {
    code: number;
    opaque: number;
    flag?: number;
  };
  return { code: found.code, opaque: found.opaque, flag: found.flag ?? 0, serializer: "JSON" };
}

function binaryHead(frame: Buffer): Head {
  return {
    code: frame.readInt16BE(8),
    opaque: frame.readInt32BE(13),
    flag: frame.readInt32BE(17),
    serializer: "ROCKETMQ",
  };
}
