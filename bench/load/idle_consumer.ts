/**
 * A consumer that has nothing to do, as Java's push consumer in a group of a hundred is one: a
 * connection, a heartbeat, a queue of its own to pull from, and housekeeping. When it does what is
 * the owner's to say; what it asks, and when one answer leads to the next question, is here.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { utf8 } from "../../src/base/bytes.ts";
import { requestCodes, responseCodes } from "../../src/protocol/remoting/codes.ts";
import { commandFlags } from "../../src/protocol/remoting/command.ts";
import { decodeCommand, encodeCommand } from "../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder } from "../../src/protocol/remoting/frames.ts";

/** Members of one group. The topic has as many queues, so that each has one. */
export const membersPerGroup = 100;
/** What they wait on. */
export const topic = "idle";
/** How long a pull waits, as Java's clients have it. */
const pullWaitMs = 15_000;
/** Codes a client takes without a word: a place, or its retry topic, may not be there yet. */
const goodCodes: readonly number[] = [
  responseCodes.success,
  responseCodes.pullNotFound,
  responseCodes.queryNotFound,
  responseCodes.topicNotExist,
];

/** What was asked, and so what its answer leads to. */
type Kind = "route" | "heartbeat" | "members" | "place" | "pull";
/** A queue it reads, and its own of the group's retry topic if it is the group's first. */
type Place = { readonly topic: string; readonly queueId: number };

/** How an idle consumer's questions were answered. */
export type Answers = Record<Kind, number> & { notices: number };

/** What consumers are made with. */
export type IdleConsumerParts = {
  readonly port: number;
  /** Whether it pulls, once its first heartbeat was answered. */
  readonly pulls: boolean;
  /** Told of everything a client would log as an error. */
  readonly fail: (reason: string) => never;
};

/** One consumer, from its connection to its end. */
export class IdleConsumer {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #group: string;
  readonly #beat: Uint8Array;
  readonly #places: readonly Place[];
  readonly #parts: IdleConsumerParts;
  /** Questions not answered yet, by number. */
  readonly #asked = new Map<number, { kind: Kind; place?: Place }>();
  #opaque = 0;
  #joined = false;
  readonly answers: Answers = { route: 0, heartbeat: 0, members: 0, place: 0, pull: 0, notices: 0 };

  constructor(socket: Socket, number: number, parts: IdleConsumerParts) {
    const { fail } = parts;
    this.#socket = socket;
    this.#parts = parts;
    this.#group = `group-${Math.floor(number / membersPerGroup)}`;
    this.#beat = utf8(JSON.stringify(heartbeatOf(number, this.#group)));
    const queueId = number % membersPerGroup;
    const retry = { topic: `%RETRY%${this.#group}`, queueId: 0 };
    this.#places = [{ topic, queueId }, ...queueId === 0 ? [retry] : []];
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
    socket.on("error", (error) => fail(`connection ${number} failed: ${error.message}`));
    socket.on("close", () => fail(`connection ${number} was closed`));
  }

  static async connect(number: number, parts: IdleConsumerParts): Promise<IdleConsumer> {
    const socket = connect({ host: "127.0.0.1", port: parts.port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new IdleConsumer(socket, number, parts);
  }

  /** Whether it has nothing to do but what an idle consumer does: all its pulls wait. */
  get isIdle(): boolean {
    let pulling = 0;
    for (const { kind } of this.#asked.values()) if (kind === "pull") pulling++;
    return this.#joined && (!this.#parts.pulls || pulling === this.#places.length);
  }

  leave(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  /** Looks where its topic is, as the first thing it says. */
  greet(): void {
    this.#askRoute(topic);
  }

  /** Shows that it lives. */
  heartbeat(): void {
    this.#ask("heartbeat", requestCodes.heartBeat, {}, this.#beat);
  }

  /** Looks where its topics are. */
  pollRoutes(): void {
    this.#askRoute(topic);
    this.#askRoute(`%RETRY%${this.#group}`);
  }

  /** Asks for the group's members, once for each topic, to share the queues by. */
  rebalance(): void {
    if (!this.#joined) return;
    for (const _topic of [topic, `%RETRY%${this.#group}`]) {
      const fields = { consumerGroup: this.#group };
      this.#ask("members", requestCodes.getConsumerListByGroup, fields);
    }
  }

  /** Its first heartbeat was answered: it looks for its share, and begins to pull. */
  #join(pulls: boolean): void {
    this.#joined = true;
    this.rebalance();
    if (!pulls) return;
    for (const place of this.#places) {
      const fields = { consumerGroup: this.#group, topic: place.topic };
      const asked = { ...fields, queueId: String(place.queueId), setZeroIfNotFound: "true" };
      this.#ask("place", requestCodes.queryConsumerOffset, asked, undefined, place);
    }
  }

  /** Tells how far it is, moved or not; nobody answers. */
  storePlaces(): void {
    if (!this.#joined || !this.#parts.pulls) return;
    for (const place of this.#places) {
      this.#post(requestCodes.updateConsumerOffset, commandFlags.oneway, {
        ...{ consumerGroup: this.#group, topic: place.topic, queueId: String(place.queueId) },
        commitOffset: "0",
      });
    }
  }

  #askRoute(name: string): void {
    const fields = { topic: name, acceptStandardJsonOnly: "true" };
    this.#ask("route", requestCodes.getRouteinfoByTopic, fields);
  }

  #pull(place: Place): void {
    this.#ask(
      "pull",
      requestCodes.pullMessage,
      {
        ...{ consumerGroup: this.#group, topic: place.topic, queueId: String(place.queueId) },
        ...{ queueOffset: "0", maxMsgNums: "32", sysFlag: "2", commitOffset: "0" },
        ...{ suspendTimeoutMillis: String(pullWaitMs), subVersion: "0", expressionType: "TAG" },
        maxMsgBytes: "262144",
      },
      undefined,
      place,
    );
  }

  #ask(
    kind: Kind,
    code: number,
    fields: Record<string, string>,
    body?: Uint8Array,
    place?: Place,
  ): void {
    const opaque = this.#post(code, 0, fields, body);
    this.#asked.set(opaque, place === undefined ? { kind } : { kind, place });
  }

  #post(code: number, flag: number, extFields: Record<string, string>, body?: Uint8Array): number {
    const opaque = ++this.#opaque;
    const head = { code, language: "JAVA", version: 479, opaque, flag, remark: undefined };
    for (const piece of encodeCommand({ ...head, extFields, serializer: "json" }, body)) {
      this.#socket.write(piece);
    }
    return opaque;
  }

  #read(chunk: Uint8Array): void {
    this.#decoder.push(chunk, (frame) => {
      const { opaque, flag, code, remark } = decodeCommand(frame);
      if ((flag & commandFlags.response) === 0) {
        this.answers.notices++;
        this.rebalance();
        return;
      }
      const { pulls, fail } = this.#parts;
      const asked = this.#asked.get(opaque);
      if (asked === undefined) return fail(`an answer to no question: ${opaque}`);
      this.#asked.delete(opaque);
      const { kind, place } = asked;
      if (!goodCodes.includes(code)) return fail(`a ${kind} was answered with ${code}: ${remark}`);
      this.answers[kind]++;
      if (kind === "heartbeat" && !this.#joined) this.#join(pulls);
      if (place !== undefined) this.#pull(place);
    });
  }
}

function heartbeatOf(number: number, groupName: string): unknown {
  const subscription = (name: string) => ({
    ...{ classFilterMode: false, codeSet: [], expressionType: "TAG", subString: "*" },
    ...{ subVersion: 1_700_000_000_000 + number, tagsSet: [], topic: name },
  });
  return {
    clientID: `10.0.0.${number % 256}@${number}#${1_700_000_000_000 + number}`,
    consumerDataSet: [{
      ...{ consumeFromWhere: "CONSUME_FROM_LAST_OFFSET", consumeType: "CONSUME_PASSIVELY" },
      ...{ groupName, messageModel: "CLUSTERING", unitMode: false },
      subscriptionDataSet: [subscription(topic), subscription(`%RETRY%${groupName}`)],
    }],
    heartbeatFingerprint: 0,
    producerDataSet: [{ groupName: "CLIENT_INNER_PRODUCER" }],
    withoutSub: false,
  };
}
