/**
 * One connection of the remoting protocol, from bytes to bytes.
 *
 *     feed(chunk) ─▶ frames ─▶ command ─▶ handler ─▶ answer ─▶ written with its tick's others
 *                       │                    │
 *                 WireError: closed          └ still working: the next frame does not wait for it
 *
 *     open ──too much in flight, or too much unread by the client──▶ paused ──room again──▶ open
 *       └───────────────bad bytes, or the socket is gone──────────────▶ closed
 *
 * Answers leave in the order they are ready. Frames that came in one chunk with the one that
 * filled the connection are still served: a pause stops the socket, not what was already read.
 *
 * @module
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { asBrokerError, BrokerError, WireError } from "../../model/errors.ts";
import type { Connection } from "../../ports/sockets.ts";
import type { Answer, ClientRequest, Peer, RemotingContext } from "./call.ts";
import { type ClientAnswer, ClientAsks } from "./client_asks.ts";
import { requestCodes, requestName, responseCodes } from "./codes.ts";
import {
  type Asked,
  commandFlags,
  isOneway,
  isResponse,
  ownVersion,
  type RemotingCommand,
  responseTo,
} from "./command.ts";
import { decodeCommand, writeCommand, writeCommandHead } from "./command_frames.ts";
import { type Frame, FrameDecoder, type Serializer } from "./frames.ts";
import { Parking } from "./parking.ts";
import { advertisedTo, peerOf } from "./peer.ts";
import { handlerOf } from "./routes.ts";
import { statusOf } from "./status.ts";

/**
 * A body above this is handed to the socket as it is. Many have the same one: a crowd that asks for
 * its members would make a copy each.
 */
const copiedBodyBytesMax = 1024;

/** One client's connection. The owner of the socket calls `feed`, `drained` and `closed`. */
export class RemotingSession {
  readonly #connection: Connection;
  readonly #context: RemotingContext;
  readonly #decoder = new FrameDecoder();
  readonly #gone = new AbortController();
  readonly #parking = new Parking(() => this.#adjustPressure());
  readonly #peer: Peer;
  readonly #asks: ClientAsks;
  readonly #take = (frame: Frame) => this.#serve(frame);
  readonly #flush = () => this.#writeOut();
  #state: "open" | "paused" | "closed" = "open";
  /** Requests whose answers are not ready, parked pulls included. */
  #working = 0;
  /** Lent from the first answer of a tick until they leave. */
  #writer: ByteWriter | null = null;
  /**
   * What leaves next; `null` when nothing does. An empty list that lay here until the next answer
   * would grow old meanwhile, and take that answer's bytes along to where garbage stays longest.
   */
  #pieces: Uint8Array[] | null = null;
  #piecesBytes = 0;
  #isFlushDue = false;
  /** How often somebody looked since the client last said anything. */
  #silentLooks = 0;
  /** The form of the client's own requests: what we push has the same. */
  #serializer: Serializer = "json";
  #nextOpaque = 0;

  /** `number` is the front's for the connection; the broker knows the client by it. */
  constructor(number: number, connection: Connection, context: RemotingContext) {
    this.#connection = connection;
    this.#context = context;
    this.#asks = new ClientAsks(context.timers);
    const advertise = advertisedTo(connection.remote.host, context.settings);
    this.#peer = peerOf(number, connection, advertise, this.#gone.signal, this.#parking);
  }

  /** Bytes from the client. They must stay unchanged until the requests in them are answered. */
  feed(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#silentLooks = 0;
    try {
      this.#decoder.push(chunk, this.#take);
    } catch (fault) {
      if (!(fault instanceof WireError)) throw fault;
      this.#context.log.warn("remoting connection closed: bad frame", {
        address: this.#peer.address,
        fault,
      });
      this.#connection.destroy();
      this.closed();
    }
  }

  /** Ends the connection if it was silent at this look and at `silentLooksMax` before it. */
  look(silentLooksMax: number): void {
    if (this.#state === "closed" || this.#silentLooks++ < silentLooksMax) return;
    this.#context.log.info("remoting connection closed: silent", { address: this.#peer.address });
    this.#connection.destroy();
    this.closed();
  }

  /** The socket has room again. */
  drained(): void {
    this.#adjustPressure();
  }

  /** The socket is gone: whatever waits for this client is forgotten. */
  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#pieces = null;
    this.#piecesBytes = 0;
    this.#returnWriter();
    this.#gone.abort();
    this.#asks.close();
    this.#context.broker.disconnected(this.#peer.connection);
  }

  /** Tells the client that the members of a group changed, so that it shares the queues anew. */
  notifyMembersChanged(group: string): void {
    this.tell({
      code: requestCodes.notifyConsumerIdsChanged,
      extFields: { consumerGroup: group },
    });
  }

  /** Sends a request that wants no answer. False: the client is gone, or does not read. */
  tell(request: ClientRequest): boolean {
    if (this.#state === "closed" || this.#isFull()) return false;
    this.#push(request, commandFlags.oneway);
    return true;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws {BrokerError} `timeout`: none came within `waitMs`. `too_busy`: it does not keep up.
   */
  ask(request: ClientRequest, waitMs: number): Promise<ClientAnswer> {
    if (this.#state === "closed" || this.#isFull()) {
      const reason = this.#state === "closed" ? "it has left" : "it does not read what it was sent";
      return Promise.reject(new BrokerError("too_busy", `Cannot ask the client: ${reason}`));
    }
    const answer = this.#asks.begin(this.#nextOpaque, waitMs);
    this.#push(request, 0);
    return answer;
  }

  #push({ code, extFields, body }: ClientRequest, flag: number): void {
    const command: RemotingCommand = {
      code,
      language: "JAVA",
      version: ownVersion,
      opaque: this.#nextOpaque,
      flag,
      remark: undefined,
      extFields,
      serializer: this.#serializer,
    };
    this.#nextOpaque = (this.#nextOpaque + 1) & 0x7fffffff;
    writeCommand(this.#lentWriter(), command, body);
    this.#flushSoon();
  }

  #serve(frame: Frame): void {
    if (this.#state === "closed") return;
    const command = decodeCommand(frame);
    if (isResponse(command)) return this.#asks.answered(command, frame.body);
    this.#serializer = command.serializer;
    let answer: Answer | Promise<Answer>;
    try {
      const call = { command, body: frame.body, peer: this.#peer };
      answer = handlerOf(command.code)(call, this.#context);
    } catch (thrown) {
      answer = this.#failure(command, thrown);
    }
    if (!(answer instanceof Promise)) return this.#reply(command, answer);
    const { code, opaque, flag, serializer } = command;
    this.#await({ code, opaque, flag, serializer }, answer);
  }

  #await(asked: Asked, answer: Promise<Answer>): void {
    this.#working++;
    answer.then(
      (settled) => this.#settle(asked, settled),
      (thrown) => this.#settle(asked, this.#failure(asked, thrown)),
    );
    this.#adjustPressure();
  }

  #settle(asked: Asked, answer: Answer): void {
    this.#working--;
    this.#reply(asked, answer);
    if (this.#state === "paused") this.#adjustPressure();
  }

  #reply(asked: Asked, answer: Answer): void {
    if (this.#state === "closed" || isOneway(asked)) return;
    const said = answer.lighter !== undefined && this.#isFull() ? answer.lighter : answer;
    const response = responseTo(asked, said.code, said.extFields, said.remark);
    if (said.body !== undefined && said.body.length > copiedBodyBytesMax) {
      writeCommandHead(this.#lentWriter(), response, said.body.length);
      this.#collect();
      this.#keep(said.body);
    } else {
      writeCommand(this.#lentWriter(), response, said.body);
    }
    this.#flushSoon();
  }

  #failure(asked: Asked, thrown: unknown): Answer {
    if (thrown instanceof WireError) {
      return { code: responseCodes.invalidParameter, remark: thrown.message };
    }
    const error = asBrokerError(thrown);
    if (error.code === "internal") {
      this.#context.log.error("remoting request failed", {
        request: requestName(asked.code),
        address: this.#peer.address,
        error: thrown instanceof Error ? thrown : String(thrown),
      });
    }
    return { code: statusOf[error.code], remark: error.message };
  }

  /** Answers of one tick leave in one write. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(this.#flush);
  }

  #writeOut(): void {
    this.#isFlushDue = false;
    if (this.#state === "closed") return;
    this.#collect();
    const pieces = this.#pieces;
    if (pieces === null) return;
    this.#pieces = null;
    this.#piecesBytes = 0;
    this.#connection.write(pieces);
    this.#adjustPressure();
  }

  #collect(): void {
    if (this.#writer === null) return;
    if (this.#writer.length > 0) this.#keep(this.#writer.view().slice());
    this.#returnWriter();
  }

  #lentWriter(): ByteWriter {
    return this.#writer ??= this.#context.writers.take();
  }

  #returnWriter(): void {
    if (this.#writer !== null) this.#context.writers.giveBack(this.#writer);
    this.#writer = null;
  }

  #keep(piece: Uint8Array): void {
    if (this.#pieces === null) this.#pieces = [piece];
    else this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
  }

  #isFull(): boolean {
    const waiting = this.#connection.bufferedBytes + this.#piecesBytes +
      (this.#writer?.length ?? 0);
    return waiting > limits.outboundBytesMax;
  }

  #adjustPressure(): void {
    if (this.#state === "closed") return;
    const working = this.#working - this.#parking.count;
    const isBusy = working >= limits.requestsPerConnectionMax || this.#isFull();
    if (isBusy === (this.#state === "paused")) return;
    this.#state = isBusy ? "paused" : "open";
    if (isBusy) this.#connection.pause();
    else this.#connection.resume();
  }
}
