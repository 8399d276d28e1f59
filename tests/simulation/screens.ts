/**
 * Simulated clients of a broadcast group: each is to get every message, goes away for a while, and
 * comes back under its name.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { Prng } from "../../src/base/prng.ts";
import { everything } from "../../src/model/subscription.ts";
import type { ClientParts } from "./clients.ts";
import { type Member, runConsumer } from "./consumers.ts";
import type { SimGroup } from "./groups.ts";

/** The group they all belong to. */
export const screensGroup = "screens";

/** The longest a client stays away. */
const awayMsMax = 8_000;

/** A client of the broadcast group. */
export function screen(number: number): Member {
  const client = `screen-${number}`;
  const reader = `${screensGroup}:${client}`;
  return { group: screensGroup, client, reader, filter: everything, ordered: false };
}

/** What is owed to each of the clients is what is owed to a group. */
export function screenReaders(count: number): SimGroup[] {
  return Array.from({ length: count }, (_, number) => {
    return { name: screen(number).reader, settings: {}, filters: [everything] };
  });
}

/** Every client comes once before there are messages: its places begin there. */
export async function seatScreens({ options, topics, world }: ClientParts): Promise<void> {
  if (options.screens === 0) return;
  const broker = await world.broker();
  await broker.createGroup(screensGroup, { retryDelaysMs: [options.retryDelayMs] });
  for (let number = 0; number < options.screens; number++) {
    const { group, client: clientId, filter } = screen(number);
    for (const topic of topics) {
      await broker.receive({
        mode: "broadcast",
        topic,
        group,
        clientId,
        messagesMax: 1,
        bytesMax: 1,
        invisibleMs: limits.invisibleMsMin,
        waitMs: 0,
        filter,
      });
    }
  }
}

/** Consumes until all is over, with pauses. */
export async function runScreen(parts: ClientParts, number: number, prng: Prng): Promise<void> {
  const { scheduler, world } = parts;
  await runConsumer(parts, screen(number), prng, async () => {
    if (!world.isCalm && prng.chance(0.15)) await scheduler.sleep(prng.int(awayMsMax));
  });
}
