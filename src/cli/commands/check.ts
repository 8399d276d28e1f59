/**
 * `curlew check`: reads a data directory that no broker holds, and says what is wrong in it.
 *
 * @module
 */
import { counted } from "../../core/explain_words.ts";
import { type Command, command, exitCodes } from "../command.ts";
import { jsonLine, show } from "../output.ts";

/** What was found in one place of the directory. */
export type Finding = {
  /** `fault`: data is lost or wrong. `note`: worth knowing, and no harm. */
  readonly kind: "fault" | "note";
  /** The file or shard. */
  readonly where: string;
  readonly says: string;
};

/** Reads a directory from end to end. @throws {BrokerError} It is in use, or none of ours. */
export type Inspect = (directory: string) => Promise<readonly Finding[]>;

const optionTable = {
  data: { kind: "text", value: "DIR", required: true, help: "the data directory, not in use" },
  json: { kind: "flag", help: "one JSON object a finding" },
} as const;

/** Checks. `load` brings the stores in. */
export function checkCommand(load: () => Promise<Inspect>): Command {
  return command({
    name: "check",
    summary: "Verify a stopped broker's data directory",
    details: ["Reads every turn and its checksum. Exits with 0 if all is well, with 1 if not."],
    options: optionTable,
    examples: [{ line: "curlew check --data /var/lib/curlew", says: "after a crash of the host" }],
    run: async ({ host, options }) => {
      const inspect = await load();
      const findings = await inspect(options.data);
      const faults = findings.filter((finding) => finding.kind === "fault").length;
      const lines = options.json
        ? findings.map(jsonLine)
        : findings.map(({ kind, where, says }) => `${kind}  ${show(where)}: ${show(says)}\n`);
      await host.out.write(lines.join(""));
      const sum = faults === 0 ? "All is well" : counted(faults, "fault");
      if (!options.json) await host.out.write(`${sum} in ${show(options.data)}.\n`);
      return faults === 0 ? exitCodes.ok : exitCodes.refused;
    },
  });
}
