/** How large files, functions and lines may be. @module */
import ts from "typescript";
import type { Source } from "./sources.ts";

const fileLinesMax = 500;
const functionLinesMax = 60;
const columnsMax = 100;

/** What is too large, each with its size. */
export function sizeFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => [
    ...fileFaults(source),
    ...functionFaults(source),
    ...columnFaults(source),
  ]);
}

function fileFaults({ path, lines }: Source): string[] {
  const count = lines.length - 1;
  return count > fileLinesMax ? [`${path}: ${count} lines`] : [];
}

function columnFaults({ path, lines }: Source): string[] {
  return lines.flatMap((line, index) =>
    // Characters as a reader counts them, not UTF-16 units.
    [...line].length > columnsMax ? [`${path}:${index + 1}: ${[...line].length} columns`] : []
  );
}

function functionFaults(source: Source): string[] {
  return [...source.nodes()].flatMap((node) => {
    if (!ts.isFunctionLike(node)) return [];
    const first = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line;
    const last = source.tree.getLineAndCharacterOfPosition(node.end).line;
    const count = last - first + 1;
    return count > functionLinesMax ? [`${source.at(node)}: a function of ${count} lines`] : [];
  });
}
