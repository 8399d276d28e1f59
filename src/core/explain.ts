/**
 * Why a message was, or was not, delivered to a group: causes out of facts. The first cause is the
 * one that decides; those after it would be next.
 *
 *     not in a queue ─▶ timer, transaction, unknown
 *     finished       ─▶ dead letter, operator, reset, start, expiry, filter, else acknowledged
 *     open           ─▶ parked, leased, waiting for a retry, held behind its key or for a member
 *     not reached    ─▶ filter, expiry, key, messages before it, nobody asks, ready
 *
 * @module
 */
import type {
  Cause,
  CauseKind,
  DeadFacts,
  ExplainFacts,
  MoveFacts,
  OpenFacts,
  WaitingFacts,
} from "../model/explanation.ts";
import { counted, quoted, span, time } from "./explain_words.ts";

/** A group that has not asked for so long is said to have no member: longer than any poll. */
export const memberSilentMs = 120_000;

type Place = NonNullable<ExplainFacts["place"]>;
type Facts = Cause["facts"];

/** The causes, the deciding one first; never none. */
export function explain(facts: ExplainFacts): Cause[] {
  const { topic, group, place, waiting, dead } = facts;
  if (!topic.exists) {
    const sentence = `There is no topic "${topic.name}".`;
    return [cause("unknown-topic", sentence, { topic: topic.name }, "curlew topic list")];
  }
  if (!group.exists) {
    const sentence = `There is no group "${group.name}".`;
    return [cause("unknown-group", sentence, { group: group.name }, "curlew group list")];
  }
  const switches = switchedOff(facts);
  if (place === null) {
    if (waiting !== null) return [...waitingCauses(facts, waiting), ...switches];
    if (dead !== null) return [deadCause(facts, dead)];
    return [unknownMessage(facts)];
  }
  return placeCauses(facts, place, switches);
}

function placeCauses(facts: ExplainFacts, place: Place, switches: Cause[]): Cause[] {
  const { offset, next, open } = place;
  if (offset >= place.maxOffset) return [unknownMessage(facts)];
  const isFinished = next !== null && offset < next && open === null;
  if (isFinished) return [finishedCause(facts, place)];
  if (place.stored === null) {
    return [offset < place.minOffset ? retentionCause(facts, place) : damagedCause(place)];
  }
  const causes = open !== null ? openCauses(facts, place, open) : freshCauses(facts, place);
  // What is switched off is not ready, whatever else is well with it.
  const isOff = switches.length > 0;
  return [...switches, ...causes.filter(({ cause }) => !isOff || cause !== "ready")];
}

function switchedOff({ topic, group }: ExplainFacts): Cause[] {
  const causes: Cause[] = [];
  if (!topic.readable) {
    const command = `curlew topic change ${topic.name} --perm read-write`;
    const sentence = `Topic ${topic.name} does not give messages: reading is switched off.`;
    causes.push(cause("topic-unreadable", sentence, { topic: topic.name }, command));
  }
  if (!group.consumeEnabled) {
    const command = `curlew group change ${group.name} --consume on`;
    const sentence = `Group ${group.name} is switched off: nothing is delivered to it.`;
    causes.push(cause("group-off", sentence, { group: group.name }, command));
  }
  return causes;
}

function waitingCauses(facts: ExplainFacts, waiting: WaitingFacts): Cause[] {
  if (waiting.kind === "timer") {
    const { dueMs, timerKey } = waiting;
    const command = `curlew timer cancel ${facts.messageId} -t ${facts.topic.name}`;
    const sentence = `It becomes visible at ${time(dueMs)}, in ${span(dueMs - facts.nowMs)}.`;
    return [cause("not-due", sentence, { dueMs, timerKey }, command)];
  }
  const { state, producerGroup, checks, createdMs, nextCheckMs, settledMs } = waiting;
  const told = { producerGroup, checks, createdMs, transactionId: waiting.transactionId };
  const settle = `curlew transaction commit ${waiting.transactionId ?? "ID"}`;
  switch (state) {
    case "prepared": {
      const sentence = `Its transaction is undecided since ${time(createdMs)}: producer group ` +
        `${producerGroup} was asked ${counted(checks, "time")} and is asked next at ${
          time(nextCheckMs)
        }.`;
      return [cause("transaction-open", sentence, { ...told, nextCheckMs }, settle)];
    }
    case "parked": {
      const sentence = `Its transaction is parked: producer group ${producerGroup} was asked ` +
        `${counted(checks, "time")} and never decided; an operator has to.`;
      return [cause("transaction-parked", sentence, told, settle)];
    }
    case "rolled-back": {
      const sentence = `Its transaction was rolled back at ${time(settledMs)}: it is never shown.`;
      return [cause("rolled-back", sentence, { ...told, settledMs }, null)];
    }
    case "committed":
      return [unknownMessage(facts)];
  }
}

function finishedCause(facts: ExplainFacts, place: Place): Cause {
  const { group, topic, dead, nowMs, filters } = facts;
  const { offset, queueId, moves, stored } = place;
  const again = resetTo(facts, queueId, offset);
  if (place.retry !== null) return retryCopyCause(facts, place.retry, again);
  // What became of it before the group was put back to it decides nothing any more.
  const back = takenBack(moves, offset);
  const sinceBack = back === undefined ? moves : moves.slice(0, moves.indexOf(back));
  const byOperator = sinceBack.find(({ kind, fromOffset }) => {
    return (kind === "key-skipped" || kind === "key-buried") && fromOffset === offset;
  });
  if (byOperator?.kind === "key-skipped") {
    const { by, atMs } = byOperator;
    const sentence = `An operator (${by}) skipped it at ${time(atMs)}, so that its key goes on.`;
    return cause("key-skipped", sentence, { by, atMs }, again);
  }
  if (dead !== null && (back === undefined || diedAfter(dead, back))) return deadCause(facts, dead);
  const move = moveOver(sinceBack, offset);
  if (move?.kind === "began") {
    const sentence = `Group ${group.name} began to read this queue at offset ${move.toOffset}, ` +
      `at ${time(move.atMs)}: it lies before that.`;
    const told = { startOffset: move.toOffset, atMs: move.atMs };
    return cause("before-start", sentence, told, again);
  }
  if (move !== undefined) {
    const { by, atMs, kind, fromOffset, toOffset } = move;
    const sentence = `A ${kind} by ${by} at ${time(atMs)} moved group ${group.name} from offset ` +
      `${fromOffset} to ${toOffset}, past it.`;
    const command = `curlew group undo ${group.name} -t ${topic.name}`;
    return cause("skipped-by-reset", sentence, { by, atMs, fromOffset, toOffset }, command);
  }
  if (place.passed === "expired") {
    const expiresMs = stored?.expiresMs ?? null;
    const sentence = "Its time to live was over before anybody of the group finished it.";
    return cause("expired", sentence, { expiresMs }, again);
  }
  const isUnwanted = filters.length > 0 && stored !== null && !place.matches.includes(true);
  // It was passed over: whoever asks for it now is too late.
  if (place.passed === "unmatched" || isUnwanted) return filteredCause(facts, again);
  const expiresMs = stored?.expiresMs ?? null;
  const doubts: string[] = [];
  if (expiresMs !== null && expiresMs <= nowMs) {
    doubts.push(`, unless it expired first, at ${time(expiresMs)}`);
  }
  // Which ones were passed over is not kept: members may want other things by now.
  if (place.unmatched > 0) doubts.push(", unless no member wanted it when its turn came");
  const sentence = `Group ${group.name} has finished it: it was delivered and acknowledged` +
    `${doubts.join("")}.`;
  return cause("acknowledged", sentence, { offset, queueId }, place.unmatched > 0 ? again : null);
}

/** By their places in the log: a tick of the clock holds both, and clocks are set back. */
function diedAfter(dead: DeadFacts, move: MoveFacts): boolean {
  if (dead.position === null || move.position === null) return dead.diedMs >= move.atMs;
  return dead.position >= move.position;
}

/**
 * The move that last made the message new to the group: a reset or clone to it, unless it was
 * undone, or the undoing of one before which the group had not finished it.
 */
function takenBack(moves: readonly MoveFacts[], offset: number): MoveFacts | undefined {
  let undone = 0;
  for (const move of moves) {
    const { kind, toOffset, putBack } = move;
    if (putBack) return move;
    if (kind === "undo") undone++;
    if (kind !== "reset" && kind !== "clone") continue;
    if (undone > 0) undone--;
    else if (toOffset <= offset) return move;
  }
  return undefined;
}

/** The newest move that took the group past `offset`, of those since one made it new. */
function moveOver(moves: readonly MoveFacts[], offset: number): MoveFacts | undefined {
  let undone = 0;
  for (const move of moves) {
    const { kind, fromOffset, toOffset } = move;
    if (kind === "key-skipped" || kind === "key-buried") continue;
    if (kind === "undo") {
      undone++;
      continue;
    }
    // What an undo has put back never happened, as far as this message goes.
    if (kind !== "began" && undone > 0) {
      undone--;
      continue;
    }
    if (kind === "began") return offset < toOffset ? move : undefined;
    if (fromOffset <= offset) return move;
  }
  return undefined;
}

function openCauses(facts: ExplainFacts, place: Place, open: OpenFacts): Cause[] {
  const { nowMs, group, topic } = facts;
  const { queueId, offset, before } = place;
  const { attempts, untilMs, holder } = open;
  if (open.parked) {
    const sentence =
      `Its key is parked on it: ${counted(attempts, "delivery")} failed, and group ` +
      `${group.name} waits for an operator.`;
    const told = { attempts, key: place.stored?.key ?? "" };
    return [cause("key-parked", sentence, told, settleKey(facts, queueId, offset))];
  }
  if (open.leased && untilMs > nowMs) {
    const who = holder ?? "a consumer (since before the broker's last start)";
    const sentence = `It is delivered to ${who}, who has until ${time(untilMs)} to acknowledge ` +
      `it (delivery ${attempts}).`;
    const command = `curlew group offsets ${group.name} -t ${topic.name}`;
    return [cause("leased", sentence, { holder, untilMs, attempts }, command)];
  }
  if (before !== null) return [behindCause(facts, place), ...nobodyAsks(facts, place)];
  if (attempts === 0) {
    const expired = expiredCauses(facts, place);
    if (expired.length > 0) return expired;
    const mine = facts.filters.filter((_, at) => place.matches[at] === true);
    if (mine.length === facts.filters.length) return goingOn(facts, place);
    if (mine.length === 0) return [filteredCause(facts, wishOf(facts))];
    const sentence = `It waits for a member of group ${group.name} that wants it: ` +
      `${quoted(mine)}.`;
    const command = `curlew message receive -t ${topic.name} -g ${group.name}`;
    return [
      cause("held-for-member", sentence, { wantedBy: mine.join("; ") }, command),
      ...nobodyAsks(facts, place),
    ];
  }
  if (attempts >= group.attemptsMax) {
    const sentence = `The last of ${counted(group.attemptsMax, "delivery")} failed: when the ` +
      "group asks for its queue next, it goes to the dead letters, or its key is parked.";
    const command = `curlew group change ${group.name} --attempts-max N`;
    return [cause("retry-waiting", sentence, { attempts, nextMs: untilMs }, command)];
  }
  if (untilMs > nowMs) {
    const sentence = `Delivery ${attempts} of ${group.attemptsMax} failed; the next comes at ` +
      `${time(untilMs)}, in ${span(untilMs - nowMs)}.`;
    // Other waits would count from the next failure on only.
    const command = resetTo(facts, queueId, offset);
    return [cause("retry-waiting", sentence, { attempts, nextMs: untilMs }, command)];
  }
  return goingOn(facts, place);
}

function freshCauses(facts: ExplainFacts, place: Place): Cause[] {
  const { group, topic, filters } = facts;
  const { offset, next, queueId } = place;
  const causes = expiredCauses(facts, place);
  if (filters.length > 0 && !place.matches.includes(true)) {
    causes.push(filteredCause(facts, wishOf(facts)));
  }
  if (causes.length > 0) return causes;
  if (place.before !== null) causes.push(behindCause(facts, place));
  if (place.held >= place.heldMax) {
    const sentence = `Group ${group.name} keeps ${place.held} messages of this queue back for ` +
      "their keys or members, which is the most: the queue goes on when one of them moves.";
    const command = `curlew group parked ${group.name} -t ${topic.name}`;
    causes.push(cause("queue-full", sentence, { held: place.held }, command));
  }
  const ahead = next === null ? offset - place.minOffset : offset - next;
  if (ahead > 0) {
    const sentence = `${counted(ahead, "message")} of queue ${queueId} ${
      ahead === 1 ? "comes" : "come"
    } before it.`;
    const command = `curlew group offsets ${group.name} -t ${topic.name}`;
    causes.push(cause("queue-behind", sentence, { ahead, nextOffset: next }, command));
  }
  return causes.length > 0 ? [...causes, ...nobodyAsks(facts, place)] : goingOn(facts, place);
}

/** What is left when nothing holds the message: somebody has to ask. */
function goingOn(facts: ExplainFacts, place: Place): Cause[] {
  const nobody = nobodyAsks(facts, place);
  if (nobody.length > 0 || place.lastAsked === null) return nobody;
  const { atMs, by } = place.lastAsked;
  const sentence = `Nothing holds it: the next who asks for it gets it (${by} asked last, at ` +
    `${time(atMs)}).`;
  return [cause("ready", sentence, { lastAskedMs: atMs, lastAskedBy: by }, null)];
}

function nobodyAsks(facts: ExplainFacts, { lastAsked, next }: Place): Cause[] {
  const { group, topic, members, nowMs } = facts;
  if (lastAsked !== null && nowMs - lastAsked.atMs <= memberSilentMs) return [];
  const since = lastAsked === null
    ? "since the broker started"
    : `since ${time(lastAsked.atMs)}, when ${lastAsked.by} did`;
  const sentence = `Nobody of group ${group.name} has asked for this queue ${since}.`;
  const told = { lastAskedMs: lastAsked?.atMs ?? null, members, hasPlace: next !== null };
  const command = `curlew message receive -t ${topic.name} -g ${group.name}`;
  return [cause("no-member", sentence, told, command)];
}

function behindCause(facts: ExplainFacts, { before, stored, queueId }: Place): Cause {
  const key = stored?.key ?? "";
  const { offset = -1, messageId = "", open } = before ?? {};
  const name = key === "" ? "without a key" : `of key "${key}"`;
  if (open?.parked) {
    const sentence = `It waits behind message ${messageId} ${name} (offset ${offset}), which is ` +
      `parked after ${counted(open.attempts, "failed delivery")}.`;
    const command = settleKey(facts, queueId, offset);
    return cause("behind-parked-key", sentence, { key, behind: messageId, offset }, command);
  }
  const state = open === undefined || !open.leased || open.untilMs <= facts.nowMs
    ? "waits itself"
    : `is delivered to ${open.holder ?? "a consumer"} until ${time(open.untilMs)}`;
  const sentence = `It waits behind message ${messageId} ${name} (offset ${offset}), which ` +
    `${state}.`;
  const command = `curlew message explain ${messageId} -t ${facts.topic.name} ` +
    `-g ${facts.group.name}`;
  return cause("behind-key", sentence, { key, behind: messageId, offset }, command);
}

function expiredCauses(facts: ExplainFacts, { stored }: Place): Cause[] {
  const expiresMs = stored?.expiresMs ?? null;
  if (expiresMs === null || expiresMs > facts.nowMs) return [];
  const sentence = `Its time to live was over at ${time(expiresMs)}: it is passed over.`;
  const command = `curlew topic show ${facts.topic.name}`;
  return [cause("expired", sentence, { expiresMs }, command)];
}

function filteredCause({ filters, group }: ExplainFacts, command: string): Cause {
  const sentence = filters.length === 0
    ? `No member of group ${group.name} wanted it when its turn came.`
    : `No expression of group ${group.name} lets it through: ${quoted(filters)}.`;
  return cause("filtered", sentence, { expressions: filters.join("; ") }, command);
}

function retentionCause({ topic, nowMs }: ExplainFacts, place: Place): Cause {
  const { offset, queueId, minOffset } = place;
  const by = retentionBound(topic.retention, nowMs);
  const names = {
    time: `by time (${span(topic.retention?.ms ?? 0)})`,
    bytes: `by bytes (${topic.retention?.bytes} in a shard)`,
  };
  const name = by === "either" ? `${names.time} or ${names.bytes}` : names[by];
  const sentence = `Retention ${name} has removed it: queue ${queueId} begins at offset ` +
    `${minOffset}.`;
  const options = { time: "--retention TIME", bytes: "--retention-bytes SIZE" };
  const option = by === "either" ? `${options.time} ${options.bytes}` : options[by];
  const command = `curlew topic change ${topic.name} ${option}`;
  return cause("retention", sentence, { offset, minOffset, by }, command);
}

/** Which bound took a message, by the settings of now: when it was stored is gone with it. */
function retentionBound(
  retention: ExplainFacts["topic"]["retention"],
  nowMs: number,
): "time" | "bytes" | "either" {
  if (retention === null || retention.bytes === null) return "time";
  // Nothing in a topic is older than the topic.
  return nowMs - retention.topicCreatedMs < retention.ms ? "bytes" : "either";
}

function damagedCause({ offset, queueId }: Place): Cause {
  const sentence = `What was stored at offset ${offset} of queue ${queueId} is damaged or lost: ` +
    "it does not match its checksum, and is not served.";
  return cause("damaged", sentence, { offset, queueId }, "curlew check --data DIRECTORY");
}

function retryCopyCause(
  facts: ExplainFacts,
  retry: { dueMs: number; times: number },
  command: string,
): Cause {
  const sentence = `A consumer sent it back (time ${retry.times}); it comes again at ` +
    `${time(retry.dueMs)}, in ${span(retry.dueMs - facts.nowMs)}.`;
  const told = { attempts: retry.times, nextMs: retry.dueMs };
  return cause("retry-waiting", sentence, told, command);
}

function deadCause({ group, messageId }: ExplainFacts, dead: DeadFacts): Cause {
  const { reason, attempts, diedMs, by, left } = dead;
  const why = reason === "buried"
    ? `an operator (${by ?? "unknown"}) buried it`
    : reason === "given-up"
    ? "a consumer gave it up"
    : `${counted(attempts, "delivery")} failed`;
  const where = left
    ? `it is in the dead letters of group ${group.name}`
    : `its dead letter of group ${group.name} was redriven or purged since`;
  const sentence = `At ${time(diedMs)} ${why}: ${where}.`;
  const command = left ? `curlew dead-letter redrive ${group.name} --id ${messageId}` : null;
  return cause("dead-letter", sentence, { reason, attempts, diedMs, by, left }, command);
}

function unknownMessage({ messageId, topic, place }: ExplainFacts): Cause {
  const what = messageId ?? `at offset ${place?.offset} of queue ${place?.queueId}`;
  const where = topic.name === "" ? "any topic" : `topic ${topic.name}`;
  const sentence = `The broker knows no message ${what} in ${where}: it was never sent, its send ` +
    "failed, its timer was called off, or retention has removed it.";
  const command = topic.name === ""
    ? "curlew topic list"
    : `curlew message query -t ${topic.name} --from 1h`;
  return cause("unknown-message", sentence, { messageId }, command);
}

/** Asks for what nobody of the group has asked for so far. */
function wishOf({ group, topic }: ExplainFacts): string {
  return `curlew message receive -t ${topic.name} -g ${group.name} --tags EXPRESSION`;
}

function settleKey({ group, topic }: ExplainFacts, queueId: number, offset: number): string {
  return `curlew group settle ${group.name} -t ${topic.name} --queue ${queueId} ` +
    `--offset ${offset} --action retry`;
}

function resetTo({ group, topic }: ExplainFacts, queueId: number, offset: number): string {
  return `curlew group reset ${group.name} -t ${topic.name} --queue ${queueId} --to ${offset}`;
}

function cause(kind: CauseKind, sentence: string, facts: Facts, command: string | null): Cause {
  return { cause: kind, sentence, facts, command };
}
