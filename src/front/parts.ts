/** What the protocols of the front are made of. @module */
import type { Log } from "../base/log.ts";
import type { Broker } from "../broker/broker.ts";
import type { Settings } from "../config/schema.ts";
import type { UniqueKeys } from "../model/message_id.ts";
import type { Signer } from "../ports/signer.ts";
import type { Runtime } from "../runtime/mod.ts";

/** What listeners hand to their protocols. */
export type ListenerParts = {
  readonly broker: Broker;
  readonly signer: Signer;
  readonly uniqueKeys: UniqueKeys;
  readonly log: Log;
  readonly version: string;
  readonly settings: Settings;
  readonly runtime: Runtime;
};
