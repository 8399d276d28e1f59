/** That modules and what they export say what they are. @module */
import ts from "typescript";
import type { Source } from "./sources.ts";

/** Modules without a head comment, exports without a comment. Test files speak by their names. */
export function docFaults(sources: readonly Source[]): string[] {
  return sources.filter(({ isTest }) => !isTest).flatMap((source) => [
    ...(/^\/\*\*(?:(?!\*\/)[^])*@module(?:(?!\*\/)[^])*\*\//.test(source.text)
      ? []
      : [`${source.path}: has no head comment with @module`]),
    ...exportsOf(source).flatMap(({ statement, name }) =>
      isDocumented(source, statement) ? [] : [`${source.at(statement)}: ${name} has no comment`]
    ),
  ]);
}

function exportsOf(source: Source): { statement: ts.Statement; name: string }[] {
  return source.tree.statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    const modifiers = ts.getModifiers(statement) ?? [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    return [{ statement, name: nameOf(source, statement) }];
  });
}

function nameOf({ tree }: Source, statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText(tree)).join(", ");
  }
  const name = ts.getNameOfDeclaration(statement as ts.DeclarationStatement);
  return name?.getText(tree) ?? "an export";
}

/** Whether a comment of the doc kind stands before it, which is not the module's own. */
function isDocumented(source: Source, statement: ts.Statement): boolean {
  const ranges = ts.getLeadingCommentRanges(source.text, statement.getFullStart()) ?? [];
  return ranges.some(({ pos, end }) => {
    const comment = source.text.slice(pos, end);
    return comment.startsWith("/**") && !comment.includes("@module");
  }) || isOverload(source, statement);
}

/** Later signatures of a function speak through the comment of the first. */
function isOverload(source: Source, statement: ts.Statement): boolean {
  if (!ts.isFunctionDeclaration(statement)) return false;
  const before = source.tree.statements[source.tree.statements.indexOf(statement) - 1];
  return before !== undefined && ts.isFunctionDeclaration(before) &&
    before.body === undefined && before.name?.text === statement.name?.text;
}
