/** Names in a request → what they name, with a hint when there is no such thing. @module */
import type { Broker } from "../../broker/broker.ts";
import type { Group } from "../../model/group.ts";
import type { Topic } from "../../model/topic.ts";
import { nearestName } from "./nearest_name.ts";
import { ProblemError } from "./problem.ts";

/** The topic of this name. @throws {ProblemError} `topic_not_found`, with `suggestion`. */
export function existingTopic(broker: Broker, name: string): Topic {
  const topic = broker.topic(name);
  if (topic) return topic;
  throw topicMissing(broker, name);
}

/** The failure that says so, with the name that was perhaps meant. */
export function topicMissing(broker: Broker, name: string): ProblemError {
  return missing("topic_not_found", "topic", name, broker.topics());
}

/** The group of this name. @throws {ProblemError} `group_not_found`, with `suggestion`. */
export function existingGroup(broker: Broker, name: string): Group {
  const group = broker.group(name);
  if (group) return group;
  throw groupMissing(broker, name);
}

/** The failure that says so, with the name that was perhaps meant. */
export function groupMissing(broker: Broker, name: string): ProblemError {
  return missing("group_not_found", "group", name, broker.groups());
}

function missing(
  code: "topic_not_found" | "group_not_found",
  kind: string,
  name: string,
  all: readonly { readonly name: string }[],
): ProblemError {
  const suggestion = nearestName(name, all);
  const hint = suggestion === undefined ? "" : `; did you mean ${JSON.stringify(suggestion)}?`;
  const shown = JSON.stringify(name.slice(0, 255));
  return new ProblemError(
    code,
    `Cannot find ${kind} ${shown}: there is none of this name${hint}`,
    suggestion === undefined ? {} : { suggestion },
  );
}
