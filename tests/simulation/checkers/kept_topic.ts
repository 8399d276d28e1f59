/**
 * A key has one timer of its topic and an id one message, however many queues are added, and a
 * topic made anew has nothing of the one it is named like.
 *
 * @module
 */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

/** A topic only one client works on. */
export class KeptTopic implements Checker {
  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind !== "topic-kept" || event.expected === event.found) return;
    const { step, expected, found } = event;
    complain(`the kept topic: ${step} met ${found}, and it is ${expected}`);
  }
}
