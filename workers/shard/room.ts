/**
 * What finds a place when the disk is filling up.
 *
 *     plenty    everything
 *     reserve   what consumers say, and verdicts: what they move has its room already
 *     none      what consumers say, which changes rows and adds nothing
 *
 * @module
 */
import type { Work, WorkName } from "./plan.ts";

/** How much room a turn is planned for. */
export type Room = "plenty" | "reserve" | "none";

/** What a request takes: nothing, what was put aside for it, or more. */
export type Wanted = "nothing" | "its own" | "more";

const bringsMessages: ReadonlySet<WorkName> = new Set([
  "append",
  "sendBack",
  "schedule",
  "prepare",
  "redrive",
]);

/** What a request takes of the disk. */
export function takesRoom(work: Work): Wanted {
  if (bringsMessages.has(work.name)) return "more";
  switch (work.name) {
    case "settleKey":
      return work.request.action === "bury" ? "more" : "nothing";
    case "settleHalf":
      return work.request.verdict === "commit" ? "its own" : "nothing";
    case "changeTimer":
      return work.request.action.kind === "move" ? "its own" : "nothing";
    default:
      return "nothing";
  }
}
