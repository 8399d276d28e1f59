/**
 * A request or response as the protocol means it, whichever form its header has on the wire.
 *
 * @module
 */
import type { Serializer } from "./frames.ts";

/** The version this broker claims, RocketMQ 5.3.3: below 232 clients refuse SQL filters. */
export const ownVersion = 479;

/** Bits of `flag`. */
export const commandFlags = { response: 1, oneway: 2 } as const;

/** A header's free fields, by their name on the wire. Read them by the names of tables only. */
export type ExtFields = Record<string, string>;

/** One header. The body travels beside it. */
export type RemotingCommand = {
  readonly code: number;
  /** The name of the peer's language, known or not. */
  readonly language: string;
  readonly version: number;
  /** The caller's number for this call; unique within its process, not within the broker. */
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | undefined;
  readonly extFields: ExtFields;
  /** The form it came in, and the form its answer must have. */
  readonly serializer: Serializer;
};

/** What its answer needs to know of a request: all that is kept of one that waits. */
export type Asked = Pick<RemotingCommand, "code" | "opaque" | "flag" | "serializer">;

/** Whether it answers a call of ours. */
export function isResponse(command: RemotingCommand): boolean {
  return (command.flag & commandFlags.response) !== 0;
}

/** Whether its sender wants no answer. */
export function isOneway(command: Asked): boolean {
  return (command.flag & commandFlags.oneway) !== 0;
}

/** The answer to `request`: same form, same number, and a map of fields even if it is empty. */
export function responseTo(
  request: Asked,
  code: number,
  extFields: ExtFields = {},
  remark?: string,
): RemotingCommand {
  return {
    code,
    language: "JAVA",
    version: ownVersion,
    opaque: request.opaque,
    flag: commandFlags.response,
    remark,
    extFields,
    serializer: request.serializer,
  };
}
