/**
 * Receives for a group until there is a reason to end, through restarts of the broker.
 *
 *     receive ──messages──▶ deliver ──▶ acknowledge ──▶ receive
 *        └──none──▶ idle long enough, or enough received, or stopped ──▶ end
 *
 * Messages are acknowledged after `deliver` is done with them, never before: what was handed out
 * twice was not lost once.
 *
 * @module
 */
import type { Host } from "../../ports/host.ts";
import { type ApiClient, listAt } from "../api_client.ts";
import { RefusedError } from "../failure.ts";
import { type Patience, persist } from "../patience.ts";

/** A message as the API hands it out. */
export type ReceivedJson = Readonly<Record<string, unknown>>;

/** What to receive, and until when. */
export type ReceiveOptions = {
  readonly topic: string;
  readonly group: string;
  readonly tags?: string | undefined;
  readonly sql?: string | undefined;
  readonly clientId: string;
  /** Every client of the group gets everything, instead of its share. */
  readonly broadcast: boolean;
  readonly batchMax: number;
  readonly waitMs: number;
  readonly invisibleMs: number;
  /** Messages after which to end. */
  readonly messagesMax: number;
  /** End after this long without a message from a broker that answers. */
  readonly untilIdleMs: number;
  readonly acknowledge: boolean;
  readonly giveUpMs: number;
  readonly stop: AbortSignal;
};

/** What came of it. */
export type ReceiveTally = {
  received: number;
  acknowledged: number;
  /** Deliveries that were not the first of their message. */
  redelivered: number;
  /** Acknowledgements that came too late: these messages are delivered again. */
  late: number;
};

/** What a receiver needs from outside. */
export type ReceiverParts = {
  readonly host: Pick<Host, "clock" | "sleep" | "randomBytes">;
  readonly api: Pick<ApiClient, "ask">;
  /** Takes messages; on return they may be acknowledged. */
  readonly deliver: (messages: readonly ReceivedJson[]) => Promise<void>;
  readonly onRetry?: NonNullable<Patience["onRetry"]>;
};

/** A tally of nothing. */
export function emptyReceiveTally(): ReceiveTally {
  return { received: 0, acknowledged: 0, redelivered: 0, late: 0 };
}

/**
 * Receives until one of the options' ends is reached.
 *
 * @throws {RefusedError | UnreachableError} The broker refused for good, or was away too long.
 */
export async function receiveStream(
  options: ReceiveOptions,
  parts: ReceiverParts,
  tally: ReceiveTally,
): Promise<void> {
  const { host } = parts;
  const { stop, messagesMax, untilIdleMs } = options;
  let idleSinceMs = host.clock.monotonicMs();
  while (!stop.aborted && tally.received < messagesMax) {
    const idleLeftMs = idleSinceMs + untilIdleMs - host.clock.monotonicMs();
    const waitMs = Math.max(0, Math.ceil(Math.min(options.waitMs, idleLeftMs)));
    const max = Math.min(options.batchMax, messagesMax - tally.received);
    let wasAway = false;
    const messages = await receiveOnce(options, parts, { max, waitMs }, () => wasAway = true);
    const nowMs = host.clock.monotonicMs();
    if (messages.length === 0) {
      // Time without a broker is not time without messages.
      if (wasAway) idleSinceMs = nowMs;
      else if (nowMs - idleSinceMs >= untilIdleMs) return;
      continue;
    }
    await parts.deliver(messages);
    tally.received += messages.length;
    tally.redelivered += messages.filter(({ attempt }) => Number(attempt) > 1).length;
    if (options.acknowledge) await acknowledge(messages, options, parts, tally);
    idleSinceMs = host.clock.monotonicMs();
  }
}

async function receiveOnce(
  options: ReceiveOptions,
  { host, api, onRetry }: ReceiverParts,
  { max, waitMs }: { max: number; waitMs: number },
  onAway: () => void,
): Promise<readonly ReceivedJson[]> {
  const { topic, group, tags, sql, clientId, invisibleMs, stop, giveUpMs } = options;
  const wanted = { ...(tags && { tags }), ...(sql && { sql }) };
  const mode = options.broadcast ? { mode: "broadcast" } : {};
  const body = { max, waitMs, invisibleMs, clientId, ...mode, ...wanted };
  const path = ["v1", "topics", topic, "groups", group, "receive"];
  const patience: Patience = {
    giveUpMs,
    stop,
    onRetry: (failure) => {
      onAway();
      onRetry?.(failure);
    },
  };
  try {
    const request = { method: "POST", path, body, waitMs, stop } as const;
    return listAt(await persist(host, patience, () => api.ask(request)), "messages");
  } catch (thrown) {
    // The stop signal cuts a waiting poll short; that is no failure.
    if (stop.aborted) return [];
    throw thrown;
  }
}

async function acknowledge(
  messages: readonly ReceivedJson[],
  options: ReceiveOptions,
  { host, api, onRetry }: ReceiverParts,
  tally: ReceiveTally,
): Promise<void> {
  const { topic, group, giveUpMs } = options;
  const receipts = messages.map(({ receipt }) => receipt).filter((text) => text !== undefined);
  const path = ["v1", "topics", topic, "groups", group, "ack"];
  const patience: Patience = { giveUpMs, ...(onRetry && { onRetry }) };
  try {
    const answer = await persist(host, patience, () => {
      return api.ask({ method: "POST", path, body: { receipts } });
    });
    const refused = listAt(answer, "verdicts").filter(isRefused).length;
    tally.late += refused;
    tally.acknowledged += receipts.length - refused;
  } catch (thrown) {
    const expired = thrown instanceof RefusedError && lateCodes.has(thrown.code);
    if (!expired) throw thrown;
    tally.late += receipts.length;
  }
}

const lateCodes = new Set(["receipt_expired", "receipt_invalid"]);

function isRefused({ verdict }: ReceivedJson): boolean {
  return verdict !== "done";
}
