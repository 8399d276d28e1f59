/**
 * What members of this protocol are told when their group is put elsewhere, whoever did it: a tool,
 * HTTP or the command line.
 *
 *     placesMoving ─▶ what members commit counts for nothing until they have followed
 *     placesMoved  ─▶ RESET_CONSUMER_CLIENT_OFFSET (220) to each; who misses it hears 21 at a pull
 *     placesStayed ─▶ nobody is sent anywhere: the reset was refused, and says so to who asked
 *
 * @module
 */
import { utf8 } from "../../base/bytes.ts";
import type { BrokerNews, PlacesMove } from "../../broker/broker.ts";
import type { RemotingContext } from "./call.ts";
import { requestCodes } from "./codes.ts";
import { jsonBody } from "./handlers/json_body.ts";
import { messageQueueMapText } from "./message_queue_keys.ts";

/** Clients want a time and do nothing with it: the offsets say where to go. */
const noTime = "-1";

/** Hears of moves for all sessions. */
export class ResetNews
  implements Pick<BrokerNews, "placesMoving" | "placesMoved" | "placesStayed"> {
  readonly #context: RemotingContext;

  constructor(context: RemotingContext) {
    this.#context = context;
  }

  placesMoving({ group, topic, offsets }: PlacesMove): void {
    for (const { queueId, offset } of offsets) {
      this.#context.resets.put(group, topic, queueId, offset);
    }
  }

  placesStayed({ group, topic, offsets }: PlacesMove): void {
    for (const { queueId } of offsets) this.#context.resets.drop(group, topic, queueId);
  }

  placesMoved(move: PlacesMove): void {
    if (move.offsets.length === 0) return;
    this.#tell(move).catch((thrown: unknown) => {
      // Whoever was not told is sent to the right place by the next pull.
      const { group, topic } = move;
      this.#context.log.warn("members not told of a reset", { group, topic, reason: `${thrown}` });
    });
  }

  /** C++ reads a list instead of a map. */
  async #tell({ group, topic, offsets }: PlacesMove): Promise<void> {
    const { broker, clients, settings: { brokerName } } = this.#context;
    const rows = offsets.map(({ queueId, offset }) =>
      [{ topic, brokerName, queueId }, offset] as const
    );
    const map = utf8(`{"offsetTable":${messageQueueMapText(rows)}}`);
    const list = jsonBody({ offsetTable: rows.map(([queue, offset]) => ({ ...queue, offset })) });
    const extFields = { topic, group, timestamp: noTime, isForce: "true" };
    for (const { connection, language } of await broker.consumers(group)) {
      const code = requestCodes.resetConsumerClientOffset;
      clients.tell(connection, { code, extFields, body: language === "CPP" ? list : map });
    }
  }
}
