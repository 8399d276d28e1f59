/**
 * What members and operators were told of each message of each group, as long as nobody can have
 * changed it since: what an explanation must say, where this says anything.
 *
 * @module
 */
import type { CauseKind } from "../../../src/model/explanation.ts";
import { type SeenDelivery, type SimEvent, type Spot, spotKey } from "../events.ts";
import type { Moment } from "../journal.ts";

type Explained = SimEvent & { readonly kind: "explained" };

/** One message and one group. */
type Known = {
  readonly state:
    | "leased"
    | "given-back"
    | "acknowledged"
    | "parked"
    | "skipped"
    | "buried"
    | "open";
  readonly receipt: string;
  readonly client: string;
  readonly attempt: number;
  /** Nothing happens by itself before, by the wall clock. */
  readonly untilMs: number;
  /** The sharding key, of what is parked. */
  readonly key: string;
  /** Which event this is from, and how often shards had begun by then. */
  readonly since: number;
  readonly starts: number;
};

/** Told and still true. */
export class KnownDeliveries {
  readonly #attemptsMax: number;
  /** Group and message. */
  readonly #known = new Map<string, Known>();
  readonly #byReceipt = new Map<string, string>();
  readonly #resets = new Set<string>();
  /** Group and message: somebody asked to have it finished. */
  readonly #acknowledged = new Set<string>();
  readonly #storedMs = new Map<string, number>();
  /** Call → the event it was asked at. */
  readonly #asked = new Map<number, number>();
  #events = 0;
  #starts = 0;

  constructor(attemptsMax: number) {
    this.#attemptsMax = attemptsMax;
  }

  see(event: SimEvent, { wallMs }: Moment): void {
    this.#events++;
    switch (event.kind) {
      case "explain-asked":
        this.#asked.set(event.call, this.#events);
        return;
      case "delivered":
        for (const message of event.messages) this.#deliver(event.group, event.client, message);
        return;
      case "settle-asked":
        this.#settleAsked(event);
        return;
      case "settle-ended":
        this.#settleEnded(event, wallMs);
        return;
      case "keys-parked":
        for (const { queueId, offset, key } of event.keys) {
          this.#put(`${event.group} ${spotKey({ topic: event.topic, queueId, offset })}`, {
            state: "parked",
            key,
          });
        }
        return;
      case "key-settle-asked":
        this.#put(`${event.group} ${spotKey(event.spot)}`, { state: "open" });
        return;
      case "key-settled": {
        if (event.outcome !== "done" || event.action === "retry") return;
        const state = event.action === "skip" ? "skipped" : "buried";
        this.#put(`${event.group} ${spotKey(event.spot)}`, { state });
        return;
      }
      case "reset-asked":
        this.#resets.add(`${event.group} ${event.topic}`);
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "reset-ended":
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "started":
      case "shard-lost":
        this.#starts++;
        return;
      case "clock-jump":
      case "crash":
        this.#starts++;
        // Times are not what they were, or what was told may be lost.
        if (event.kind === "clock-jump" || event.power) this.#forget("");
    }
  }

  /** The causes that are right for what is known; `null`: nothing is. `key`: only if it counts. */
  causesOf(
    { group, spot, call }: Explained,
    { wallMs }: Moment,
    key: string | null,
  ): readonly CauseKind[] | null {
    const askedAt = this.#asked.get(call) ?? 0;
    if (spot === null) return null;
    const known = this.#known.get(`${group} ${spotKey(spot)}`);
    if (known === undefined) return this.#isBehind(group, spot, key, askedAt);
    if (known.since > askedAt) return null;
    switch (known.state) {
      case "acknowledged":
        return ["acknowledged"];
      case "skipped":
        return ["key-skipped"];
      case "buried":
        return ["dead-letter"];
      case "parked":
        return key === null ? null : ["key-parked"];
      case "leased":
        return wallMs < known.untilMs ? ["leased"] : null;
      case "given-back":
        if (wallMs >= known.untilMs) return null;
        return known.attempt < this.#attemptsMax
          ? ["retry-waiting"]
          : ["retry-waiting", "dead-letter", "key-parked", "expired"];
      case "open":
        return null;
    }
  }

  /** Who has it for certain. */
  holderOf({ group, spot, call }: Explained): string | null {
    const known = spot === null ? undefined : this.#known.get(`${group} ${spotKey(spot)}`);
    const isTold = known?.state === "leased" && known.since <= (this.#asked.get(call) ?? 0);
    // Who held it before a start nobody remembers.
    return isTold && known.starts === this.#starts ? known.client : null;
  }

  isReset(group: string, topic: string): boolean {
    return this.#resets.has(`${group} ${topic}`);
  }

  wasAcknowledged(group: string, spot: Spot): boolean {
    return this.#acknowledged.has(`${group} ${spotKey(spot)}`);
  }

  /** When it was stored, if anybody saw it; early enough otherwise. */
  storedMsOf(spot: Spot): number {
    return this.#storedMs.get(spotKey(spot)) ?? 0;
  }

  /** Never handed out, and a key before it is parked. */
  #isBehind(
    group: string,
    { topic, queueId, offset }: Spot,
    key: string | null,
    askedAt: number,
  ): readonly CauseKind[] | null {
    const prefix = `${group} ${topic}/${queueId}/`;
    for (const [name, known] of key === null ? [] : this.#known) {
      if (known.state !== "parked" || known.key !== key || known.since > askedAt) continue;
      if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < offset) {
        return ["behind-parked-key"];
      }
    }
    return null;
  }

  #deliver(group: string, client: string, message: SeenDelivery): void {
    const { receipt, attempt, invisibleUntilMs: untilMs, storedMs } = message;
    const key = `${group} ${spotKey(message)}`;
    this.#storedMs.set(spotKey(message), storedMs);
    this.#byReceipt.set(receipt, key);
    const before = this.#known.get(key);
    // An older delivery may be seen later: its answer took longer.
    if (before !== undefined && before.attempt > attempt) return;
    this.#put(key, { state: "leased", receipt, client, attempt, untilMs });
  }

  #settleAsked({ how, receipt }: SimEvent & { readonly kind: "settle-asked" }): void {
    const key = this.#byReceipt.get(receipt) ?? "";
    if (how === "ack") this.#acknowledged.add(key);
    const known = this.#known.get(key);
    if (known?.receipt === receipt) this.#put(key, { ...known, state: "open" });
  }

  #settleEnded(event: SimEvent & { readonly kind: "settle-ended" }, wallMs: number): void {
    const { how, receipt, verdict, untilMs } = event;
    const key = this.#byReceipt.get(receipt) ?? "";
    const known = this.#known.get(key);
    if (known?.receipt !== receipt || verdict !== "done") return;
    // Later, it may have expired or died before, and "done" says only that it is finished.
    const isInTime = wallMs < known.untilMs;
    if (how === "ack" && isInTime) this.#put(key, { ...known, state: "acknowledged" });
    if (how === "extend") this.#put(key, { ...known, state: "leased", untilMs });
    if (how === "nack") this.#put(key, { ...known, state: "given-back", untilMs });
  }

  #put(key: string, told: Partial<Known> & Pick<Known, "state">): void {
    const nobody = { receipt: "", client: "", attempt: 0, untilMs: 0, key: "" };
    const [since, starts] = [this.#events, this.#starts];
    this.#known.set(key, { ...nobody, ...told, since, starts });
  }

  #forget(prefix: string): void {
    for (const key of this.#known.keys()) if (key.startsWith(prefix)) this.#known.delete(key);
  }
}
