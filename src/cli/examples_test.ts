import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fakeApi, problem } from "../../tests/support/fake_api.ts";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { type Command, exitCodes, type Family } from "./command.ts";
import { runProgram } from "./program.ts";
import { rootFamily } from "./root.ts";

const root = rootFamily({
  readSettings: () => Promise.reject(new Error("not asked for here")),
  inspect: () => Promise.reject(new Error("not asked for here")),
  runImport: () => Promise.reject(new Error("not asked for here")),
});
const oneLine = new TextEncoder().encode("a line\n");
/** Commands that ask no broker for what they do, and load tools that take their time. */
const elsewhere = ["serve", "import", "check", "bench", "version"];

/** The words of a line as a shell parts them; `null` for what only people can read. */
function wordsOf(line: string): string[] | null {
  const plain = line.replace(/\s#\s.*$/, "").replace(/\s[<>]\s*[^\s'"]+$/, "");
  if (/[[\]]|\||\$\(/.test(plain.replace(/'[^']*'|"[^"]*"/g, ""))) return null;
  const words = plain.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

/** Every command line of README and docs that asks a broker. */
function examplesOf(): { readonly place: string; readonly words: readonly string[] }[] {
  const folder = fileURLToPath(new URL("../../", import.meta.url));
  const pages = readdirSync(`${folder}docs`).filter((name) => name.endsWith(".md"));
  const examples = [];
  for (const page of ["README.md", ...pages.map((name) => `docs/${name}`)]) {
    for (const [at, line] of readFileSync(`${folder}${page}`, "utf8").split("\n").entries()) {
      const written = /^ {4,}(?:\$ )?curlew (.+)$/.exec(line)?.[1];
      const words = written === undefined ? null : wordsOf(written);
      if (words === null || elsewhere.includes(words[0] ?? "")) continue;
      examples.push({ place: `${page}:${at + 1}`, words });
    }
  }
  return examples;
}

function helpLines(member: Command | Family): string[] {
  const own = member.examples.map(({ line }) => line);
  return member.kind === "family" ? [...own, ...member.members.flatMap(helpLines)] : own;
}

test("every command line of README, docs and help is one that the program takes", async () => {
  const api = await fakeApi(() => problem(404, "topic_not_found", "There is no such topic"));
  const helped = helpLines(root).filter((line) => line.startsWith("curlew ")).flatMap((line) => {
    const words = wordsOf(line.slice("curlew ".length));
    return words === null || elsewhere.includes(words[0] ?? "") ? [] : [{ place: line, words }];
  });
  const examples = [...examplesOf(), ...helped];
  const refused = [];
  for (const { place, words } of examples) {
    const host = fakeHost([...words, "--url", api.url], { files: { "access.log": oneLine } });
    if (await runProgram(root, host) === exitCodes.usage) refused.push(`${place} ${host.err.text}`);
  }
  await api.close();

  assert.deepEqual(refused, []);
  assert.ok(examples.length > 80, `${examples.length} examples`);
});
