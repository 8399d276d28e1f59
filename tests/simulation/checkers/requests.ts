/**
 * A request is answered with the reply that was accepted for it, one and no other, or it ends at
 * its deadline; nobody is handed what nobody waits for any more.
 *
 * @module
 */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

type Complain = (fault: string) => void;
type Ended = SimEvent & { readonly kind: "request-ended" };

type Request = {
  readonly timeoutMs: number;
  /** What clerks tried to say. */
  readonly said: Set<string>;
  /** The reply that was taken. */
  accepted: string | null;
  ended: Ended | null;
  /** The process that waited is gone, or may be. */
  isCut: boolean;
};

/** What askers and clerks were told. */
export class Requests implements Checker {
  readonly #requests = new Map<string, Request>();

  see(event: SimEvent, complain: Complain): void {
    switch (event.kind) {
      case "request-asked": {
        const { timeoutMs } = event;
        const said = new Set<string>();
        this.#requests.set(event.id, {
          timeoutMs,
          said,
          accepted: null,
          ended: null,
          isCut: false,
        });
        return;
      }
      case "request-seen":
        this.#look(event, complain);
        return;
      case "reply-asked":
        this.#requests.get(event.id)?.said.add(event.text);
        return;
      case "reply-ended": {
        const request = this.#requests.get(event.id);
        if (request === undefined || event.code !== null) return;
        if (request.accepted !== null) {
          complain(`request ${event.id} took "${request.accepted}", and then "${event.text}"`);
        }
        request.accepted = event.text;
        return;
      }
      case "request-ended":
        this.#end(event, complain);
        return;
      case "crash":
        for (const request of this.#requests.values()) request.isCut ||= request.ended === null;
    }
  }

  finish(_audit: unknown, complain: Complain): void {
    for (const [id, { accepted, ended, isCut }] of this.#requests) {
      if (ended === null) complain(`request ${id} never came to an end`);
      if (accepted === null || isCut || ended?.answer === accepted) continue;
      complain(`request ${id} took "${accepted}", and was told ${ended?.answer ?? ended?.code}`);
    }
  }

  #end(event: Ended, complain: Complain): void {
    const { id, answer, code, tookMs } = event;
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.ended = event;
    if (answer !== null && !request.said.has(answer)) {
      complain(`request ${id} was answered "${answer}", which nobody said to it`);
    }
    if (code === "timeout" && tookMs < request.timeoutMs && !request.isCut) {
      complain(`request ${id} gave up after ${tookMs} of ${request.timeoutMs} ms`);
    }
  }

  #look(event: SimEvent & { readonly kind: "request-seen" }, complain: Complain): void {
    const { id, storedMs, grantedMs } = event;
    const endMs = storedMs + (this.#requests.get(id)?.timeoutMs ?? Infinity);
    if (grantedMs >= endMs) {
      complain(`request ${id} was handed out at ${grantedMs}, over since ${endMs}`);
    }
  }
}
