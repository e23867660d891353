import { expect } from "chai";
import { type BridgeHost, XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { MachineEnded } from "../../host-sim/xs/worker.js";

const { program, bits } = buildXs();

/** A class of Node like those of the virtual modules. */
class Counter {
  static readonly where = "node";
  #count: number;
  readonly #onCount: (this: Counter, count: number) => unknown;

  constructor(options: { start: number; onCount: (count: number) => unknown }) {
    this.#count = options.start;
    this.#onCount = options.onCount;
  }
  up(): unknown {
    this.#count += 1;
    return this.#onCount.call(this, this.#count);
  }
  get count(): number {
    return this.#count;
  }
  set count(value: number) {
    this.#count = value;
  }
  fill(buffer: ArrayBuffer): void {
    new Uint8Array(buffer).fill(7);
  }
  fail(): never {
    throw new RangeError("too far: 7");
  }
  echo(value: unknown): unknown {
    return value;
  }
  close(): void {}
}

describe("the bridge between XS and Node", () => {
  let bridge: XsBridge;
  let traced: string[];
  let jobs: number;
  let postponed: () => void;
  const later = (action: () => void) => {
    postponed = action;
  };

  const host: BridgeHost = {
    moduleOf: (specifier) => (specifier === "counter" ? { default: Counter, three: 3, later } : undefined),
    uptimeMs: () => 1234,
    random: () => 0.5,
    trace: (text) => traced.push(text),
    promiseJobsQueued: () => {
      jobs += 1;
    },
    isGlobal: () => false,
    isForFirmware: (error) => error instanceof Error && !(error instanceof MachineEnded),
  };
  const open = (turnBudget = 0) => {
    bridge = new XsBridge(host, { program, turnBudget });
  };
  /** Runs a module that imports Counter, and returns its trace. */
  const run = (body: string): string[] => {
    bridge.run(`import Counter, { later, three } from "counter"; ${body}`);
    return traced;
  };

  beforeEach(() => {
    traced = [];
    jobs = 0;
    open();
  });
  afterEach(() => bridge.close());

  it("creates objects of Node's classes, with accessors, statics and callbacks with the right this", () => {
    const body = `const counter = new Counter({ start: 40, onCount(count) { return [count, this === counter]; } });
      trace(counter.up().join()); counter.count = three; trace(counter.count + Counter.where);`;
    expect(run(body)).deep.equal(["41,true", "3node"]);
  });

  it("passes plain data there and back", () => {
    const data = '{ a: [1, -2.5, null, undefined, true], "b c": "\\\\0é€😀", d: { e: "" } }';
    const body = `const { echo } = Counter.prototype, counter = new Counter({}); const data = ${data};
      trace(JSON.stringify(counter.echo(data)) === JSON.stringify(data) ? "same" : "other");
      trace(String(counter.echo(new Map([["x", 1]])).get("x") + new Uint8Array(counter.echo(new Uint8Array([5, 6]).buffer))[1]));`;
    expect(run(body)).deep.equal(["same", "7"]);
  });

  it("brings back what Node writes into a buffer", () => {
    const body = `const buffer = new ArrayBuffer(3); new Counter({}).fill(buffer); trace(new Uint8Array(buffer).join());`;
    expect(run(body)).deep.equal(["7,7,7"]);
  });

  it("passes errors in both directions, with class and message", () => {
    const body = `const counter = new Counter({ start: 0, onCount() { throw new TypeError("mine"); } });
      try { counter.fail(); } catch (error) { trace(String(error) + (error instanceof RangeError)); }
      try { counter.up(); } catch (error) { trace(String(error)); }
      throw new SyntaxError("last");`;
    expect(() => run(body)).throw(SyntaxError, "last");
    expect(traced).deep.equal(["RangeError: too far: 7true", "TypeError: mine"]);
  });

  it("runs one round of promise jobs on request, not what they queue", () => {
    run(`Promise.resolve().then(() => trace("first")).then(() => trace("second"));`);
    expect([traced.length, jobs]).deep.equal([0, 1]);
    bridge.runPromiseJobs();
    expect([...traced, jobs]).deep.equal(["first", 2]);
  });

  it("is the SDK's XS: emoji of length 1, fromString, frozen built-ins, the device's clock and randomness", () => {
    const body = `trace("😀".length + " " + ArrayBuffer.fromString("é").byteLength + " " + Date.now());
      trace(typeof console + typeof setTimeout + typeof fetch + typeof URL); trace(Math.random().toFixed(3));
      try { Array.prototype.extra = 1; } catch (error) { trace(error.name); }`;
    expect(run(body)).deep.equal(["1 2 1234", "undefined".repeat(4), "0.500", "TypeError"]);
  });

  it("ends an endless loop and endless recursion, which firmware cannot catch", () => {
    for (const [body, why] of [
      ["try { for (;;); } catch {}", "too much computation"],
      ["const f = () => f() + 1; try { f(); } catch {}", "stack overflow"],
    ] as const) {
      bridge.close();
      open(1_000_000);
      expect(() => run(body)).throw(MachineEnded, why);
    }
  });

  it("counts 16 bytes a slot, as the ESP32, where 32-bit programs can be built", () => {
    expect(bridge.use().bytesPerSlot).equal(bits === 32 ? 16 : 32);
  });

  it("releases an object and its callbacks when it is closed", () => {
    const make = "const counter = new Counter({ start: 0, onCount() {} }); counter.up(); counter.close();";
    run(`for (let i = 0; i < 2; i++) { ${make} } trace("warm");`);
    const before = bridge.collect();
    bridge.close();
    open();
    run(`for (let i = 0; i < 200; i++) { ${make} } trace("warm");`);
    expect(bridge.collect().slotBytes - before.slotBytes).within(-64, 64);
  });

  it("ends a machine that holds more than its limit", () => {
    run(
      "const kept = []; const { echo } = new Counter({}); later(() => { for (;;) echo(kept.push(new ArrayBuffer(1000))); });",
    );
    const { slotBytes, chunkBytes } = bridge.watch();
    bridge.watch(slotBytes + chunkBytes + 10_000);
    expect(() => postponed()).throw(MachineEnded, "memory full");
  });
});
