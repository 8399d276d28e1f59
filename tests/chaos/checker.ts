/**
 * Compares what was acknowledged with what is stored. Payloads are unique, so every anomaly is
 * found in one pass over sets.
 *
 * @module
 */
import type { Ack, LedgerEntries } from "./ledger.ts";

/** A message as it was read back from its queue, or handed to a consumer. */
export type Stored = { readonly queueId: number; readonly offset: number; readonly body: string };

/** What is wrong, as sentences, and what is only counted. */
export type Findings = {
  /** Acknowledged, and not at its place with its body. */
  readonly lost: readonly string[];
  /** One offset, two messages: in the acknowledgements, in the queues, or to consumers. */
  readonly torn: readonly string[];
  /** Stored, and sent by nobody. */
  readonly phantoms: readonly string[];
  /** Offsets a queue leaves out. */
  readonly gaps: readonly string[];
  /** Bodies stored more than once: allowed after an answer that was lost. */
  readonly duplicates: number;
};

/** What a run left behind. */
export type Evidence = {
  readonly ledger: LedgerEntries;
  /** The queues, read to their ends, in order. */
  readonly stored: readonly Stored[];
  /** Everything consumers were handed on the way. */
  readonly delivered: readonly Stored[];
};

/** Checks a run. */
export function check({ ledger, stored, delivered }: Evidence): Findings {
  const places = new Map<string, string>();
  const torn: string[] = [];
  const claim = (who: string, { queueId, offset, body }: Stored) => {
    const place = placeOf({ queueId, offset });
    const before = places.get(place);
    if (before === undefined) places.set(place, body);
    else if (before !== body) torn.push(`${place} is "${before}", and "${body}" ${who}`);
  };
  for (const message of stored) claim("in its queue", message);
  const held = new Map(places);
  for (const ack of ledger.acks) claim("by an acknowledgement", ack);
  for (const message of delivered) claim("to a consumer", message);
  const bodies = new Set(stored.map(({ body }) => body));
  return {
    lost: ledger.acks.filter((ack) => held.get(placeOf(ack)) !== ack.body).map(lostText),
    torn,
    phantoms: stored.map(({ body }) => body).filter((body) => !ledger.sent.has(body)),
    gaps: gapsOf(stored),
    duplicates: stored.length - bodies.size,
  };
}

/** All that must not be. */
export function faultsOf({ lost, torn, phantoms, gaps }: Findings): readonly string[] {
  return [
    ...lost.map((text) => `lost: ${text}`),
    ...torn.map((text) => `torn: ${text}`),
    ...phantoms.map((text) => `phantom: ${text}`),
    ...gaps.map((text) => `gap: ${text}`),
  ];
}

function placeOf({ queueId, offset }: Pick<Ack, "queueId" | "offset">): string {
  return `${queueId}/${offset}`;
}

function lostText(ack: Ack): string {
  return `"${ack.body}" was acknowledged at ${placeOf(ack)}`;
}

function gapsOf(stored: readonly Stored[]): string[] {
  const next = new Map<number, number>();
  const gaps: string[] = [];
  for (const { queueId, offset } of stored) {
    const wanted = next.get(queueId) ?? 0;
    if (offset !== wanted) gaps.push(`queue ${queueId} goes from ${wanted - 1} to ${offset}`);
    next.set(queueId, offset + 1);
  }
  return gaps;
}
