/** Request and reply: a message that asks for an answer, and who waits for it. @module */
import type { UniqueKeys } from "../model/message_id.ts";
import { propertyNames, readProperty, withProperty } from "../model/properties.ts";
import type { Timers } from "../ports/timers.ts";
import type { Reply, ReplyCarrier, ReplyRequest } from "./broker.ts";
import { Replies } from "./replies.ts";
import type { Sender } from "./send.ts";

/** What requests are made of. */
export type RequestsParts = {
  readonly sender: Pick<Sender, "send">;
  readonly timers: Timers;
  readonly uniqueKeys: UniqueKeys;
  readonly settings: { readonly clusterName: string };
};

/**
 * Sends requests and finds who waits when a reply comes. The message says where its reply belongs
 * in the properties RocketMQ's clients use for it, so that they can be asked and can ask.
 */
export class Requests {
  readonly #parts: RequestsParts;
  readonly #replies: Replies;
  /** Where replies to this process go. Another one, or this one after a restart, waits for none. */
  readonly #replyTo: string;

  constructor(parts: RequestsParts) {
    this.#parts = parts;
    this.#replies = new Replies(parts.timers);
    this.#replyTo = `broker-${parts.uniqueKeys.next()}`;
  }

  /** @throws {BrokerError} `timeout`, `too_busy`, `shutting_down`, `conflict`; as `Sender.send`. */
  async request({ message, timeoutMs, signal, ...target }: ReplyRequest): Promise<Reply> {
    const { sender, uniqueKeys, settings } = this.#parts;
    const { correlationId: correlation, replyToClient, ttl, cluster } = propertyNames;
    const correlationId = readProperty(message.properties, correlation) ?? uniqueKeys.next();
    const replyTo = this.#replyTo;
    let { properties } = message;
    properties = withProperty(properties, correlation, correlationId);
    properties = withProperty(properties, replyToClient, replyTo);
    properties = withProperty(properties, ttl, String(timeoutMs));
    // RocketMQ's clients make the name of the topic for their reply out of it.
    properties = withProperty(properties, cluster, settings.clusterName);
    // Nobody is to work on what nobody waits for any more.
    const ownTtl = readProperty(properties, propertyNames.timeToLiveMs);
    if (ownTtl === undefined) {
      properties = withProperty(properties, propertyNames.timeToLiveMs, String(timeoutMs));
    }
    const wait = { correlationId, replyTo, timeoutMs, ...(signal ? { signal } : {}) };
    return await this.#replies.wait(wait, () => {
      return sender.send({ ...target, messages: [{ ...message, properties }] });
    });
  }

  /** @throws {BrokerError} `message_not_found`: nobody waits for it (any more). */
  reply(reply: Reply): Promise<void> {
    return this.#replies.answer(reply);
  }

  /** Refuses who waits for a reply: the broker stops. */
  close(): void {
    this.#replies.close();
  }

  /** Lets a protocol bring replies to its own clients. Returns how to stop. */
  carry(carrier: ReplyCarrier): () => void {
    return this.#replies.addCarrier(carrier);
  }
}
