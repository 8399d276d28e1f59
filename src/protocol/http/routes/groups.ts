/** `/v1/groups`: making, reading, changing, deleting, listing. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { Group, GroupSettings } from "../../../model/group.ts";
import { emptyAnswer, jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint, plainEndpoint, queryEndpoint } from "../endpoint.ts";
import { pageOf, pageQuery } from "../fields.ts";
import { existingGroup } from "../lookup.ts";

const settingsSchema = z.strictObject({
  startFrom: z.enum(["earliest", "latest"])
    .openapi({ description: "Where the group begins in a queue it has not read yet." }),
  attemptsMax: z.number().int().min(1).max(limits.attemptsMax)
    .openapi({ description: "Deliveries before a message goes to the dead-letter topic." }),
  retryDelaysMs: z.array(z.number().int().min(0).max(limits.delayMsMax)).min(1).max(64)
    .openapi({ description: "Wait before the second, third, … delivery; the last one repeats." }),
  retryBackoff: z.strictObject({
    firstMs: z.number().int().min(1).max(limits.delayMsMax),
    maxMs: z.number().int().min(1).max(limits.delayMsMax),
    factor: z.number().min(1).max(100),
    jitter: z.number().min(0).max(1),
  }).nullable().openapi({
    description: "Instead of retryDelaysMs: waits that grow by a factor; null: the list.",
  }),
  ordered: z.boolean().openapi({
    description:
      "Of every sharding key at most one message is out at a time; a message that keeps " +
      "failing parks its key.",
  }),
  consumeEnabled: z.boolean().openapi({ description: "False stops all delivery to the group." }),
}).openapi("GroupSettings");
const changesSchema = settingsSchema.partial().openapi("GroupChanges");
const groupSchema = z.object({
  name: z.string(),
  createdMs: z.number().int(),
  version: z.number().int(),
  settings: settingsSchema,
}).openapi("Group");

/** The rows of groups. */
export const groupEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "listGroups",
    method: "get",
    path: "/v1/groups",
    tag: "Groups",
    summary: "List groups by name",
    query: z.strictObject(pageQuery),
    answers: {
      200: {
        description: "One page; `next` is what `after` has to be for the next, or null.",
        schema: z.object({ groups: z.array(groupSchema), next: z.string().nullable() }),
      },
    },
  }, ({ context }, query) => {
    const { page, next } = pageOf(context.broker.groups(), query);
    return jsonAnswer({ groups: page.map(groupJson), next });
  }),
  bodyEndpoint({
    operationId: "makeGroup",
    method: "put",
    path: "/v1/groups/{group}",
    tag: "Groups",
    summary: "Make a group",
    description: "Settings left out take their defaults. Repeating the request changes nothing.",
    body: changesSchema,
    answers: {
      201: { description: "Made.", schema: groupSchema },
      200: { description: "It was there, with these settings.", schema: groupSchema },
    },
  }, async ({ context, params }, changes) => {
    const name = params["group"] ?? "";
    const status = context.broker.group(name) ? 200 : 201;
    return jsonAnswer(
      groupJson(await context.broker.createGroup(name, settingsOf(changes))),
      status,
    );
  }),
  plainEndpoint({
    operationId: "readGroup",
    method: "get",
    path: "/v1/groups/{group}",
    tag: "Groups",
    summary: "Read a group",
    answers: { 200: { description: "The group.", schema: groupSchema } },
  }, ({ context, params }) => {
    return jsonAnswer(groupJson(existingGroup(context.broker, params["group"] ?? "")));
  }),
  bodyEndpoint({
    operationId: "changeGroup",
    method: "patch",
    path: "/v1/groups/{group}",
    tag: "Groups",
    summary: "Change a group's settings",
    body: changesSchema,
    answers: { 200: { description: "The group as it is now.", schema: groupSchema } },
  }, async ({ context, params }, changes) => {
    const group = existingGroup(context.broker, params["group"] ?? "");
    return jsonAnswer(groupJson(await context.broker.changeGroup(group.name, settingsOf(changes))));
  }),
  plainEndpoint({
    operationId: "deleteGroup",
    method: "delete",
    path: "/v1/groups/{group}",
    tag: "Groups",
    summary: "Delete a group with its offsets",
    answers: { 204: { description: "Deleted." } },
  }, async ({ context, params }) => {
    const group = existingGroup(context.broker, params["group"] ?? "");
    await context.broker.deleteGroup(group.name);
    return emptyAnswer;
  }),
];

function settingsOf(changes: z.output<typeof changesSchema>): Partial<GroupSettings> {
  // Absent fields are absent in the parsed value too; the schema's type cannot say so.
  return changes as Partial<GroupSettings>;
}

function groupJson(group: Group): z.output<typeof groupSchema> {
  const { name, createdMs, version, settings } = group;
  const { startFrom, attemptsMax, retryDelaysMs, consumeEnabled } = settings;
  const { ordered, retryBackoff } = settings;
  const retry = { attemptsMax, retryDelaysMs: [...retryDelaysMs], retryBackoff };
  const shown = { startFrom, ...retry, ordered, consumeEnabled };
  return { name, createdMs, version, settings: shown };
}
