/** The places of many groups at once, for those who ask about all. @module */
import { limits } from "../../../base/limits.ts";
import type { Broker, QueuePlace } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";

/**
 * Every place of these groups.
 *
 * @throws {BrokerError} `limit_exceeded`: there are more than one answer can hold.
 */
export async function allPlaces(
  groups: readonly string[],
  broker: Pick<Broker, "placesOfGroups">,
): Promise<ReadonlyMap<string, readonly QueuePlace[]>> {
  const all = new Map<string, readonly QueuePlace[]>();
  let count = 0;
  for (let at = 0; at < groups.length; at += limits.groupsPerPlacesAskMax) {
    const some = groups.slice(at, at + limits.groupsPerPlacesAskMax);
    for (const [group, places] of await broker.placesOfGroups(some)) {
      all.set(group, places);
      count += places.length;
    }
    if (count <= limits.placesPerAnswerMax) continue;
    throw new BrokerError(
      "limit_exceeded",
      `Cannot list the places of ${groups.length} groups: they are more than ` +
        `${limits.placesPerAnswerMax}. Ask for one group at a time (GET_CONSUME_STATS)`,
    );
  }
  return all;
}
