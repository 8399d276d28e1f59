/** Fields that several routes share, as schemas. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../base/limits.ts";

/** A whole number in a query. */
export function queryNumber(min: number, max: number, description: string) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d{1,16}$/, allowed).transform(Number)
    .refine((value) => value >= min && value <= max, allowed)
    .openapi({ type: "integer", minimum: min, maximum: max, description });
}

/** `true` or `false` in a query. */
export function queryFlag(description: string) {
  return z.enum(["true", "false"]).transform((text) => text === "true")
    .openapi({ type: "boolean", description });
}

/** How long a poll may wait. */
export const waitMsQuery = queryNumber(0, limits.pollWaitMsMax, "Longest wait for a message.");
/** How long a poll may wait, in a body. */
export const waitMsField = z.number().int().min(0).max(limits.pollWaitMsMax)
  .openapi({ description: "Longest wait for a message; 0 answers at once." });
/** For how long a delivery is hidden from others. */
export const invisibleMsField = z.number().int().min(limits.invisibleMsMin)
  .max(limits.invisibleMsMax)
  .openapi({ description: "How long the message stays hidden from the group's other consumers." });
/** A tag expression. */
export const tagsField = z.string().min(1).max(limits.filterBytesMax)
  .openapi({ description: "Tags joined by ||, or * for all.", example: "created || paid" });
/** An SQL92 expression. */
export const sqlField = z.string().min(1).max(limits.filterBytesMax).openapi({
  description: "SQL92 over properties, instead of `tags`; the tag is the property TAGS.",
  example: "colour in ('red', 'blue') and amount > 100",
});
/** Who receives. */
export const clientIdField = z.string().min(1).max(limits.clientIdLengthMax)
  .openapi({ description: "Names the consumer; others of the group see it." });
/** What a client is to its group. */
export const modeField = z.enum(["cluster", "broadcast"]).openapi({
  description: "cluster: the group shares the messages. broadcast: each client of the group gets " +
    "all of them; the broker keeps its place by its clientId, for a week after it was last heard.",
});
/** The receipts to settle. */
export const receiptsField = z.array(z.string().min(1).max(1024)).min(1)
  .max(limits.acksPerRequestMax);
/** A page of names. */
export const pageQuery = {
  after: z.string().max(255).optional().openapi({
    description: "The last name of the page before.",
  }),
  limit: queryNumber(1, limits.listPageMax, "Names on a page.").optional(),
  prefix: z.string().max(255).optional().openapi({ description: "Only names that begin so." }),
};

/** What a group knows of one queue. */
export const placesSchema = z.object({
  places: z.array(
    z.object({
      topic: z.string(),
      queueId: z.number().int(),
      committedOffset: z.number().int().nullable(),
      nextOffset: z.number().int().nullable(),
      openDeliveries: z.number().int(),
      unmatched: z.number().int().openapi({
        description: "Messages nobody of the group wanted, since the shard started.",
      }),
      expired: z.number().int().openapi({
        description: "Messages whose time to live was over, since the shard started.",
      }),
      minOffset: z.number().int(),
      maxOffset: z.number().int(),
      lag: z.number().int(),
    }).openapi("Place"),
  ),
});

/**
 * One page of a sorted list: names after `after` with the prefix, and where the next page begins.
 */
export function pageOf<Item extends { readonly name: string }>(
  items: readonly Item[],
  query: {
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
    readonly prefix?: string | undefined;
  },
): { readonly page: Item[]; readonly next: string | null } {
  const { after, prefix } = query;
  const limit = query.limit ?? 100;
  const wanted = items
    .filter(({ name }) => (prefix === undefined || name.startsWith(prefix)))
    .filter(({ name }) => after === undefined || name > after)
    .sort((one, other) => one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
  const page = wanted.slice(0, limit);
  return { page, next: wanted.length > limit ? page.at(-1)?.name ?? null : null };
}
