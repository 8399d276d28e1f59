/** Calls, words and constructions that are banned, or at home in one folder only. @module */
import ts from "typescript";
import type { Source } from "./sources.ts";

type Ban = {
  readonly what: string;
  /** The constructs it concerns. */
  readonly finds: (node: ts.Node, source: Source) => boolean;
  /** Where it is at home. */
  readonly allowedIn?: readonly RegExp[];
};

const runtimeOnly = [/^src\/runtime\//];
/** Tests and benches drive real processes and measure real time. */
const realTime = [/^src\/runtime\//, /^tests\//, /^bench\//];

/** The bans, in the order of the table in ARCHITECTURE.md. */
const bans: readonly Ban[] = [
  ...["Date.now", "performance.now"].map((what) => member(what, realTime)),
  ...["Math.random", "crypto.randomUUID", "crypto.getRandomValues"].map((what) =>
    member(what, runtimeOnly)
  ),
  ...["setTimeout", "setInterval", "setImmediate"].map((what) => call(what, realTime)),
  {
    what: "new Date() without a time",
    finds: (node) =>
      ts.isNewExpression(node) && node.expression.getText() === "Date" &&
      (node.arguments?.length ?? 0) === 0,
    allowedIn: realTime,
  },
  ...["Deno", "Bun"].map((what) => global(what, runtimeOnly)),
  global("console", [/^src\/cli\//, /^tests\/[^/]+\/main\.ts$/, /^bench\//]),
  { what: "any", finds: (node) => node.kind === ts.SyntaxKind.AnyKeyword },
  { what: "as unknown as", finds: isDoubleCast },
  { what: "! on anything but an index", finds: isBareAssertion },
  {
    what: "export *",
    finds: (node) => ts.isExportDeclaration(node) && node.exportClause === undefined,
  },
  { what: "a default export", finds: isDefaultExport },
  { what: "enum", finds: (node) => ts.isEnumDeclaration(node) },
  { what: "namespace", finds: (node) => ts.isModuleDeclaration(node) },
  {
    what: "a parameter property",
    finds: (node) => ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent),
  },
  { what: "a decorator", finds: (node) => ts.isDecorator(node) },
  { what: "inheritance except from Error", finds: isInheritance },
  { what: "a private modifier instead of #", finds: isPrivateModifier },
];

/** Folder and file names that say nothing. */
const emptyNames = /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/;

/** A path on somebody's machine. */
const machinePath = /["'`\s(](?:\/(?:home|root|Users)\/\w|[A-Z]:\\\\?Users)/;

/** A lint exception that gives its reason lifts a ban from its own and the next line. */
const excused = /deno-lint-ignore [\w-]+.* -- \S/;

/** What is banned where it stands. */
export function wordFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => [
    ...(emptyNames.test(source.path) ? [`${source.path}: a name that says nothing`] : []),
    ...pathFaults(source),
    ...banFaults(source),
  ]);
}

function pathFaults({ path, lines }: Source): string[] {
  return lines.flatMap((line, index) =>
    machinePath.test(line) ? [`${path}:${index + 1}: a path on somebody's machine`] : []
  );
}

function banFaults(source: Source): string[] {
  const active = bans.filter(({ allowedIn = [] }) =>
    !allowedIn.some((home) => home.test(source.path))
  );
  return [...source.nodes()].flatMap((node) =>
    active.flatMap(({ what, finds }) =>
      finds(node, source) && !isExcused(source, node) ? [`${source.at(node)}: ${what}`] : []
    )
  );
}

function isExcused(source: Source, node: ts.Node): boolean {
  const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree));
  return [line, line - 1].some((at) => excused.test(source.lines[at] ?? ""));
}

/** `Date.now`, called or handed on. */
function member(what: string, allowedIn: readonly RegExp[]): Ban {
  const finds = (node: ts.Node, { tree }: Source) =>
    ts.isPropertyAccessExpression(node) && node.getText(tree) === what;
  return { what, finds, allowedIn };
}

/**
 * A global function, called or handed on; members and definitions of that name are something else.
 */
function call(what: string, allowedIn: readonly RegExp[]): Ban {
  const finds = (node: ts.Node) =>
    ts.isIdentifier(node) && node.text === what && isReference(node) &&
    !ts.isTypeQueryNode(node.parent);
  return { what, finds, allowedIn };
}

/** A global object whose members are used. */
function global(what: string, allowedIn: readonly RegExp[]): Ban {
  const finds = (node: ts.Node) => ts.isIdentifier(node) && node.text === what && isReference(node);
  return { what, finds, allowedIn };
}

/** Whether an identifier refers to something, and is not a member's or a property's name. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return !(ts.isPropertyAssignment(parent) && parent.name === node) &&
    !ts.isPropertySignature(parent) && !ts.isMethodSignature(parent) &&
    !ts.isMethodDeclaration(parent) && !ts.isPropertyDeclaration(parent);
}

function isDoubleCast(node: ts.Node): boolean {
  return ts.isAsExpression(node) && ts.isAsExpression(node.expression) &&
    node.expression.type.kind === ts.SyntaxKind.UnknownKeyword;
}

function isBareAssertion(node: ts.Node): boolean {
  return ts.isNonNullExpression(node) && !ts.isElementAccessExpression(node.expression);
}

function isDefaultExport(node: ts.Node): boolean {
  return ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword &&
      !ts.isDefaultClause(node.parent);
}

function isInheritance(node: ts.Node, { tree }: Source): boolean {
  return ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ExtendsKeyword &&
    ts.isClassLike(node.parent) &&
    !node.types.every(({ expression }) => /Error$/.test(expression.getText(tree)));
}

function isPrivateModifier(node: ts.Node): boolean {
  return node.kind === ts.SyntaxKind.PrivateKeyword ||
    node.kind === ts.SyntaxKind.ProtectedKeyword;
}
