/** The commands of a play that an operator gives. @module */
import type { ResetTarget } from "../../src/broker/broker.ts";
import type { ExplainTarget } from "../../src/model/explanation.ts";
import type { Command, Words } from "./stage.ts";

const by = "ops";

/** Commands by name. */
export const operatorCommands: Readonly<Record<string, Command>> = {
  places: async ({ broker }, { plain: [topic = "", group = ""] }) => {
    const places = await broker.run(broker.door.places(group, topic));
    return places.map((place) => {
      const { queueId, committedOffset, nextOffset, openDeliveries, unmatched, expired } = place;
      const passed = unmatched + expired === 0 ? "" : `, ${unmatched} unwanted, ${expired} expired`;
      return `${queueId}: committed ${committedOffset}, next ${nextOffset}, ` +
        `${openDeliveries} open${passed}`;
    });
  },
  reset: async ({ broker }, { plain: [topic = "", group = "", ...where] }) => {
    const target = targetOf(where);
    await broker.run(broker.door.resetOffsets(group, topic, target, by));
    return ["ok"];
  },
  preview: async ({ broker }, { plain: [topic = "", group = "", ...where] }) => {
    const previews = await broker.run(broker.door.previewReset(group, topic, targetOf(where)));
    return previews.map(({ queueId, fromOffset, toOffset, replayed, skipped }) => {
      return `${queueId}: ${fromOffset} to ${toOffset}, ${replayed} again, ${skipped} skipped`;
    });
  },
  undo: async ({ broker }, { plain: [topic = "", group = ""] }) => {
    await broker.run(broker.door.undoReset(group, topic, by));
    return ["ok"];
  },
  clone: async ({ broker }, { plain: [topic = "", from = "", to = ""] }) => {
    await broker.run(broker.door.cloneOffsets(from, to, topic, by));
    return ["ok"];
  },
  events: async ({ broker }, { plain: [topic = "", group = ""] }) => {
    const events = await broker.run(broker.door.placeEvents(group, topic));
    return none(events.map(({ queueId, kind, by, fromOffset, toOffset }) => {
      return `${queueId}: ${kind} by ${by}, ${fromOffset} to ${toOffset}`;
    }));
  },
  parked: async ({ broker }, { plain: [topic = "", group = ""] }) => {
    const keys = await broker.run(broker.door.parkedKeys(group, topic));
    return none(keys.map(({ queueId, offset, key, messageId, attempts, behind }) => {
      return `${key} on ${messageId} at ${queueId}/${offset}: ${attempts} failed, ${behind} behind`;
    }));
  },
  decide: async ({ broker }, { plain: [topic = "", group = "", place = "", action = ""] }) => {
    const [queueId = 0, offset = 0] = place.split("/").map(Number);
    const wish = action === "retry" || action === "skip" ? action : "bury";
    await broker.run(broker.door.settleKey(group, topic, { queueId, offset }, wish, by));
    return ["ok"];
  },
  letters: async ({ broker }, { plain: [group = ""] }) => {
    const { letters } = await broker.run(broker.door.deadLetters.list(group, null, 100));
    return none(letters.map((letter) => {
      const { messageId, originTopic, originQueueId, originOffset, reason, attempts } = letter;
      const origin = `${originTopic}/${originQueueId}/${originOffset}`;
      return `${messageId} from ${origin}: ${reason}, ${attempts} attempts`;
    }));
  },
  redrive: async ({ broker }, { plain: [group = "", ...messageIds] }) => {
    const choice = messageIds[0] === "all"
      ? { kind: "all" } as const
      : { kind: "ids", messageIds } as const;
    const { deadLetters } = broker.door;
    const { id } = await broker.run(deadLetters.redrive(group, choice, 1_000));
    await broker.pass(1_000);
    const done = deadLetters.redrives(group).find((redrive) => redrive.id === id);
    return [`${done?.state}: ${done?.redriven} redriven, ${done?.left} left`];
  },
  purge: async ({ broker }, { plain: [group = ""] }) => {
    const purged = await broker.run(broker.door.deadLetters.purge(group, { kind: "all" }));
    return [`${purged} purged`];
  },
  damage: async ({ broker }, { plain: positions }) => {
    for (const position of positions) broker.damaged.add(Number(position));
    return await Promise.resolve(["ok"]);
  },
  explain: async ({ broker }, { plain: [what = "", group = ""], named }) => {
    const [topic = "", queueId = "", offset = ""] = what.split("/");
    const target: ExplainTarget = offset === ""
      ? { by: "id", messageId: what, topic: named["topic"] ?? null }
      : { by: "place", topic, queueId: Number(queueId), offset: Number(offset) };
    const { causes } = await broker.run(broker.door.explain(target, group));
    return causes.map(({ cause, sentence }) => `${cause}: ${sentence}`);
  },
};

function targetOf([where = "", queueId = "", offset = ""]: Words["plain"]): ResetTarget {
  if (where === "offset") {
    return { kind: "offset", queueId: Number(queueId), offset: Number(offset) };
  }
  return where === "earliest" ? { kind: "earliest" } : { kind: "latest" };
}

function none(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ["none"] : lines;
}
