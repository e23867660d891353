// The instrumentation of firmware: whatever is inserted, programs behave as before.

import vm from "node:vm";
import { expect } from "chai";
import { instrumentModule, instrumentScript } from "../../../host-sim/engine/instrument.js";

/** Runs a script with counters in place of the engine's functions, and returns its value and the counts. */
function run(text: string): { value: unknown; ticks: number; caught: unknown[]; bytes: number } {
  const counts = { ticks: 0, caught: [] as unknown[], bytes: 0 };
  const value = vm.runInNewContext(instrumentScript(text), {
    $skyslotTick: () => {
      counts.ticks += 1;
    },
    $skyslotCaught: (error: unknown) => counts.caught.push(error),
    $skyslotAllocated: (buffer: ArrayBuffer) => {
      counts.bytes += buffer.byteLength;
      return buffer;
    },
  });
  return { value, ...counts };
}

describe("instrumented code", () => {
  const programs: readonly (readonly [text: string, value: unknown, ticks: number])[] = [
    ["let n = 0; for (let i = 0; i < 3; i++) n += i; n", 3, 3],
    ["let n = 0; for (const x of [1, 2]) for (const y of [1, 2]) n += x * y; n", 9, 6],
    ["let n = 0; for (const k in {a: 1, b: 2}) { n++ } n", 2, 2],
    ["let n = 0; while (n < 4) n++; n", 4, 4],
    ["let n = 0; do n++; while (n < 4); n", 4, 4],
    ["let n = 0; do { n++ } while (n < 4); n", 4, 4],
    ["let n = 0; outer: for (;;) { for (;;) { if (++n > 2) break outer; else continue outer; } } n", 3, 6],
    ["let n = 3; while (n--); n", -1, 3],
    ["const f = (a) => (b) => ({ sum: a + b }); f(1)(2).sum", 3, 2],
    ["const f = a => b => a + b; f(1)(2)", 3, 2],
    ["(() => 5)()", 5, 1],
    ["(function (a = () => 7) { return a(); })()", 7, 2],
    ["class A { #x = 1; get x() { return this.#x; } static s() { return new A().x; } } A.s()", 1, 2],
    [
      "class A { constructor() { this.v = 1; } } class B extends A { constructor() { super(); this.v++; } } new B().v",
      2,
      2,
    ],
    ["let s = ''; try { throw 'x' } catch (e) { s = e } finally { s += 'f' } s", "xf", 1],
    ["let s = 'a'; try { s += 'b' } finally { s += 'c' } s", "abc", 1],
    ["(() => { try { throw 1 } catch { return 'no binding' } })()", "no binding", 1],
    [
      "(() => { try { throw { a: 1, b: [2] } } catch ({ a, b: [c], d = () => 5 }) { return a + c + d() } })()",
      8,
      1,
    ],
    ["(() => { try { return 'try' } finally { } })()", "try", 2],
    ["const g = function* () { for (let i = 0; i < 2; i++) yield i; }; [...g()].join()", "0,1", 3],
    ["new Uint8Array(4).fill(7).join()", "7,7,7,7", 0],
    ["const b = [new ArrayBuffer(8), new Uint16Array([1, 2])]; b[0].byteLength + b[1].byteLength", 12, 0],
    ["if (true) for (;;) { break } else for (;;) { } 1", 1, 1],
    ["[1, 2].map((x) => '<' + x + '>').join('')", "<1><2>", 2],
    ["var f = async => async + 1; f(1)", 2, 1],
    ["({ m() { return 1 }, get g() { return 2 }, ['c' + 1]: () => 3 }).c1()", 3, 1],
  ];
  for (const [text, value, ticks] of programs) {
    it(`does what it did: ${text}`, () => {
      const result = run(text);
      expect(result.value).to.equal(value);
      expect(result.ticks).to.equal(ticks);
    });
  }

  it("reports each error before it is caught", () => {
    const text = "try { try { throw 1 } finally { } } catch (e) { try { throw 2 } catch { } }";
    expect(run(text).caught).to.deep.equal([1, 1, 2]);
  });

  it("counts the bytes of new buffers", () => {
    expect(run("new ArrayBuffer(100); new Float64Array(2); [1].slice(); new Map()").bytes).to.equal(116);
  });

  it("keeps line numbers", () => {
    const text = "let a = 1;\nfor (;;) {\n  break;\n}\nthrow new Error('line 5');";
    expect(instrumentScript(text).split("\n")).to.have.length(5);
  });
});

describe("an instrumented module", () => {
  function load(text: string): { imported: string[]; exported: unknown } {
    const imported: string[] = [];
    const result: { exported: unknown } = { exported: undefined };
    const importer = Object.assign(
      (specifier: string, names: string[]) => {
        imported.push(`${specifier}: ${names.join()}`);
        return { default: "the default", named: "the named", "odd name": "odd" };
      },
      { later: (specifier: string) => `later ${specifier}` },
    );
    const context = {
      $skyslotTick: () => {},
      report: (value: unknown) => {
        result.exported = value;
      },
    };
    vm.runInNewContext(instrumentModule(text), context)(importer, { meta: true });
    return { imported, exported: result.exported };
  }

  it("gets what it imports", () => {
    const text = `import d, { named as n, "odd name" as o } from "a"; import * as all from "b"; import "c";
      report([d, n, o, all.named]);`;
    const { imported, exported } = load(text);
    expect(imported).to.deep.equal(["a: default,named,odd name", "b: ", "c: "]);
    expect(exported).to.deep.equal(["the default", "the named", "odd", "the named"]);
  });

  it("may export, import dynamically and use import.meta", () => {
    const text = `export const a = 1; export function f() { return a; } export default class {}
      export { a as b }; export * from "d"; export { named } from "e";
      report([f(), import("x"), typeof import.meta, this]);`;
    const { imported, exported } = load(text);
    expect(imported).to.deep.equal(["d: ", "e: "]);
    expect(exported).to.deep.equal([1, "later x", "object", undefined]);
  });

  it("is in strict mode", () => {
    expect(() => load("undeclared = 1;")).to.throw("undeclared is not defined");
  });

  it("reports what is not JavaScript", () => {
    expect(() => instrumentModule("let = ;")).to.throw(SyntaxError);
  });
});
