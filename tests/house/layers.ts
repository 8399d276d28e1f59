/** Which folder may import from which, and that nothing imports in a circle. @module */
import { importsOf } from "./imports.ts";
import type { Source } from "./sources.ts";

type Layer = {
  readonly folder: string;
  /** Folders it may import from, besides itself. */
  readonly from: readonly string[];
  /** Whether it may import any `node:` module: only what stands at the edge touches the world. */
  readonly edge: boolean;
};

/** The rows of the table in ARCHITECTURE.md. `*` stands for one folder name, the same one. */
export const layers: readonly Layer[] = [
  { folder: "src/base", from: [], edge: false },
  { folder: "src/model", from: ["src/base"], edge: false },
  { folder: "src/core", from: ["src/base", "src/model"], edge: false },
  { folder: "src/ports", from: ["src/base", "src/model"], edge: false },
  { folder: "src/config", from: ["src/base", "src/model"], edge: false },
  { folder: "src/link", from: ["src/base", "src/model", "src/ports"], edge: false },
  { folder: "storage", from: ["src/base", "src/model", "src/ports"], edge: true },
  { folder: "src/runtime", from: ["src/base", "src/ports"], edge: true },
  { folder: "src/cluster", from: ["src/base", "src/model", "src/ports"], edge: false },
  {
    folder: "src/broker",
    from: ["src/base", "src/model", "src/core", "src/ports", "src/link"],
    edge: false,
  },
  {
    folder: "src/protocol/*",
    from: ["src/base", "src/model", "src/ports", "src/broker"],
    edge: false,
  },
  {
    folder: "workers/*",
    from: ["src/base", "src/model", "src/core", "src/ports", "src/link"],
    edge: false,
  },
];

/** `node:` modules that only compute, and so are open to every layer. */
const pureModules = ["node:buffer", "node:crypto", "node:zlib"];

/** What joins the parts, and so may import everything. The whole front does nothing else. */
const compositionRoots = [
  /^mod\.ts$/,
  /^src\/front\//,
  /^src\/cli\//,
  /^workers\/[^/]+\/main\.ts$/,
];

/** Imports that go against the table. Tests and benches may import everything. */
export function layerFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    if (source.isTest || /^(tests|bench)\//.test(source.path)) return [];
    if (compositionRoots.some((root) => root.test(source.path))) return [];
    const layer = layerOf(source.path);
    if (layer === undefined) {
      return source.path === "workers/addresses.ts" ? [] : [`${source.path}: is in no layer`];
    }
    return importsOf(source).flatMap(({ target, own, at }) => {
      if (!own) {
        const refused = target.startsWith("node:") && !layer.edge && !pureModules.includes(target);
        return refused ? [`${at}: ${layer.folder} may not import ${target}`] : [];
      }
      return mayImport(source.path, layer, target)
        ? []
        : [`${at}: ${layer.folder} may not import ${target}`];
    });
  });
}

function layerOf(path: string): Layer | undefined {
  return layers.find(({ folder }) => folderIn(path, folder) !== undefined);
}

/** The part of `path` that `folder` names, with its star filled in. */
function folderIn(path: string, folder: string): string | undefined {
  return new RegExp(`^${folder.replace("*", "[^/]+")}(?=/)`).exec(path)?.[0];
}

function mayImport(path: string, { folder, from }: Layer, target: string): boolean {
  const own = folderIn(path, folder);
  if (own !== undefined && target.startsWith(`${own}/`)) return true;
  return from.some((allowed) => folderIn(target, allowed) !== undefined);
}

/** Every circle of imports, as the paths along it. Imports of types count as well. */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map((source) => [
    source.path,
    importsOf(source).flatMap(({ target, own }) => own ? [target] : []),
  ]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}
