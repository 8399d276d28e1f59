/** The commands of a play in which somebody waits for a reply. @module */
import { asBrokerError } from "../../src/model/errors.ts";
import { encodeProperties, propertyNames, readProperty } from "../../src/model/properties.ts";
import { readRecord } from "../../src/model/record.ts";
import type { Command, Stage } from "./stage.ts";

const host = { ip: "127.0.0.1", port: 1 };
const text = { encode: new TextEncoder(), decode: new TextDecoder() };

/** Commands by name. */
export const askerCommands: Readonly<Record<string, Command>> = {
  /** Goes on waiting; `outcome` tells what came of it. */
  request: async (stage, { plain: [topic = "", body = ""], named }) => {
    const asked = stage.broker.door.request({
      topic,
      queueId: null,
      storeHost: host,
      timeoutMs: Number(named["within"]),
      message: {
        body: text.encode.encode(body),
        properties: encodeProperties([[propertyNames.uniqueKey, body]]),
        flag: 0,
        sysFlag: 0,
        bornMs: 1,
        bornHost: host,
        reconsumeTimes: 0,
      },
    });
    stage.outcomes.set(body, "waits");
    asked.then(
      (reply) => stage.outcomes.set(body, `answered ${text.decode.decode(reply.body)}`),
      (thrown) => stage.outcomes.set(body, `refused: ${asBrokerError(thrown).code}`),
    );
    await settled(stage);
    return [`${body} asked`];
  },
  outcome: async (stage, { plain: [body = ""] }) => {
    await settled(stage);
    return [stage.outcomes.get(body) ?? "nobody asked"];
  },
  reply: async ({ broker, records }, { plain: [body = "", ...words] }) => {
    const record = records.get(body);
    const properties = record === undefined ? "" : readRecord(record).properties;
    const { correlationId, replyToClient } = propertyNames;
    await broker.run(broker.door.reply({
      correlationId: readProperty(properties, correlationId) ?? "",
      replyTo: readProperty(properties, replyToClient) ?? "",
      body: text.encode.encode(words.join(" ")),
      properties: encodeProperties([]),
    }));
    return ["taken"];
  },
};

/** Until everything asked so far was answered, or waits. */
async function settled({ broker }: Stage): Promise<void> {
  await broker.pass(0);
}
