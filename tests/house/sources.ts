/** The project's own sources, read and parsed for the tests of the house rules. @module */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The folder that holds `deno.json`, with a slash at its end. */
export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

/** Top-level folders that hold TypeScript of ours. */
const sourceFolders = ["src", "storage", "workers", "bench", "tests"];

/** One TypeScript file. `path` is relative to the project, with forward slashes. */
export class Source {
  readonly path: string;
  readonly text: string;
  #tree: ts.SourceFile | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** The syntax tree; parsed when it is first asked for. */
  get tree(): ts.SourceFile {
    return this.#tree ??= ts.createSourceFile(this.path, this.text, ts.ScriptTarget.Latest, true);
  }

  get lines(): string[] {
    return this.text.split("\n");
  }

  get isTest(): boolean {
    return this.path.endsWith("_test.ts");
  }

  /** `path:line` of a node, as editors understand it. */
  at(node: ts.Node): string {
    const { line } = this.tree.getLineAndCharacterOfPosition(node.getStart(this.tree));
    return `${this.path}:${line + 1}`;
  }

  /** Every node of the tree, parents before their children. */
  *nodes(node: ts.Node = this.tree): IterableIterator<ts.Node> {
    yield node;
    const children: ts.Node[] = [];
    ts.forEachChild(node, (child) => void children.push(child));
    for (const child of children) yield* this.nodes(child);
  }
}

/** Every source of the project; `endings` asks for other files than TypeScript. */
export function readSources(endings: readonly string[] = [".ts"]): Source[] {
  const paths = [...namesIn(projectRoot), ...sourceFolders.flatMap((folder) => walk(folder))]
    .filter((path) => endings.some((ending) => path.endsWith(ending)));
  return paths.sort().map((path) => new Source(path, readProjectFile(path)));
}

/** A file of the project as text. */
export function readProjectFile(path: string): string {
  return readFileSync(projectRoot + path, "utf8");
}

function walk(folder: string): string[] {
  return readdirSync(projectRoot + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : walk(path);
    return [path];
  });
}

function namesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : []
  );
}
