import { expect } from "chai";
import { MODULE_MARK } from "../../host-sim/image-build/bundle.js";
import { type BridgeHost, type BridgeOptions, XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { areaHeap, blockHeap, type XsHeap } from "../../host-sim/xs/heap.js";
import { splitBundle } from "../../host-sim/xs/split-bundle.js";
import { MachineEnded } from "../../host-sim/xs/worker.js";

const KIB = 1024;
const { program } = buildXs();

describe("a machine cloned from one in which modules were preloaded", () => {
  let bridge: XsBridge;
  let traced: string[];
  let reported: string[];
  const host: BridgeHost = {
    moduleOf: (specifier) => (specifier === "sdk" ? { default: class Port {}, three: 3 } : undefined),
    uptimeMs: () => 0,
    random: () => 0.5,
    trace: (text) => traced.push(text),
    report: (text) => reported.push(text),
    promiseJobsQueued: () => {},
    isGlobal: () => false,
    isForFirmware: (error) => error instanceof Error && !(error instanceof MachineEnded),
  };

  beforeEach(() => {
    traced = [];
    reported = [];
  });
  afterEach(() => bridge.close());

  const run = (preloaded: string, main: string, options: Partial<BridgeOptions> = {}) => {
    bridge = new XsBridge(host, { program, ...options });
    bridge.run(`${MODULE_MARK}${preloaded}\n${MODULE_MARK}${main}`);
    return traced;
  };
  const used = () => {
    const { slotBytes, chunkBytes } = bridge.collect();
    return slotBytes + chunkBytes;
  };

  it("uses functions, classes, tables and texts of preloaded modules without using its own memory", () => {
    const long = "x".repeat(20_000);
    run("", "trace('empty');");
    const empty = used();
    bridge.close();
    const modules = `import Port from "sdk"; var Big = class extends Port { #a = 1; get() { return this.#a; } };
      function f() { return table[2].length + text.length; }
      var table = Object.freeze(["${long}", [1, 2, 3], "${long}"]), text = "${long}" + table.length;`;
    expect(run(modules, "const result = f() + new Big().get(); trace(String(result));").at(-1)).equal(
      "40002",
    );
    expect(used() - empty).below(KIB);
  });

  it("copies what it changes of them", () => {
    const modules =
      "var count = 0, open = { list: [1] }; function more() { count += 1; open.list = [count]; }";
    expect(run(modules, "more(); more(); trace(String([count, open.list]));")).deep.equal(["2,2"]);
  });

  it("cannot change what is frozen in flash: tables, maps, buffers, classes", () => {
    const modules = `var table = Object.freeze({ a: [] }, true), map = new Map(), bytes = new Uint8Array(2), C = class { m() {} };
      function attempt(name, f) { try { f(); trace(name); } catch (error) { trace(error.name); } }`;
    const main = `attempt("table", () => table.a.push(1)); attempt("map", () => map.set(1, 2));
      attempt("bytes", () => { bytes[0] = 1; }); attempt("class", () => { C.prototype.m = 1; });`;
    expect(run(modules, main)).deep.equal(Array(4).fill("TypeError"));
  });

  it("refuses to serialize objects in flash as JSON, like XS on a chip", () => {
    const main =
      "try { trace(JSON.stringify({ table })); } catch (error) { trace(error.message); } trace(JSON.stringify({ ...table }));";
    expect(run("var table = Object.freeze({ a: 1 });", main)).deep.equal(["read only value", '{"a":1}']);
  });

  it("allocates memory for a module that is not preloaded while it runs", () => {
    const functions = Array.from({ length: 200 }, (_, i) => `function f${i}() { return f${i + 1}() + 1; }`);
    const modules = `${functions.join("\n")} function f200() { return 0; }`;
    const main = "globalThis.kept = f0; trace(String(f0()));";
    run(modules, main);
    const preloaded = used();
    bridge.close();
    run(modules, main, { isPreloaded: false });
    expect(used() - preloaded).above(200 * 3 * 16);
    expect(traced).deep.equal(["200", "200"]);
  });

  for (const [name, heap] of [
    ["one block", blockHeap(40 * KIB)],
    ["two areas", areaHeap(20 * KIB, 20 * KIB, 384)],
  ] as const) {
    const fill = (body: string, of: XsHeap = heap) =>
      run("", `const kept = []; for (;;) { kept.push(${body}); }`, { heap: of });

    it(`ends when slots run out, and says how many: ${name}`, () => {
      expect(() => fill("{ a: 1 }")).throw(MachineEnded, "memory full");
      expect(reported.join()).match(/^# (Slot|Chunk) allocation: failed for \d+ bytes$/);
    });

    it(`ends when chunks run out, and says how many: ${name}`, () => {
      expect(() => fill("new ArrayBuffer(1000)")).throw(MachineEnded, "memory full");
      expect(reported.join()).match(/^# Chunk allocation: failed for 10\d\d bytes$/);
    });

    it(`collects garbage before it requests more, and reports what it never needed: ${name}`, () => {
      run("", "for (let i = 0; i < 5000; i++) { ({ a: new ArrayBuffer(400) }); }", { heap });
      const { unclaimedBytes, claimedSlotBytes, claimedChunkBytes } = bridge.use();
      expect(unclaimedBytes).above(15 * KIB);
      const stackBytes = heap.staticBytes > 0 ? 384 * 16 : 0;
      expect(stackBytes + claimedSlotBytes + claimedChunkBytes + unclaimedBytes!).equal(40 * KIB);
    });
  }

  it("gives slots what chunks released, in one block", () => {
    const main = `let kept = [new ArrayBuffer(25000)]; kept = []; for (let i = 0; i < 400; i++) kept.push({ a: 1 }); trace("done");`;
    expect(run("", main, { heap: blockHeap(48 * KIB) })).deep.equal(["done"]);
  });
});

describe("splitting a bundle", () => {
  const split = (...modules: string[]) => {
    const { modules: parts } = splitBundle(modules.map((text) => MODULE_MARK + text).join("\n"));
    return [...parts].map(([name, text]) => `${name}: ${text.replace(/\n/g, " ").trim()}`);
  };

  it("gives each module what it uses of the others and of the SDK", () => {
    expect(
      split('import T, { a as b } from "sdk"; function f() { return T.g; }', "var g = b; f();", "f(g);"),
    ).deep.equal([
      'skyslot:0: import { default as T } from "sdk"; function f() { return T.g; } export { f };',
      'skyslot:1: import { a as b } from "sdk"; import { f } from "skyslot:0"; const g = b; f(); export { g };',
      'main: import { f } from "skyslot:0"; import { g } from "skyslot:1"; f(g); export {  };',
    ]);
  });

  it("keeps what is reassigned as a variable, and makes the rest constants", () => {
    expect(split("var a=1,b=2;var c=3;var d;", "c=4;")[0]).equal(
      "skyslot:0: const a=1,b=2; var c=3; var d; export { c };",
    );
  });

  it("runs a module that is not imported", () => {
    expect(split("trace(1);", "trace(2);")[1]).equal('main: import "skyslot:0"; trace(2); export {  };');
  });

  it("treats what precedes all modules as one, and ignores a mark inside a statement", () => {
    const { modules } = splitBundle(
      `var f = () => 1;\n${MODULE_MARK}var g = () => { ${MODULE_MARK}f(); };\n${MODULE_MARK}g();`,
    );
    expect([...modules.keys()]).deep.equal(["skyslot:0", "skyslot:1", "main"]);
    expect(modules.get("skyslot:1")).match(/^import { f } from "skyslot:0";\nconst g = /);
  });

  it("leaves a bundle without module marks whole", () => {
    const text = 'import x from "timer"; x();';
    expect(splitBundle(text)).deep.equal({ sdkModules: ["timer"], modules: new Map([["main", text]]) });
  });
});
