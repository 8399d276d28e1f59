/** Joins `curlew serve` to the settings and the launcher. Imported by that command only. @module */
import { limits } from "../../base/limits.ts";
import { configPath, faultText, readSettings as readSources } from "../../config/read.ts";
import { startBroker } from "../../front/start.ts";
import type { Host } from "../../ports/host.ts";
import type { ReadSettings } from "../commands/serve.ts";
import { version } from "../version.ts";

const usualPath = "curlew.toml";

/** Reads the settings of a process; what they come to can start a broker. */
export const readSettings: ReadSettings = async (host, flags) => {
  const environment = host.env;
  const named = configPath({ flags, environment });
  const file = await readFile(host, named);
  if (file.kind === "unreadable") return { kind: "faults", faults: [file.fault] };
  const facts = { cores: host.machine.cores };
  const outcome = readSources({ flags, environment, file: file.file, facts });
  if (outcome.kind === "faults") {
    return { kind: "faults", faults: outcome.faults.map(faultText) };
  }
  const { settings } = outcome;
  return {
    kind: "settings",
    logLevel: settings.logLevel,
    start: (log) => startBroker(settings, { log, version }),
  };
};

type FileOutcome =
  | { readonly kind: "read"; readonly file: { path: string; text: string } | null }
  | { readonly kind: "unreadable"; readonly fault: string };

/** The file that was named, or the usual one. The usual one may be absent. */
async function readFile(host: Host, named: string | null): Promise<FileOutcome> {
  const path = named ?? usualPath;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of (await host.openFile(path)).chunks) {
      bytes += chunk.length;
      if (bytes > limits.configBytesMax) {
        return {
          kind: "unreadable",
          fault: `${path}: has more than ${limits.configBytesMax} bytes`,
        };
      }
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (thrown) {
    const absent = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
    if (absent && named === null) return { kind: "read", file: null };
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return { kind: "unreadable", fault: `${path}: cannot be read: ${reason}` };
  }
  return { kind: "read", file: { path, text: text + decoder.decode() } };
}
