/** `curlew message reply`: answer a request. @module */
import { apiClientOf, apiOptions } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode, exitCodes } from "../command.ts";

const optionTable = {
  ...apiOptions,
  correlationId: {
    kind: "text",
    value: "ID",
    required: true,
    help: "the request, as its message shows it",
  },
  replyTo: {
    kind: "text",
    value: "NAME",
    required: true,
    help: "who waits, as the request's message shows it",
  },
} as const;

/** Answers. */
export const messageReply: Command = command({
  name: "reply",
  summary: "Reply to a request",
  details: ["A request's message shows correlationId and replyTo; see message receive --json."],
  args: [{ name: "BODY", help: "the answer", required: true }],
  options: optionTable,
  examples: [
    {
      line: "curlew message reply --correlation-id ID --reply-to NAME '12.50'",
      says: "answer what message receive --json showed",
    },
  ],
  run,
});

async function run({ host, options, args }: Call<typeof optionTable>): Promise<ExitCode> {
  const { correlationId, replyTo } = options;
  const [text = ""] = args;
  const body = { body: text, correlationId, replyTo };
  await apiClientOf(host, options).ask({ method: "POST", path: ["v1", "replies"], body });
  if (options.json) await host.out.write("{}\n");
  else await host.err.write("Replied.\n");
  return exitCodes.ok;
}
