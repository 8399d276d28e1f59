/** A send that is asked for again under its ids is answered with its first receipt. @module */
import { type SimEvent, type Spot, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

/** The first receipt of each send that was repeated. */
export class Repeats implements Checker {
  readonly #first = new Map<number, readonly Spot[]>();

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind === "send-ended" && event.outcome === "done") {
      this.#first.set(event.send, event.spots);
    } else if (event.kind === "repeat-ended") this.#repeated(event, complain);
  }

  #repeated(
    { send, repeated, spots }: SimEvent & { kind: "repeat-ended" },
    complain: (fault: string) => void,
  ): void {
    const first = this.#first.get(send);
    this.#first.set(send, first ?? spots);
    if (first === undefined) return;
    if (!repeated) complain(`send ${send} was stored, and again when it was repeated`);
    const [known, told] = [first, spots].map((all) => all.map(spotKey).join());
    if (known !== told) complain(`send ${send} is at ${known}, and its repeat was told ${told}`);
  }
}
