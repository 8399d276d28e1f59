/**
 * The cause an explanation gives agrees with what the disks say of the message, and with what the
 * group's members and operators were told of it. Where they leave several causes open, any of those
 * is right; what changed while it was asked is not judged.
 *
 * @module
 */
import type { CauseKind } from "../../../src/model/explanation.ts";
import type { MessageFacts, SimEvent, Spot, Whereabouts } from "../events.ts";
import { spotKey } from "../events.ts";
import { isPullGroup, isWanted, type SimGroup } from "../groups.ts";
import type { Checker, Moment } from "../journal.ts";
import { KnownDeliveries } from "./known_deliveries.ts";

type Explained = SimEvent & { readonly kind: "explained" };
type Complain = (fault: string) => void;

/** What each state of a message that is in no queue is called. */
const causeOfState: Readonly<Record<string, readonly CauseKind[]>> = {
  timer: ["not-due"],
  prepared: ["transaction-open"],
  parked: ["transaction-parked"],
  "rolled-back": ["rolled-back"],
  // Retention took it; the group may have its dead letter still.
  committed: ["unknown-message", "dead-letter"],
  nowhere: ["unknown-message", "dead-letter"],
};

/** Causes that belong to messages in a queue. */
const placeCauses: readonly CauseKind[] = [
  "dead-letter",
  "key-skipped",
  "skipped-by-reset",
  "before-start",
  "expired",
  "filtered",
  "held-for-member",
  "key-parked",
  "behind-parked-key",
  "behind-key",
  "leased",
  "retry-waiting",
  "queue-behind",
  "queue-full",
  "no-member",
  "ready",
  "acknowledged",
];

/** What is to come to a group. */
const ahead: readonly CauseKind[] = ["queue-behind", "no-member", "ready"];

/** Explanations, held against what else is known. */
export class Explanations implements Checker {
  readonly #facts: ReadonlyMap<string, MessageFacts>;
  readonly #groups: ReadonlyMap<string, SimGroup>;
  readonly #ttlMsOf: (facts: MessageFacts) => number | null;
  readonly #known: KnownDeliveries;

  constructor(
    facts: ReadonlyMap<string, MessageFacts>,
    groups: readonly SimGroup[],
    attemptsMax: number,
    ttlMsOf: (facts: MessageFacts) => number | null,
  ) {
    this.#facts = facts;
    this.#groups = new Map(groups.map((group) => [group.name, group]));
    this.#ttlMsOf = ttlMsOf;
    this.#known = new KnownDeliveries(attemptsMax);
  }

  see(event: SimEvent, complain: Complain, at: Moment): void {
    this.#known.see(event, at);
    if (event.kind === "explained") this.#judge(event, complain, at);
  }

  #judge(event: Explained, complain: Complain, at: Moment): void {
    const { group, spot, cause, expected, before, after, by } = event;
    const name = `${group} ${spot === null ? before.state : spotKey(spot)}`;
    const right = expected ?? this.#rightCauses(event, at);
    if (right !== null && !right.includes(cause)) {
      complain(`${name}: explained as ${cause}, and it is ${right.join(" or ")}`);
    }
    const isSame = before.state === after.state && before.copies === after.copies;
    const isFound = group !== "nobody" && by === "id";
    if (isFound && isSame && (before.state === "visible") !== (spot !== null)) {
      complain(`${name}: explained as ${spot === null ? "in no queue" : "in a queue"}`);
    }
    const holder = this.#known.holderOf(event);
    if (cause === "leased" && holder !== null && holder !== event.holder) {
      complain(`${name}: explained as held by ${event.holder}, and ${holder} holds it`);
    }
  }

  /** `null`: nobody can tell, since it changed meanwhile. */
  #rightCauses(event: Explained, at: Moment): readonly CauseKind[] | null {
    const { group, spot, before, after } = event;
    if (group === "nobody") return ["unknown-group"];
    if (JSON.stringify(before) !== JSON.stringify(after)) return null;
    if (before.state !== "visible") return causeOfState[before.state] ?? null;
    if (spot === null) return null;
    const key = this.#keyOf(event);
    const facts = this.#factsOf(event);
    const isSure = facts === undefined || this.#ttlMsOf(facts) === null;
    const isWantedHere = this.#isWanted(event);
    const certain = this.#known.causesOf(event, at, isSure && isWantedHere ? key : null);
    if (certain !== null) {
      // What one member finished, another one's wish may have left unwanted since.
      const mixed = this.#isMixed(group) ? ["filtered" as const] : [];
      return certain[0] === "acknowledged" ? [...certain, ...mixed] : certain;
    }
    const hasDied = before.deaths.includes(spotKey(spot));
    if (hasDied && !this.#known.isReset(group, spot.topic)) {
      return isPullGroup(group) ? deadOfPuller(spot, before) : ["dead-letter"];
    }
    return placeCauses.filter((cause) => this.#isPossible(cause, event, at));
  }

  #isPossible(cause: CauseKind, event: Explained, at: Moment): boolean {
    const { group, spot, before } = event;
    if (spot === null) return false;
    const known = this.#groups.get(group);
    const facts = this.#factsOf(event);
    const ttlMs = facts === undefined ? null : this.#ttlMsOf(facts);
    const isWantedHere = this.#isWanted(event);
    switch (cause) {
      case "dead-letter":
        return isAmong(before.deaths, spot);
      case "skipped-by-reset":
        return this.#known.isReset(group, spot.topic);
      case "before-start":
        return known?.settings.startFrom === "latest";
      case "expired":
        return ttlMs !== null && at.wallMs >= this.#known.storedMsOf(spot) + ttlMs;
      case "filtered":
        return !isWantedHere;
      case "held-for-member":
        return this.#isMixed(group);
      case "key-skipped":
      case "key-parked":
      case "behind-parked-key":
      case "behind-key":
        return known?.settings.ordered === true;
      case "leased":
        return isWantedHere;
      case "retry-waiting":
        return isPullGroup(group) ? isAmong(before.retries, spot) : isWantedHere;
      case "acknowledged":
        // Readers by offset finish without a word about the message.
        return known === undefined || ttlMs !== null ||
          this.#known.wasAcknowledged(group, spot) || this.#known.isReset(group, spot.topic);
      default:
        return true;
    }
  }

  #factsOf({ id }: Explained): MessageFacts | undefined {
    return this.#facts.get(id);
  }

  #keyOf(event: Explained): string {
    return this.#factsOf(event)?.key ?? "";
  }

  #isWanted(event: Explained): boolean {
    const [group, facts] = [this.#groups.get(event.group), this.#factsOf(event)];
    return group === undefined || facts === undefined || isWanted(group, facts);
  }

  #isMixed(group: string): boolean {
    return new Set(this.#groups.get(group)?.filters.map(({ kind }) => kind)).size > 1;
  }
}

/** A copy without room for where it comes from may be of any. */
function isAmong(places: readonly string[], spot: Spot): boolean {
  return places.some((place) => place === spotKey(spot) || place.endsWith("/-1"));
}

/**
 * A puller gives back what lies before it; gone before it committed, that comes by once more, and
 * may be given back again. Of several copies that wait, one is looked at.
 */
function deadOfPuller(spot: Spot, { retries }: Whereabouts): readonly CauseKind[] {
  if (!isAmong(retries, spot)) return ["dead-letter", ...ahead];
  const others = retries.length > 1 ? ["dead-letter" as const] : [];
  return ["retry-waiting", ...others, ...ahead];
}
