// Splits a bundle into the modules that it was made of, as the SDK's linker would see them: all but the app's main are preloaded,
// which means run when the firmware is linked, frozen, and in the flash. The bundle marks where each module begins (MODULE_MARK in
// image-build/bundle.ts), the last of them being main. esbuild gives no two things at the tops of modules the same name, and nothing inside
// of them a name from there.
//
// esbuild writes a module's constants as `var`. XS keeps a binding that is not constant in the machine that runs, so what is never
// assigned again becomes `const`, as in the source.

import { type AnyNode, type ImportDeclaration, type Program, parse } from "acorn";
import { MODULE_MARK } from "../image-build/bundle.js";

/** Name of the app's main as a module. */
export const MAIN = "main";

export interface BundleParts {
  /** The SDK's modules that the bundle imports. */
  readonly sdkModules: readonly string[];
  /** The texts of our modules by name, in the order in which they run; the last is main. */
  readonly modules: ReadonlyMap<string, string>;
}

const cache = new Map<string, BundleParts>();
/** Bundles whose parts are kept. */
const CACHE_COUNT_MAX = 8;

/** A bundle without marks is main as a whole, and so is one with an error of syntax, which XS reports. */
export function splitBundle(bundle: string): BundleParts {
  const kept = cache.get(bundle);
  if (kept) return kept;
  const parts = split(bundle);
  if (cache.size >= CACHE_COUNT_MAX) cache.delete(cache.keys().next().value!);
  cache.set(bundle, parts);
  return parts;
}

function split(bundle: string): BundleParts {
  const program = parsed(bundle);
  const imports = program ? importsOf(program) : [];
  const sdkModules = [...new Set(imports.map(({ source }) => String(source.value)))];
  const marks = [...bundle.matchAll(MARKS)].map(({ index }) => index);
  const body = program?.body ?? [];
  const starts = marks.filter((mark) => !body.some(({ start, end }) => start < mark && mark < end));
  if (!program || starts.length === 0) return { sdkModules, modules: new Map([[MAIN, bundle]]) };
  // What esbuild needs itself stands before all modules.
  if (body.some((node) => !isImport(node) && node.start < starts[0]!)) starts.unshift(0);
  const assigned = assignedNames(program);
  const parts = starts.map((start, index): Part => {
    const end = starts[index + 1] ?? bundle.length;
    const nodes = body.filter((node) => node.start >= start && node.start < end && !isImport(node));
    return {
      name: end === bundle.length ? MAIN : `skyslot:${index}`,
      text: nodes.map((node) => textOf(bundle, node, assigned)).join("\n"),
      declared: nodes.flatMap(declaredNames),
      used: new Set(nodes.flatMap(referencedNames)),
    };
  });
  return { sdkModules, modules: new Map(parts.map((part) => [part.name, moduleOf(part, parts, imports)])) };
}

interface Part {
  readonly name: string;
  readonly text: string;
  /** At its top. */
  readonly declared: readonly string[];
  readonly used: ReadonlySet<string>;
}

const MARKS = new RegExp(MODULE_MARK.replace(/[/*]/g, "\\$&"), "g");

function parsed(text: string): Program | undefined {
  try {
    return parse(text, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true });
  } catch {
    return undefined;
  }
}

const isImport = (node: AnyNode): node is ImportDeclaration => node.type === "ImportDeclaration";
const importsOf = (program: Program): ImportDeclaration[] => program.body.filter(isImport);

/** A part with what it imports and exports. A part that only has side effects is named by no import: main imports it too. */
function moduleOf(part: Part, parts: readonly Part[], imports: readonly ImportDeclaration[]): string {
  const others = parts.filter((other) => other !== part);
  const usedOf = (other: Part) => other.declared.filter((name) => part.used.has(name));
  const isNamed = (one: Part) =>
    parts.some((user) => user !== one && one.declared.some((name) => user.used.has(name)));
  const lines = imports.flatMap((declaration) => importsFrom(declaration, part.used));
  for (const other of others) {
    const names = usedOf(other);
    if (names.length > 0) lines.push(`import { ${names.join(", ")} } from "${other.name}";`);
    else if (part.name === MAIN && !isNamed(other)) lines.push(`import "${other.name}";`);
  }
  const exported = part.declared.filter((name) => others.some(({ used }) => used.has(name)));
  return `${lines.join("\n")}\n${part.text}\nexport { ${exported.join(", ")} };`;
}

/** What is used of an import. */
function importsFrom({ source, specifiers }: ImportDeclaration, used: ReadonlySet<string>): string[] {
  const from = JSON.stringify(source.value);
  return specifiers
    .filter(({ local }) => used.has(local.name))
    .map((specifier) =>
      specifier.type === "ImportNamespaceSpecifier"
        ? `import * as ${specifier.local.name} from ${from};`
        : `import { ${importedName(specifier)} as ${specifier.local.name} } from ${from};`,
    );
}

function importedName(
  specifier: Exclude<ImportDeclaration["specifiers"][number], { type: "ImportNamespaceSpecifier" }>,
): string {
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  const { imported } = specifier;
  return imported.type === "Identifier" ? imported.name : JSON.stringify(imported.value);
}

/** Names that a statement declares. */
function declaredNames(node: AnyNode): string[] {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => referencedNames(id));
  if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration")
    return node.id ? [node.id.name] : [];
  return [];
}

/** All identifiers but for names of properties and labels. */
function referencedNames(node: AnyNode): string[] {
  const names: string[] = [];
  visit(node, (inner) => {
    if (inner.type === "Identifier") names.push(inner.name);
  });
  return names;
}

function visit(node: AnyNode, each: (node: AnyNode) => void): void {
  each(node);
  const skipped = nameOnly(node);
  for (const key in node) {
    if (key === skipped) continue;
    const value: unknown = node[key as keyof AnyNode];
    if (Array.isArray(value)) {
      for (const inner of value) if (isNode(inner)) visit(inner, each);
    } else if (isNode(value)) visit(value, each);
  }
}

/** Which part of a node is a name and no reference. */
function nameOnly(node: AnyNode): string | undefined {
  switch (node.type) {
    case "MemberExpression":
      return node.computed ? undefined : "property";
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return node.computed ? undefined : "key";
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return "label";
    default:
      return undefined;
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";

/** A statement, with `const` for `var` if its variables have a value and are never assigned another. */
function textOf(bundle: string, node: AnyNode, assigned: ReadonlySet<string>): string {
  const text = bundle.slice(node.start, node.end);
  const isConstant =
    node.type === "VariableDeclaration" &&
    node.kind === "var" &&
    node.declarations.every(({ init }) => init) &&
    !declaredNames(node).some((name) => assigned.has(name));
  return isConstant ? `const${text.slice("var".length)}` : text;
}

/** Of any scope. */
function assignedNames(program: Program): Set<string> {
  const names: string[] = [];
  visit(program, (node) => {
    if (node.type === "AssignmentExpression" && node.left.type !== "MemberExpression")
      names.push(...referencedNames(node.left));
    if (node.type === "UpdateExpression" && node.argument.type === "Identifier")
      names.push(node.argument.name);
    if ((node.type === "ForInStatement" || node.type === "ForOfStatement") && node.left.type === "Identifier")
      names.push(node.left.name);
  });
  return new Set(names);
}
