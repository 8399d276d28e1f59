/** `curlew message`: send, receive, look, find, explain. @module */
import { type Family, family } from "../command.ts";
import { messageExplain } from "./message_explain.ts";
import { messageQuery } from "./message_query.ts";
import { messageReceive } from "./message_receive.ts";
import { messageReply } from "./message_reply.ts";
import { messageRequest } from "./message_request.ts";
import { messageSend } from "./message_send.ts";
import { messageTail } from "./message_tail.ts";

/** The family of message commands. */
export const messageFamily: Family = family({
  name: "message",
  summary: "Send, receive, watch, find and explain messages",
  examples: [
    { line: "curlew message send -t orders 'hello'", says: "one message" },
    { line: "curlew message receive -t orders -g billing --ack", says: "read for a group" },
  ],
  members: [
    messageSend,
    messageReceive,
    messageTail,
    messageQuery,
    messageExplain,
    messageRequest,
    messageReply,
  ],
});
