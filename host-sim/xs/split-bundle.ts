// Splits a bundle as the SDK's linker would see it: the modules that are preloaded (run when the firmware is linked, frozen, in the
// flash) and the app's main, which runs on the chip. The bundle tells where main begins: see APP_MAIN in engine/bundle.ts.
//
// esbuild writes a module's constants as `var`. XS keeps a binding that is not constant in the machine that runs, so what is never
// assigned again becomes `const`, as it stands in the source.

import { type AnyNode, type Identifier, type Pattern, type Program, parse } from "acorn";
import { APP_MAIN } from "../engine/bundle.js";

/** Names of the two parts as modules. */
export const PRELOADED = "skyslot:preloaded";
export const MAIN = "main";

export interface BundleParts {
  /** The SDK's modules that the bundle imports. */
  readonly sdkModules: readonly string[];
  /** Absent where nothing is preloaded. */
  readonly preloaded?: string;
  readonly main: string;
}

/**
 * `isPreloaded`: false leaves all of it in main. A bundle that says nothing of its main is main as a whole, and so is one with an
 * error of syntax, which XS reports.
 */
export function splitBundle(bundle: string, isPreloaded: boolean): BundleParts {
  const program = parsed(bundle);
  if (!program) return { sdkModules: [], main: bundle };
  const sdkModules = importedModules(program);
  const at = isPreloaded ? bundle.indexOf(APP_MAIN) : -1;
  if (at === -1) return { sdkModules, main: constants(bundle, program) };
  const [before, after] = [bundle.slice(0, at), bundle.slice(at)];
  const library = parsed(before)!;
  const names = declaredNames(library).filter((name) => namesIn(program, at).has(name));
  return {
    sdkModules,
    preloaded: `${constants(before, library)}\nexport { ${names.join(", ")} };`,
    main: `import { ${names.join(", ")} } from "${PRELOADED}";\n${after}`,
  };
}

function parsed(text: string): Program | undefined {
  try {
    return parse(text, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true });
  } catch {
    return undefined;
  }
}

const importedModules = (program: Program): string[] => [
  ...new Set(
    program.body.flatMap((node) => (node.type === "ImportDeclaration" ? [String(node.source.value)] : [])),
  ),
];

/** Names that imports, variables, functions and classes declare at the top of a module. */
function declaredNames(program: Program): string[] {
  return program.body.flatMap((node) => {
    if (node.type === "ImportDeclaration") return node.specifiers.map(({ local }) => local.name);
    if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => namesOf(id));
    if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") return [node.id.name];
    return [];
  });
}

function namesOf(pattern: Pattern): string[] {
  return identifiers(pattern).map(({ name }) => name);
}

/** All identifiers from a position on: more than are used of the top's, never fewer. */
function namesIn(program: Program, from: number): Set<string> {
  return new Set(
    program.body
      .filter((node) => node.start >= from)
      .flatMap(identifiers)
      .map(({ name }) => name),
  );
}

function identifiers(node: AnyNode): Identifier[] {
  const found: Identifier[] = [];
  walk(node, (inner) => {
    if (inner.type === "Identifier") found.push(inner);
  });
  return found;
}

function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const inner of Array.isArray(value) ? value : [value]) if (isNode(inner)) walk(inner, visit);
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";

/** The text with `const` for each `var` at the top whose variables have a value and are never assigned another. */
function constants(text: string, program: Program): string {
  const assigned = assignedNames(program);
  const places = program.body.flatMap((node) =>
    node.type === "VariableDeclaration" &&
    node.kind === "var" &&
    node.declarations.every(({ id, init }) => init && !namesOf(id).some((name) => assigned.has(name)))
      ? [node.start]
      : [],
  );
  let result = "";
  let done = 0;
  for (const place of places) {
    result += `${text.slice(done, place)}const`;
    done = place + "var".length;
  }
  return result + text.slice(done);
}

/** Of any scope: a name that is assigned somewhere stays a variable everywhere. */
function assignedNames(program: Program): Set<string> {
  const names = new Set<string>();
  walk(program, (node) => {
    if (node.type === "AssignmentExpression" && node.left.type !== "MemberExpression")
      for (const { name } of identifiers(node.left)) names.add(name);
    if (node.type === "UpdateExpression" && node.argument.type === "Identifier")
      names.add(node.argument.name);
    if ((node.type === "ForInStatement" || node.type === "ForOfStatement") && node.left.type === "Identifier")
      names.add(node.left.name);
  });
  return names;
}
