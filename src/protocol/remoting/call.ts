/**
 * What a handler is given, and what it gives back.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Broker } from "../../broker/broker.ts";
import type { Host } from "../../model/message.ts";
import type { Network } from "../../model/network.ts";
import type { SocketAddress } from "../../ports/sockets.ts";
import type { Timers } from "../../ports/timers.ts";
import type { ClientAnswer } from "./client_asks.ts";
import { responseCodes } from "./codes.ts";
import type { ExtFields, RemotingCommand } from "./command.ts";
import type { FilterMemory } from "./filter_memory.ts";
import type { HeartbeatMemory } from "./heartbeat_memory.ts";
import type { Parking } from "./parking.ts";
import type { ProducerConnections } from "./producer_connections.ts";
import type { PendingResets } from "./pending_resets.ts";
import type { WaitingPops } from "./waiting_pops.ts";
import type { Writers } from "./writers.ts";

/** Where routes send the clients of one network. */
export type AdvertisedNetwork = { readonly network: Network; readonly address: SocketAddress };

/** What an operator chooses of this protocol. */
export type RemotingSettings = {
  readonly clusterName: string;
  readonly brokerName: string;
  /** Where routes send clients, an address or a name; `null`: wherever they dialled. */
  readonly advertise: SocketAddress | null;
  /** Clients of these networks are sent elsewhere; the first that holds the client counts. */
  readonly advertiseNetworks?: readonly AdvertisedNetwork[];
  /** Whether producers may make topics by sending to them: then there is a route for TBW102. */
  readonly autoCreateTopics: boolean;
  /** Told to producers with every send, for their traces. */
  readonly region: string;
  readonly traceOn: boolean;
};

/** What the protocol is made of. */
export type RemotingParts = {
  readonly broker: Broker;
  readonly settings: RemotingSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** When the broker came up, for those who ask how long it runs. */
  readonly bootMs: number;
};

/** A request of ours to a client. */
export type ClientRequest = {
  readonly code: number;
  readonly extFields: ExtFields;
  readonly body?: Uint8Array;
};

/** How a handler reaches clients other than the one that asks. They are named by connection. */
export interface Clients {
  /** Sends a request that wants no answer. False: the client is gone, or does not read. */
  tell(connection: number, request: ClientRequest): boolean;
  /**
   * Sends a request and waits for its answer.
   *
   * @throws {BrokerError} `timeout` or `too_busy`: there will be none.
   */
  ask(connection: number, request: ClientRequest, waitMs: number): Promise<ClientAnswer>;
}

/** What all sessions share. */
export type RemotingContext = RemotingParts & {
  readonly clients: Clients;
  readonly producers: ProducerConnections;
  readonly filters: FilterMemory;
  readonly resets: PendingResets;
  readonly waitingPops: WaitingPops;
  readonly writers: Writers;
};

/** The client at the other end of a connection. */
export type Peer = {
  /** The front's number of the connection. */
  readonly connection: number;
  /** What it dialled or should have dialled, as "host:port": routes lead there. */
  readonly route: string;
  /** The same as an address: records and message ids name it. */
  readonly storeHost: Host;
  readonly remote: Host;
  /** `remote` as "ip:port". */
  readonly address: string;
  /** What all offset message ids given to this client begin with. */
  readonly messageIdPrefix: string;
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal;
  readonly heartbeats: HeartbeatMemory;
  /** Pulls of this connection that wait for messages. */
  readonly parking: Parking;
};

/** One request. `body` is a view on what arrived: what outlives the handler is copied. */
export type Call = {
  readonly command: RemotingCommand;
  readonly body: Uint8Array;
  readonly peer: Peer;
};

/** One answer. `lighter` is said instead when the connection has no room left for `body`. */
export type Answer = {
  readonly code: number;
  readonly extFields?: ExtFields;
  readonly remark?: string;
  readonly body?: Uint8Array;
  readonly lighter?: Answer;
};

/**
 * Fulfils one kind of request.
 *
 * @throws {BrokerError | WireError} It cannot; the session says so.
 */
export type Handler = (call: Call, context: RemotingContext) => Answer | Promise<Answer>;

/** The answer that has nothing more to say than that it worked. */
export const done: Answer = { code: responseCodes.success };

/** A refusal, with the sentence its user will read. */
export function refusal(code: number, remark: string): Answer {
  return { code, remark };
}
