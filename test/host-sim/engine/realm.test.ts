// The realm of firmware: what it can access, what it cannot change, and that devices are isolated from each other.

import { expect } from "chai";
import { World } from "../../../host-sim/world/world.js";
import { deviceWith, runSource } from "../run-source.js";

const LOG = `const log = (...v) => trace(v.map(String).join(" ") + "\\n");\n`;

describe("firmware's globals", () => {
  it("give no access to Node", async () => {
    const { lines } = await runSource(`
      import Timer from "timer"; import flash from "embedded:storage/flash"; import KV from "embedded:storage/key-value";
      import { Digest } from "crypt"; import FFI from "mc/ffi"; import Update from "embedded:update"; import Hex from "hex";
      import TextDecoder from "text/decoder"; import TCP from "embedded:io/socket/tcp"; import HTTPServer from "embedded:network/http/server";
      ${LOG}
      const kv = KV.open({ path: "x" }), f = flash.open({ path: "nvs" }), ffi = new FFI();
      const found = { Timer, set: Timer.set, id: Timer.set(() => {}, 1), flash, f, status: f.status(), read: f.read(4, 0), kv, it: kv[Symbol.iterator](),
        next: kv[Symbol.iterator]().next(), Digest, digest: new Digest("MD5").close(), ffi, restart: ffi.esp_restart, trace, open: Update.open, Hex, TextDecoder,
        decoder: new TextDecoder(), TCP, HTTPServer, now: Date.now, promise: Promise.resolve(1), then: Promise.prototype.then, meta: import.meta, globalThis };
      try { kv.read(Symbol()); } catch (e) { found.error = Object.getPrototypeOf(kv).constructor; }
      for (const [name, value] of Object.entries(found)) {
        const seen = new Set(), waiting = [value];
        while (waiting.length) {
          const one = waiting.pop();
          if (one === null || (typeof one !== "object" && typeof one !== "function") || seen.has(one)) continue;
          seen.add(one);
          const made = one.constructor;
          if (typeof made === "function") {
            let process; try { process = made.constructor("return typeof process")(); } catch (e) { process = "refused"; }
            if (process !== "undefined") log(name, "leaks", process);
          }
          waiting.push(Object.getPrototypeOf(one));
          for (const key of Reflect.ownKeys(one)) { const d = Reflect.getOwnPropertyDescriptor(one, key); waiting.push(d.value, d.get, d.set); }
        }
      }
      log("looked at", Object.keys(found).length);`);
    expect(lines).to.deep.equal(["looked at 27"]);
  });

  it("are frozen, except for the global object", async () => {
    const { lines } = await runSource(`${LOG}
      const tries = { proto: () => { Object.prototype.x = 1; }, now: () => { Date.now = 1; }, promise: () => { Promise.prototype.then = 1; },
        generator: () => { Object.getPrototypeOf(function* () {}).prototype.next = 1; }, array: () => { Array.prototype.push = 1; }, math: () => { Math.random = 1; } };
      for (const [name, act] of Object.entries(tries)) { try { act(); log(name, "changed"); } catch (e) { log(name, e.name); } }
      globalThis.mine = 5; log(mine);`);
    expect(lines).to.deep.equal([
      "proto TypeError",
      "now TypeError",
      "promise TypeError",
      "generator TypeError",
      "array TypeError",
      "math TypeError",
      "5",
    ]);
  });

  it("are not shared by devices, nor by the boots of one", async () => {
    const source = `import FFI from "mc/ffi"; ${LOG}
      log(typeof globalThis.left, typeof Object.left); globalThis.left = 1;
      const ffi = new FFI(); if (ffi.esp_reset_reason() === 1) ffi.esp_restart();`;
    const world = new World({ seed: 1 });
    const one = deviceWith(source, { world, name: "one" });
    const other = deviceWith(source, { world, name: "other" });
    one.device.powerOn();
    other.device.powerOn();
    await world.runFor(5000);
    expect([...one.lines, ...other.lines]).to.deep.equal(Array(4).fill("undefined undefined"));
  });

  it("give each device its own clock and randomness", async () => {
    const source = `import Timer from "timer"; ${LOG} Timer.set(() => log(Date.now(), Math.random()), 100);`;
    const world = new World({ seed: 1 });
    const one = deviceWith(source, { world, name: "one" });
    const other = deviceWith(source, { world, name: "other" });
    one.device.powerOn();
    await world.runFor(77);
    other.device.powerOn();
    await world.runFor(5000);
    const [time, random] = one.lines[0]!.split(" ");
    const [otherTime, otherRandom] = other.lines[0]!.split(" ");
    expect([time, otherTime]).to.deep.equal(["100", "100"]);
    expect(random).to.not.equal(otherRandom);
    const again = await runSource(source, { world: new World({ seed: 1 }), name: "one" });
    expect(again.lines).to.deep.equal(one.lines);
  });

  it("have no time zone but UTC", async () => {
    const { lines } = await runSource(`${LOG}
      const d = new Date(2026, 10, 21, 12, 30, 15, 250);
      log(d.toISOString(), d.getHours(), d.getTimezoneOffset(), String(d)); log(new Date(d).getTime() === d.getTime(), new Date(NaN).toString());
      log(Date.parse("2026-11-21T12:00:00"), Date.parse("2026-11-21"), Date.parse("21 Nov 2026 12:00:00"), Date.parse("2026-11-21T12:00:00+02:00"));
      log(typeof Date(), Date.length, Date.name, new Date().getFullYear(), new Date(5).valueOf(), d instanceof Date); d.setHours(1); log(d.toISOString());`);
    expect(lines).to.deep.equal([
      "2026-11-21T12:30:15.250Z 12 0 Sat Nov 21 2026 12:30:15 GMT+0000",
      "true Invalid Date",
      "1795262400000 1795219200000 1795262400000 1795255200000",
      "string 7 Date 1970 5 true",
      "2026-11-21T01:30:15.250Z",
    ]);
  });

  it("have XS's additions", async () => {
    const { lines } = await runSource(`${LOG}
      const hex = (b) => new Uint8Array(b).toHex();
      log(hex(ArrayBuffer.fromString("h\\u00e9")), String.fromArrayBuffer(ArrayBuffer.fromString("\\u20ac")), hex(ArrayBuffer.fromBigInt(258n)), hex(ArrayBuffer.fromBigInt(-1n, 4, true)));
      log(BigInt.fromArrayBuffer(ArrayBuffer.fromBigInt(258n)), BigInt.bitLength(256n), Math.imod(-1, 5), Math.idiv(7, 2), Math.irem(-7, 2));
      log(Math.irandom(5) < 5, Math.irandom(3, 4), hex(new ArrayBuffer(1).concat(Uint8Array.of(9).buffer)));
      const deep = Object.freeze({ a: { b: [1] } }, true); log(Object.isFrozen(deep.a.b), Object.isFrozen(Object.freeze({ a: {} }).a));
      log(Uint8Array.fromBase64("AQID").toBase64(), [...new Set([1, 2]).union(new Set([3]))], Object.groupBy([1, 2, 3], (n) => n % 2 ? "odd" : "even").odd);
      log([1, 2, 3].values().filter((n) => n > 1).map((n) => n * 2).toArray(), RegExp.escape("a.b"), new Map().getOrInsert("k", 4), Math.f16round(1.337));
      const v = new DataView(new ArrayBuffer(2)); v.setFloat16(0, -1.5); log(v.getFloat16(0), hex(v.buffer), new ArrayBuffer(4).transfer(2).byteLength);
      Array.fromAsync([Promise.resolve(1), 2]).then((a) => log(a));
      log(eval("1 + 1"), new Function("a", "b", "return a * b")(6, 7));`);
    expect(lines).to.deep.equal([
      "68c3a9 € 0102 0100000001",
      "258 9 4 3 -1",
      "true 3 0009",
      "true false",
      "AQID 1,2,3 1,3",
      "4,6 \\x61\\.b 4 1.3369140625",
      "-1.5 be00 2",
      "2 42",
      "1,2",
    ]);
  });
});
