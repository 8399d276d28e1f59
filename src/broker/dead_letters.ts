/** Dead letters by name: listing, finding, sending back, dropping. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { deathFacts } from "../model/dead_letter.ts";
import { deadLetterTopicOf } from "../model/names.ts";
import { readRecord, splitRecords } from "../model/record.ts";
import type { QueueRef } from "../model/topic.ts";
import type {
  DeadLetter,
  DeadLetterDesk,
  DeadLetterPage,
  LetterChoice,
  LetterPlace,
} from "./dead_letter_desk.ts";
import type { Finder } from "./find.ts";
import { type RedriveParts, Redrives, type Stack } from "./redrives.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** What the desk is made of. */
export type DeadLetterParts = RedriveParts & { readonly finder: Finder };

/** Joins names, shards and the redrives under way. */
export class DeadLetters implements DeadLetterDesk {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #finder: Finder;
  readonly #redrives: Redrives;

  constructor(parts: DeadLetterParts) {
    this.#view = parts.view;
    this.#router = parts.router;
    this.#finder = parts.finder;
    this.#redrives = new Redrives(parts);
  }

  async list(
    group: string,
    after: LetterPlace | null,
    messagesMax: number,
  ): Promise<DeadLetterPage> {
    const queues = this.#queues(group);
    const letters: DeadLetter[] = [];
    let next: LetterPlace | null = null;
    let left = 0;
    let bytes = 0;
    for (const [queueId, ref] of queues.entries()) {
      const isPast = after !== null && queueId < after.queueId;
      const room = isPast || next !== null ? 0 : messagesMax - letters.length;
      const fromOffset = after?.queueId === queueId ? after.offset + 1 : 0;
      const bytesMax = Math.max(1, limits.replyBytesMax - bytes);
      const page = await this.#page(queueId, ref, { fromOffset, countMax: room, bytesMax });
      left += page.left;
      letters.push(...page.letters);
      bytes += page.letters.reduce((sum, { record }) => sum + record.length, 0);
      if (isPast || next !== null || page.nextOffset === null) continue;
      next = { queueId, offset: page.nextOffset - 1 };
    }
    return { letters, next, left };
  }

  async find(group: string, messageId: string): Promise<DeadLetter[]> {
    const queues = this.#queues(group);
    const copies = await this.#finder.byId(deadLetterTopicOf(group), messageId);
    const found: DeadLetter[] = [];
    for (const { queueId, record } of copies) {
      const { queueOffset } = readRecord(record);
      const ref = queues[queueId];
      if (ref === undefined) continue;
      const ask = { fromOffset: queueOffset, endOffset: queueOffset + 1, countMax: 1 };
      const { letters } = await this.#page(queueId, ref, { ...ask, bytesMax: 1 });
      found.push(...letters);
    }
    return found;
  }

  async redrive(group: string, choice: LetterChoice, perSecond: number) {
    this.#redrives.checkRoom();
    return this.#redrives.begin(group, await this.#stacks(group, choice), perSecond);
  }

  redrives(group: string) {
    this.#view.needGroup(group);
    return this.#redrives.list(group);
  }

  stopRedrive(group: string, id: string) {
    this.#view.needGroup(group);
    return this.#redrives.stop(group, id);
  }

  /** Ends all redrives: the process stops. */
  close(): void {
    this.#redrives.close();
  }

  async purge(group: string, choice: LetterChoice): Promise<number> {
    let purged = 0;
    for (const { ref, offsets, endOffset } of await this.#stacks(group, choice)) {
      const ask = { queueKey: ref.queueKey, offsets, endOffset };
      purged += (await this.#router.ask(ref.shard, "purgeLetters", ask)).purged;
    }
    return purged;
  }

  /** The chosen letters by queue. New letters that come meanwhile are not among them. */
  async #stacks(group: string, choice: LetterChoice): Promise<Stack[]> {
    const queues = this.#queues(group);
    if (choice.kind === "all") {
      return await Promise.all(queues.map(async (ref, queueId) => {
        const { maxOffset } = await this.#page(queueId, ref, { countMax: 0, bytesMax: 1 });
        return { ref, offsets: null, endOffset: maxOffset };
      }));
    }
    const chosen: LetterPlace[] = [];
    if (choice.kind === "oldest") chosen.push(...await this.#oldest(queues, choice.messagesMax));
    else {
      for (const messageId of new Set(choice.messageIds)) {
        const letters = await this.find(group, messageId);
        if (letters.length > 0) chosen.push(...letters);
        else {
          const claim = `Group "${group}" has no dead letter with the message id ${messageId}`;
          throw new BrokerError("message_not_found", claim);
        }
      }
    }
    return queues.flatMap((ref, queueId) => {
      const offsets = chosen.filter((one) => one.queueId === queueId).map(({ offset }) => offset);
      offsets.sort((one, other) => one - other);
      return offsets.length === 0 ? [] : [{ ref, offsets, endOffset: null }];
    });
  }

  /** By the time they died, over all queues. */
  async #oldest(queues: readonly QueueRef[], messagesMax: number): Promise<LetterPlace[]> {
    const letters: DeadLetter[] = [];
    for (const [queueId, ref] of queues.entries()) {
      let fromOffset: number | null = 0;
      let room = messagesMax;
      while (fromOffset !== null && room > 0) {
        const ask = { fromOffset, countMax: room, bytesMax: limits.replyBytesMax };
        const page = await this.#page(queueId, ref, ask);
        room -= page.letters.length;
        // Only the places are kept: the bodies of all chosen letters may be many.
        const places = page.letters.map((letter) => ({ ...letter, record: new Uint8Array(0) }));
        letters.push(...places);
        fromOffset = page.nextOffset;
      }
    }
    letters.sort((one, other) => one.diedMs - other.diedMs);
    return letters.slice(0, messagesMax);
  }

  async #page(
    queueId: number,
    { queueKey, shard }: QueueRef,
    ask: {
      readonly fromOffset?: number;
      readonly endOffset?: number;
      readonly countMax: number;
      readonly bytesMax: number;
    },
  ) {
    const { fromOffset = 0, endOffset = null, countMax, bytesMax } = ask;
    const full = { queueKey, fromOffset, endOffset, countMax, bytesMax };
    const { head, blob } = await this.#router.ask(shard, "letters", full);
    const letters = splitRecords(blob).map((record, index): DeadLetter => {
      return { queueId, offset: head.offsets[index] ?? -1, ...deathFacts(record), record };
    });
    return { letters, nextOffset: head.nextOffset, left: head.left, maxOffset: head.maxOffset };
  }

  #queues(group: string): readonly QueueRef[] {
    this.#view.needGroup(group);
    return this.#view.topic(deadLetterTopicOf(group))?.queueRefs ?? [];
  }
}
