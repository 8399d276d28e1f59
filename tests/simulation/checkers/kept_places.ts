/**
 * A reset goes where it was told, an undo takes it back, a clone stands where its model does.
 *
 * @module
 */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

/** Places only one client moves. */
export class KeptPlaces implements Checker {
  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind !== "kept") return;
    const { group, after, expected, found } = event;
    if (expected.join() === found.join()) return;
    complain(`${group} stands at ${found} after its ${after}, not at ${expected}`);
  }
}
