/**
 * What a file refers to: imports, re-exports, dynamic imports, and entries named by URL.
 *
 * @module
 */
import { posix } from "node:path";
import ts from "typescript";
import type { Source } from "./sources.ts";

/** One reference. `target` is a project path for our own files, else the specifier as written. */
export type Reference = { readonly target: string; readonly own: boolean; readonly at: string };

/** Everything a file imports, statically or not, with or without `type`. */
export function importsOf(source: Source): Reference[] {
  const found: Reference[] = [];
  for (const node of source.nodes()) {
    const specifier = specifierOf(node);
    if (specifier === undefined) continue;
    const own = /^\.{1,2}\//.test(specifier);
    const target = own ? resolve(source, specifier) : specifier;
    found.push({ target, own, at: source.at(node) });
  }
  return found;
}

/**
 * Files a source names as `new URL("./x.ts", import.meta.url)`: entries of threads and programs.
 */
export function entriesOf(source: Source): Reference[] {
  const found: Reference[] = [];
  for (const node of source.nodes()) {
    if (!ts.isNewExpression(node) || node.expression.getText(source.tree) !== "URL") continue;
    const [first, second] = node.arguments ?? [];
    if (first === undefined || !ts.isStringLiteralLike(first)) continue;
    if (second?.getText(source.tree) !== "import.meta.url") continue;
    found.push({ target: resolve(source, first.text), own: true, at: source.at(node) });
  }
  return found;
}

function resolve(source: Source, specifier: string): string {
  return posix.join(posix.dirname(source.path), specifier);
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const specifier = node.moduleSpecifier;
    return specifier !== undefined && ts.isStringLiteral(specifier) ? specifier.text : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [first] = node.arguments;
    return first !== undefined && ts.isStringLiteralLike(first) ? first.text : undefined;
  }
  return undefined;
}
