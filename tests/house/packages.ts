/** That both runtimes are given the same packages, and that each is used. @module */
import { importsOf } from "./imports.ts";
import type { Source } from "./sources.ts";

/** The two lists, as parsed. */
export type PackageLists = {
  readonly deno: { readonly version: string; readonly imports: Readonly<Record<string, string>> };
  readonly npm: {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
};

/** Where the lists disagree, and what is in them loosely. */
export function packageFaults({ deno, npm }: PackageLists): string[] {
  const faults: string[] = [];
  if (deno.version !== npm.version) {
    faults.push(`deno.json is version ${deno.version}, package.json ${npm.version}`);
  }
  const inDeno = new Map(
    Object.entries(deno.imports).flatMap(([name, target]) => {
      const match = /^npm:(@?[^@]+)@(.+)$/.exec(target);
      return match === null ? [] : [[name, match[1] === name ? match[2] : target] as const];
    }),
  );
  const inNpm = new Map(Object.entries({ ...npm.dependencies, ...npm.devDependencies }));
  for (const name of new Set([...inDeno.keys(), ...inNpm.keys()])) {
    const versions = [inDeno.get(name), inNpm.get(name)];
    if (versions[0] !== versions[1]) {
      faults.push(`${name}: deno.json has ${versions[0]}, package.json ${versions[1]}`);
    }
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(versions[1] ?? "")) {
      faults.push(`${name}: ${versions[1]} is not an exact version`);
    }
  }
  return faults;
}

/** Packages that are imported and not listed, or the other way round. */
export function usageFaults(sources: readonly Source[], listed: readonly string[]): string[] {
  const used = new Map<string, string>();
  for (const source of sources) {
    for (const { target, own, at } of importsOf(source)) {
      if (own || target.startsWith("node:")) continue;
      const [first = "", second = ""] = target.split("/");
      used.set(first.startsWith("@") ? `${first}/${second}` : first, at);
    }
  }
  return [
    ...[...used].filter(([name]) => !listed.includes(name)).map(([name, at]) =>
      `${at}: imports ${name}, which is not listed`
    ),
    ...listed.filter((name) => !used.has(name)).map((name) => `${name} is listed and not imported`),
  ];
}
