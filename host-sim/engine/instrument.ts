// Rewrites firmware's JavaScript so that the engine stays in charge of it. Positions of lines do not change.
//
//   loop heads, function entries, starts of finally   $skyslotTick()          counts time; throws once the boot is over
//   catch clauses                                     $skyslotCaught(error)   throws on what firmware must not catch
//   new ArrayBuffer, new Uint8Array …                 $skyslotAllocated(…)    counts memory
//   import, export, import.meta of a module           calls of the two parameters of the function that it becomes
//
// It is independent of devices; what the functions do is in realm/meter.js.

import { type Node, parse } from "acorn";

/** The parameters of the function that a module becomes. */
const IMPORT = "$skyslotImport";
const META = "$skyslotMeta";
const ERROR = "$skyslotError";
const TICK = "$skyslotTick();";

const BUFFER_CLASSES: ReadonlySet<string> = new Set([
  "ArrayBuffer",
  "SharedArrayBuffer",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
]);

/** Children are reached by name, as the parser's own types have no common shape. */
type Tree = Node & { readonly [key: string]: unknown };

/** Replaces the text from `start` to `end` (equal for an insertion). */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A module as the text of a function `(import, meta) => void`. @throws SyntaxError */
export function instrumentModule(text: string): string {
  const edits = new Edits(text);
  edits.visit(parseAs(text, "module"));
  return `(function (${IMPORT}, ${META}) {"use strict"; ${edits.apply()}\n})`;
}

/** A script, as for eval: its value stays what it was. @throws SyntaxError */
export function instrumentScript(text: string): string {
  const edits = new Edits(text);
  edits.visit(parseAs(text, "script"));
  return edits.apply();
}

function parseAs(text: string, sourceType: "module" | "script"): Tree {
  return parse(text, { ecmaVersion: "latest", sourceType, allowHashBang: true }) as unknown as Tree;
}

class Edits {
  readonly #text: string;
  readonly #edits: Edit[] = [];
  #importCount = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Edits of outer nodes come first where they begin, last where they end: their order here is their order in the text. */
  visit(node: Tree): void {
    this.#enter(node);
    for (const key of Object.keys(node)) {
      const child = node[key];
      if (Array.isArray(child)) {
        for (const item of child) if (isTree(item)) this.visit(item);
      } else if (isTree(child)) {
        this.visit(child);
      }
    }
    this.#leave(node);
  }

  apply(): string {
    const ordered = this.#edits
      .map((edit, index) => ({ edit, index }))
      .sort((a, b) => a.edit.start - b.edit.start || a.index - b.index);
    let result = "";
    let position = 0;
    for (const { edit } of ordered) {
      if (edit.start < position) continue; // inside something that was replaced
      result += this.#text.slice(position, edit.start) + edit.text;
      position = edit.end;
    }
    return result + this.#text.slice(position);
  }

  #enter(node: Tree): void {
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
        this.#insert(treeAt(node, "body").start + 1, TICK);
        break;
      case "ArrowFunctionExpression":
        this.#enterArrow(treeAt(node, "body"));
        break;
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        this.#enterLoop(treeAt(node, "body"));
        break;
      case "TryStatement":
        this.#enterTry(node);
        break;
      case "NewExpression":
        if (isBufferClass(node)) this.#insert(node.start, "$skyslotAllocated(");
        break;
      case "ImportDeclaration":
        this.#replace(node, this.#importCalls(node));
        break;
      case "ImportExpression":
        this.#edits.push({ start: node.start, end: node.start + "import".length, text: `${IMPORT}.later` });
        break;
      case "MetaProperty":
        if (nameOf(node, "meta") === "import") this.#replace(node, META);
        break;
      case "ExportNamedDeclaration":
        this.#enterExport(node);
        break;
      case "ExportDefaultDeclaration":
        this.#enterDefaultExport(node);
        break;
      case "ExportAllDeclaration":
        this.#replace(node, `${IMPORT}(${sourceOf(node)}, []);`);
        break;
      default:
    }
  }

  #leave(node: Tree): void {
    switch (node.type) {
      case "ArrowFunctionExpression":
        if (!isBlock(treeAt(node, "body"))) this.#insert(treeAt(node, "body").end, ")");
        break;
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        if (!isBlock(treeAt(node, "body"))) this.#insert(treeAt(node, "body").end, "}");
        break;
      case "NewExpression":
        if (isBufferClass(node)) this.#insert(node.end, ")");
        break;
      default:
    }
  }

  #enterArrow(body: Tree): void {
    if (isBlock(body)) this.#insert(body.start + 1, TICK);
    else this.#insert(body.start, "($skyslotTick(), ");
  }

  #enterLoop(body: Tree): void {
    if (isBlock(body)) this.#insert(body.start + 1, TICK);
    else this.#insert(body.start, `{${TICK}`);
  }

  #enterTry(node: Tree): void {
    const handler = node.handler;
    const finalizer = node.finalizer;
    if (isTree(handler)) this.#enterCatch(handler);
    else
      this.#insert(
        treeAt(node, "block").end,
        ` catch (${ERROR}) {$skyslotCaught(${ERROR}); throw ${ERROR};}`,
      );
    if (isTree(finalizer)) this.#insert(finalizer.start + 1, TICK);
  }

  #enterCatch(handler: Tree): void {
    const parameter = handler.param;
    const bodyStart = treeAt(handler, "body").start + 1;
    if (!isTree(parameter)) {
      this.#insert(handler.start + "catch".length, ` (${ERROR})`);
      this.#insert(bodyStart, `$skyslotCaught(${ERROR});`);
    } else if (parameter.type === "Identifier") {
      this.#insert(bodyStart, `$skyslotCaught(${this.#textOf(parameter)});`);
    } else {
      // The pattern moves into the block; defaults in it are not metered, which is harmless: they hold no loops.
      this.#replace(parameter, ERROR);
      this.#insert(bodyStart, `$skyslotCaught(${ERROR}); let ${this.#textOf(parameter)} = ${ERROR};`);
    }
  }

  #importCalls(node: Tree): string {
    const module = `$skyslotModule${this.#importCount}`;
    this.#importCount += 1;
    const names: string[] = [];
    const bindings: string[] = [];
    for (const specifier of node.specifiers as Tree[]) {
      const local = nameOf(specifier, "local");
      if (specifier.type === "ImportNamespaceSpecifier") {
        bindings.push(`${local} = ${module}`);
        continue;
      }
      const name = JSON.stringify(
        specifier.type === "ImportSpecifier" ? nameOf(specifier, "imported") : "default",
      );
      names.push(name);
      bindings.push(`${local} = ${module}[${name}]`);
    }
    const call = `${module} = ${IMPORT}(${sourceOf(node)}, [${names.join(", ")}])`;
    return `const ${[call, ...bindings].join(", ")};`;
  }

  #enterExport(node: Tree): void {
    const declaration = node.declaration;
    if (isTree(declaration)) this.#edits.push({ start: node.start, end: declaration.start, text: "" });
    else this.#replace(node, isTree(node.source) ? `${IMPORT}(${sourceOf(node)}, []);` : "");
  }

  #enterDefaultExport(node: Tree): void {
    const declaration = treeAt(node, "declaration");
    const isNamed = /Declaration$/.test(declaration.type) && isTree(declaration.id);
    this.#edits.push({
      start: node.start,
      end: declaration.start,
      text: isNamed ? "" : "const $skyslotDefault = ",
    });
  }

  #insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  #replace(node: Tree, text: string): void {
    this.#edits.push({ start: node.start, end: node.end, text });
  }

  #textOf(node: Tree): string {
    return this.#text.slice(node.start, node.end);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && typeof (value as Tree).type === "string";
}

function treeAt(node: Tree, key: string): Tree {
  const child = node[key];
  if (!isTree(child)) throw new Error(`${node.type} at ${node.start} has no ${key}`);
  return child;
}

function nameOf(node: Tree, key: string): string {
  const child = treeAt(node, key);
  return String(child.name ?? child.value);
}

function sourceOf(node: Tree): string {
  return JSON.stringify(treeAt(node, "source").value);
}

function isBlock(node: Tree): boolean {
  return node.type === "BlockStatement";
}

function isBufferClass(node: Tree): boolean {
  const callee = treeAt(node, "callee");
  return callee.type === "Identifier" && BUFFER_CLASSES.has(String(callee.name));
}
