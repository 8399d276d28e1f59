/** Where a group is, as HTTP users read it. @module */
import type { QueuePlace } from "../../broker/broker.ts";
import { type Answer, jsonAnswer } from "./answer.ts";

/** The places as an answer. */
export function placesAnswer(places: readonly QueuePlace[]): Answer {
  return jsonAnswer({
    places: places.map((place) => {
      const { topic, queueId, committedOffset, nextOffset, openDeliveries } = place;
      const { unmatched, expired, minOffset, maxOffset, lag } = place;
      return {
        topic,
        queueId,
        committedOffset,
        nextOffset,
        openDeliveries,
        unmatched,
        expired,
        minOffset,
        maxOffset,
        lag,
      };
    }),
  });
}
