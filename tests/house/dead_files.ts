/** That every file is part of something that runs. @module */
import { entriesOf, importsOf } from "./imports.ts";
import type { Source } from "./sources.ts";

/** Where running begins: programs, threads, tests and benches. */
const roots = [
  /^mod\.ts$/,
  /^src\/cli\/main\.ts$/,
  /^workers\/[^/]+\/main\.ts$/,
  /^(tests|bench)\/([^/]+\/)*main\.ts$/,
  /_test\.ts$/,
  /_bench\.ts$/,
];

/** Sources that tasks name: each is a program. */
export function taskFiles(tasks: Readonly<Record<string, string>>): string[] {
  return Object.values(tasks).flatMap((line) => line.match(/\b[\w./-]+\.ts\b/g) ?? []);
}

/** Files that no root and no program reaches, through imports or as an entry named by URL. */
export function deadFiles(sources: readonly Source[], programs: readonly string[] = []): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const waiting = sources.filter(({ path }) =>
    programs.includes(path) || roots.some((root) => root.test(path))
  );
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (reached.has(source.path)) continue;
    reached.add(source.path);
    for (const { target } of [...importsOf(source), ...entriesOf(source)]) {
      const next = byPath.get(target);
      if (next !== undefined) waiting.push(next);
    }
    // The one import that the import map renames.
    const streams = byPath.get("src/base/streams.ts");
    if (streams !== undefined && source.text.includes('"@std/streams"')) waiting.push(streams);
  }
  return sources.flatMap(({ path }) => reached.has(path) ? [] : [path]);
}

/** Imports of our own files that are not there: type checking is a separate step. */
export function missingFiles(sources: readonly Source[]): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  return sources.flatMap((source) =>
    importsOf(source).flatMap(({ target, own, at }) =>
      own && target.endsWith(".ts") && !paths.has(target) ? [`${at}: ${target} is not there`] : []
    )
  );
}
