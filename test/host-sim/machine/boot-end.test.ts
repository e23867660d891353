// How a boot ends: firmware cannot prevent it, and nothing but the flash survives.

import { expect } from "chai";
import { PowerCut } from "../../../host-sim/hardware/flash/flash.js";
import { RESET_REASON } from "../../../host-sim/machine/machine.js";
import { deviceWith, runSource, typesOf } from "../run-source.js";

const PRELUDE = `import Timer from "timer"; import FFI from "mc/ffi"; import flash from "embedded:storage/flash"; import KV from "embedded:storage/key-value";
  const log = (...v) => trace(v.map(String).join(" ") + "\\n"); const ffi = new FFI(); const reason = ffi.esp_reset_reason(); log("reset", reason);
  if (reason === 1) { `;
const EPILOGUE = "\n}";

/** The body runs in the first boot only. */
const firstBoot = (body: string) => runSource(PRELUDE + body + EPILOGUE);

describe("a restart", () => {
  const attempts: Readonly<Record<string, string>> = {
    "a catch": `try { ffi.esp_restart(); } catch (e) { log("caught"); } log("after");`,
    "a catch without a name": `try { ffi.esp_restart(); } catch { log("caught"); } log("after");`,
    "a catch with a pattern": `try { ffi.esp_restart(); } catch ({ message }) { log("caught"); }`,
    "a finally that returns": `(() => { for (;;) { try { ffi.esp_restart(); } finally { log("finally"); continue; } } })();`,
    "a promise's executor": `new Promise(() => ffi.esp_restart()).catch(() => log("caught")); log("after");`,
    "a then": `Promise.resolve().then(() => ffi.esp_restart()).catch(() => log("caught")); Timer.set(() => log("after"), 100);`,
    "an async function": `(async () => { try { await null; ffi.esp_restart(); } catch { log("caught"); } finally { log("finally"); } })(); Timer.set(() => log("after"), 100);`,
    "an iterator's return": `for (const x of { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }), return() { log("return"); return {}; } }) }) ffi.esp_restart();`,
    "a generator": `const g = function* () { try { yield 1; } finally { log("finally"); } }; for (const x of g()) ffi.esp_restart();`,
    "a getter that is asked later": `Timer.set(() => { log("second timer"); }, 5); Timer.set(() => ffi.esp_restart(), 4);`,
    "a callback of a built-in": `[1].forEach(() => { try { [1].map(() => ffi.esp_restart()); } catch { log("caught"); } });`,
  };
  for (const [name, body] of Object.entries(attempts)) {
    it(`cannot be stopped by ${name}`, async () => {
      const { lines, events } = await firstBoot(body);
      expect(lines).to.deep.equal(["reset 1", "reset 3"]);
      expect(typesOf(events)).to.deep.equal(["booted", "restarted: restart", "booted"]);
    });
  }

  it("cancels timers and promise jobs", async () => {
    const { lines, device } = await firstBoot(
      `Timer.set(() => log("old timer"), 500); Promise.resolve().then(() => log("old job")); Timer.repeat(() => log("old repeat"), 100); ffi.esp_restart();`,
    );
    expect(lines).to.deep.equal(["reset 1", "reset 3"]);
    expect(device.bootCount).to.equal(2);
    expect(device.world.isIdle).to.equal(true);
  });
});

describe("code that never ends", () => {
  const loops: Readonly<Record<string, string>> = {
    "an empty loop": "for (;;);",
    "a loop that catches everything": "for (;;) { try { for (;;) {} } catch {} }",
    "a loop in a timer": "Timer.set(() => { while (true) {} }, 10);",
    "a loop in a promise job": "Promise.resolve().then(() => { while (true) {} });",
    "calls in circles":
      "const a = () => 1; [1].forEach(function f() { let n = 0; while (n >= 0) n += a(); });",
    "an iterator without end": "for (const x of (function* () { for (;;) yield 1; })()) {}",
    "a busy wait for longer than the watchdog allows":
      "const end = Date.now() + 6000; while (Date.now() < end);",
    "a blocking delay longer than the watchdog allows": "Timer.delay(6000);",
    "a loop in eval": "eval('for (;;);');",
    "a loop in a new function": "new Function('for (;;);')();",
  };
  for (const [name, body] of Object.entries(loops)) {
    it(`is ended by the watchdog after 5 s: ${name}`, async () => {
      const { lines, events, device } = await firstBoot(body);
      expect(lines).to.deep.equal(["reset 1", "reset 6"]);
      expect(typesOf(events)).to.deep.equal(["booted", "restarted: watchdog", "booted"]);
      expect(device.lastReset).to.equal(RESET_REASON.taskWatchdog);
      expect(device.world.nowMs).to.be.within(5_600, 5_800);
    });
  }

  it("does not include a busy wait of 3 s", async () => {
    const { lines } = await firstBoot(
      `const begin = Date.now(); while (Date.now() < begin + 3000); log(Date.now() - begin);`,
    );
    expect(lines).to.deep.equal(["reset 1", "3000"]);
  });

  it("keeps the device's own events waiting, but not the world's", async () => {
    const { lines } = await firstBoot(
      `Timer.set(() => log("due at 10, at", Date.now()), 10); Timer.set(() => { Timer.delay(100); }, 5); Timer.set(() => log("due at 50, at", Date.now()), 50);`,
    );
    expect(lines).to.deep.equal(["reset 1", "due at 10, at 105", "due at 50, at 105"]);
  });
});

describe("a machine that cannot go on", () => {
  const ends: readonly (readonly [name: string, body: string, cause: string, reason: number])[] = [
    ["an uncaught error", `throw new Error("x");`, "uncaught", 3],
    ["an uncaught error in a timer", `Timer.set(() => { throw 5; }, 5);`, "uncaught", 3],
    [
      "recursion without end",
      `const r = (n) => 1 + r(n + 1); try { r(0); } catch { log("caught"); }`,
      "stackOverflow",
      3,
    ],
    [
      "recursion through a promise",
      `const r = () => { new Promise(r); }; try { r(); } finally { log("finally"); }`,
      "stackOverflow",
      3,
    ],
    [
      "buffers without end",
      `const a = []; try { for (;;) a.push(new Uint8Array(1000)); } catch { log("caught"); }`,
      "outOfMemory",
      3,
    ],
    ["one huge buffer", `try { new ArrayBuffer(2 ** 28); } catch { log("caught"); }`, "outOfMemory", 3],
    [
      "a write into its own image",
      `try { flash.open({ path: "running" }).write(new ArrayBuffer(1), 0); } catch { log("caught"); }`,
      "restart",
      4,
    ],
    [
      "an iterator that is used after its end",
      `const i = KV.open({ path: "a" })[Symbol.iterator](); KV.open({ path: "a", format: "string" }).write("k", "v"); const j = KV.open({ path: "a" })[Symbol.iterator](); j.return(); j.next();`,
      "restart",
      4,
    ],
    [
      "an import that does not exist",
      `import("nothing").catch((e) => { log(e.name); throw e; }); Timer.set(() => ffi.esp_restart(), 10);`,
      "restart",
      3,
    ],
  ];
  for (const [name, body, cause, reason] of ends) {
    it(`restarts with reason ${reason}: ${name}`, async () => {
      const { lines, events } = await firstBoot(body);
      expect(lines.filter((line) => line !== "ReferenceError")).to.deep.equal(["reset 1", `reset ${reason}`]);
      expect(typesOf(events).filter((type) => type !== "uncaught")).to.deep.equal([
        "booted",
        `restarted: ${cause}`,
        "booted",
      ]);
    });
  }

  it("reports the uncaught error, and where", async () => {
    const { events } = await firstBoot(`\n\nfunction f() { throw new RangeError("too much"); }\nf();`);
    const [, uncaught] = events;
    expect(uncaught).to.include({
      type: "uncaught",
      name: "RangeError",
      message: "too much",
      duringModule: true,
    });
    expect(uncaught?.type === "uncaught" && uncaught.stack).to.match(
      /^ {4}at f \(main\.js:5:\d+\)\n {4}at main\.js:6:\d+$/,
    );
  });

  it("does not even start when the bundle is not JavaScript, or imports a missing module", async () => {
    for (const [source, name] of [
      ["let = 5;", "SyntaxError"],
      [`import x from "nothing";`, "ReferenceError"],
      [`import { nothing } from "timer";`, "SyntaxError"],
    ] as const) {
      const { events } = await runSource(source, { limitMs: 500 });
      expect(events.find((event) => event.type === "uncaught")).to.include({ name, duringModule: true });
    }
  });
});

describe("a power cut", () => {
  it("in a flash operation of firmware cannot be caught, and leaves the device off", async () => {
    const run = deviceWith(
      `${PRELUDE} const f = flash.open({ path: "nextota" }); try { f.eraseBlock(0); f.write(new ArrayBuffer(64), 0); log("written"); } catch { log("caught"); } finally { log("finally"); } ${EPILOGUE}`,
    );
    run.device.flash.onOperation = ({ kind, offset }, when) => {
      if (kind === "write" && offset === 0x220000 && when === "before") throw new PowerCut("cut");
    };
    run.device.powerOn();
    await run.world.runFor(10_000);
    expect(run.lines).to.deep.equal(["reset 1"]);
    expect(typesOf(run.events)).to.deep.equal(["booted", "powerCut"]);
    expect(run.device.isPowered).to.equal(false);
    run.device.flash.onOperation = undefined;
    run.device.powerOn();
    await run.world.runFor(10_000);
    expect(run.lines).to.deep.equal(["reset 1", "reset 1", "written", "finally"]);
  });

  it("between two events ends everything at once", async () => {
    const run = deviceWith(`${PRELUDE} Timer.repeat(() => log("tick"), 100); ${EPILOGUE}`);
    run.device.powerOn();
    await run.world.runFor(600);
    run.device.powerOff();
    await run.world.runFor(10_000);
    expect(run.lines).to.deep.equal(["reset 1", "tick", "tick"]);
    expect(typesOf(run.events)).to.deep.equal(["booted", "poweredOff"]);
  });
});
